import { setTimeout as delay } from 'node:timers/promises';

import type { RunResult } from '../../ports.ts';
import type { CommandRequest } from '../command.ts';
import { PackageError } from '../errors.ts';

const quickMs = 30_000;
/** unattended-upgrades may hold dpkg's lock for minutes. */
const defaultLockMs = 10 * 60_000;
const defaultLockRetryMs = 2_000;
/** `dpkg-query --listfiles` of the largest packages is some MiB. */
const longOutput = 16 * 1024 * 1024;
export const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const environment = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  PATH: searchPath,
};

export interface CommandsOptions {
  /** Runs a command that must outlive this process: in a unit of its own. */
  readonly runApart: (request: CommandRequest) => Promise<RunResult>;
  /** Runs a question. */
  readonly run: (request: CommandRequest) => Promise<RunResult>;
  /** How long to wait for another program that holds dpkg's lock. */
  readonly lockMs?: number;
  readonly lockRetryMs?: number;
}

/** Commands of dpkg and apt. */
export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Something that is only asked. */
  async ask(command: readonly string[]): Promise<RunResult> {
    return await this.#options.run({
      command,
      timeoutMs: quickMs,
      env: environment,
      keepBytes: longOutput,
      stdoutOnly: true,
    });
  }

  async run(
    command: readonly string[],
    { timeoutMs = quickMs, ...more }: Partial<Pick<CommandRequest, 'timeoutMs' | 'signal' | 'stdin'>> = {},
  ): Promise<RunResult> {
    return await this.#options.run({ command, timeoutMs, env: environment, ...more });
  }

  async runApart(request: CommandRequest): Promise<RunResult> {
    return await this.whileLocked(() => this.#options.runApart(request));
  }

  /** Again, while another program holds dpkg's lock. */
  async whileLocked(action: () => Promise<RunResult>): Promise<RunResult> {
    const deadline = Date.now() + (this.#options.lockMs ?? defaultLockMs);
    for (;;) {
      const result = await action();
      if (!isLocked(result) || Date.now() >= deadline) return result;
      await delay((this.#options.lockRetryMs ?? defaultLockRetryMs) * (0.5 + Math.random()));
    }
  }
}

/** By Debian policy, with an architecture where one is named. Nothing else ever becomes an argument of dpkg. */
export function checkName(name: string): string {
  if (/^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?$/.test(name)) return name;
  throw new PackageError(name, `'${name}' is no name of a Debian package`);
}

export function isLocked(result: RunResult): boolean {
  return (
    result.exitCode !== 0 &&
    /lock.*(locked by another process|is held by process|Could not get lock)|Could not get lock/i.test(
      result.output,
    )
  );
}
