import { randomBytes } from 'node:crypto';
import { tryRun, CommandError, type RunOptions } from '../system/run.ts';
import { cpuSecondsOf, killGroup, makeGroup, removeGroup } from './cgroups.ts';

/** What a program printed, and what it cost. */
export interface Measured {
  readonly stdout: string;
  readonly wallSeconds: number;
  /** Of the program and all that it started, what outlived it up to its end too. */
  readonly cpuSeconds: number;
}

/** Enters the groups before `--`, then becomes the command after it. */
const enter =
  'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"';

/**
 * Runs a program of this machine in a control group of its own, so that its processor time can be read; what it leaves behind is killed.
 * Needs root. @throws CommandError where its status is not 0.
 */
export async function runMeasured(command: readonly string[], options: RunOptions = {}): Promise<Measured> {
  const name = `kn-measured-${randomBytes(3).toString('hex')}`;
  const { exec } = await makeGroup(name);
  try {
    const started = performance.now();
    const result = await tryRun(['sh', '-c', enter, 'sh', ...exec, '--', ...command], {
      shownAs: command,
      ...options,
    });
    const wallSeconds = (performance.now() - started) / 1000;
    if (result.code !== 0) throw new CommandError(command, result);
    return { stdout: result.stdout, wallSeconds, cpuSeconds: await cpuSecondsOf(name) };
  } finally {
    await killGroup(name);
    await removeGroup(name);
  }
}
