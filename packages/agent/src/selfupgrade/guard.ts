import { agentUnit } from '../config.ts';
import { unitFolder } from '../plan/goal.ts';
import type { ComponentRecord } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import { agentExecutable, previousExecutable, previousFolder, watchdogUnit } from './own.ts';

/** A file as it was before the agent's upgrade. */
export interface SavedFile {
  readonly path: string;
  /** `absent`: it is taken away again. */
  readonly kind: 'file' | 'symlink' | 'absent';
  readonly mode: number;
  /** uid:gid */
  readonly owner: string;
  readonly digest?: string;
  readonly target?: string;
  /** Where the copy of a plain file lies. */
  readonly copy?: string;
}
export interface GuardFailure {
  readonly step: string;
  readonly message: string;
}

/**
 * What the way back from an upgrade of the agent needs: read by the watchdog, and by the agent before when it runs again. So its fields keep
 * their meaning for good.
 */
export interface Guard {
  readonly component: string;
  readonly revision: string;
  readonly goalKey: string;
  readonly retryToken: string;
  /** Epoch milliseconds. */
  readonly armedAt: number;
  /** How long the watchdog waits for the new agent to be good, in milliseconds. */
  readonly patienceMs: number;
  /** The API server took what the agent before told it last. */
  readonly online: boolean;
  readonly files: readonly SavedFile[];
  /** What the agent before knew of the component; the new one may write another format. */
  readonly record?: ComponentRecord;
  /** Why the new agent was given up. */
  readonly failure?: GuardFailure;
}

/** What of a host the guard needs. */
export type GuardHost = Pick<Host, 'files' | 'services'>;

const secret = { mode: 0o600 } as const;

function path(stateFolder: string, name: 'armed' | 'fired'): string {
  return `${stateFolder}/selfupgrade/${name}.json`;
}

/** The guard of an upgrade under way. */
export async function armedGuard({ files }: GuardHost, stateFolder: string): Promise<Guard | undefined> {
  return await readGuard(files, path(stateFolder, 'armed'));
}
/** The guard of an upgrade that was given up, until the agent before has taken note of it. */
export async function firedGuard({ files }: GuardHost, stateFolder: string): Promise<Guard | undefined> {
  return await readGuard(files, path(stateFolder, 'fired'));
}

async function readGuard(files: Host['files'], file: string): Promise<Guard | undefined> {
  if ((await files.state(file)) === undefined) return undefined;
  try {
    return JSON.parse((await files.read(file)).toString('utf8')) as Guard;
  } catch {
    // It went between the two looks, or a disk harmed it, for it is written in one step: then there is no guard.
    return undefined;
  }
}

/** Copies what is there, and has the watchdog run: from here on the way back does not need this process. May be repeated. */
export async function arm(host: GuardHost, stateFolder: string, guard: Guard): Promise<void> {
  const { files, services } = host;
  const program = guard.files.find(({ path }) => path === agentExecutable)?.copy;
  if (program === undefined)
    throw new Error(`${agentExecutable} is not on this host: was the agent installed by import or join?`);
  await files.install(program, previousExecutable, { mode: 0o755 });
  await files.write(`${unitFolder}/${watchdogUnit}`, watchdogUnitText(stateFolder), { mode: 0o644 });
  await files.write(path(stateFolder, 'armed'), JSON.stringify(guard), secret);
  await services.enable(watchdogUnit);
  await services.daemonReload();
  await services.start(watchdogUnit, 30_000);
}

/** Says why the new agent is given up. Whoever takes the guard first decides: after this its commit fails. @returns false: it is good already. */
export async function giveUp(host: GuardHost, stateFolder: string, failure: GuardFailure): Promise<boolean> {
  await host.files.move(path(stateFolder, 'armed'), path(stateFolder, 'fired'));
  const guard = await firedGuard(host, stateFolder);
  if (guard === undefined) return false;
  if (guard.failure === undefined)
    await host.files.write(path(stateFolder, 'fired'), JSON.stringify({ ...guard, failure }), secret);
  return true;
}

/** The new agent is good: from here on the watchdog does nothing. @throws Error where it was given up before. */
export async function release({ files }: GuardHost, stateFolder: string): Promise<void> {
  await files.remove(path(stateFolder, 'armed'));
  if ((await files.state(path(stateFolder, 'fired'))) !== undefined)
    throw new Error('the watchdog has given this agent up and returns to the one before');
}

/** Takes the watchdog and its copies away. */
export async function disarm({ files, services }: GuardHost, stateFolder: string): Promise<void> {
  const unitFile = `${unitFolder}/${watchdogUnit}`;
  const folder = `${stateFolder}/selfupgrade`;
  if ((await files.state(folder)) !== undefined) await files.remove(folder);
  if ((await files.state(unitFile)) === undefined) return;
  await services.disable(watchdogUnit);
  await services.stop(watchdogUnit, 30_000);
  await files.remove(previousFolder);
  // Last: as long as it is there, a crash in between is made good by the next start.
  await files.remove(unitFile);
  await services.daemonReload();
}

/** What stands at these paths, with copies of the plain files, numbered from `first`. */
export async function save(
  { files }: GuardHost,
  paths: readonly string[],
  first: number,
): Promise<readonly SavedFile[]> {
  const saved: SavedFile[] = [];
  for (const [index, path] of paths.entries()) {
    const state = await files.state(path);
    if (state === undefined) {
      saved.push({ path, kind: 'absent', mode: 0, owner: '0:0' });
      continue;
    }
    if (state.kind !== 'file' && state.kind !== 'symlink')
      throw new Error(
        `${path} is a ${state.kind} on this host where the agent's revision brings a file: move it away`,
      );
    const { kind, mode, uid, gid, digest, target } = state;
    const copy = `${previousFolder}/${first + index}`;
    if (kind === 'file') await files.install(path, copy, { mode: 0o600 });
    saved.push({
      path,
      kind,
      mode,
      owner: `${uid}:${gid}`,
      ...(digest === undefined ? {} : { digest }),
      ...(target === undefined ? {} : { target }),
      ...(kind === 'file' ? { copy } : {}),
    });
  }
  return saved;
}

/** Whether everything stands there again as it was saved. */
export async function isRestored({ files }: GuardHost, guard: Guard): Promise<boolean> {
  for (const file of guard.files) if (!(await isAsSaved(files, file))) return false;
  return true;
}

/** Puts everything back as it was saved. May be repeated. */
export async function restore({ files, services }: GuardHost, guard: Guard): Promise<void> {
  for (const file of guard.files) {
    if (await isAsSaved(files, file)) continue;
    const { path, kind, mode, owner, copy, target } = file;
    if (kind === 'absent') await files.remove(path);
    else if (kind === 'symlink') await files.symlink(target ?? '', path);
    else await files.install(copy ?? '', path, { mode, owner });
  }
  await services.daemonReload();
}

async function isAsSaved(files: Host['files'], saved: SavedFile): Promise<boolean> {
  const state = await files.state(saved.path);
  if (saved.kind === 'absent' || state === undefined) return saved.kind === 'absent' && state === undefined;
  return (
    state.kind === saved.kind &&
    state.digest === saved.digest &&
    state.target === saved.target &&
    (saved.kind === 'symlink' || state.mode === saved.mode)
  );
}

/** A unit of its own, enabled: it lives through the agent's restart, and a boot in the middle of the upgrade starts it again. */
function watchdogUnitText(stateFolder: string): string {
  return `[Unit]
Description=KubeNode: returns to the agent before where an upgrade of ${agentUnit} fails
StartLimitIntervalSec=0

[Service]
ExecStart=${previousExecutable} watch-over --state ${stateFolder}
Restart=on-failure
RestartSec=1
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
`;
}
