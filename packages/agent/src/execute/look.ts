import { type HostView, packageHarms } from '../plan/changes.ts';
import type { Goal, GoalFile } from '../plan/goal.ts';
import type { FileState, Host, HostFiles } from '../ports.ts';

/** Where systemd looks for a unit, first wins. */
const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/lib/systemd/system',
  '/usr/lib/systemd/system',
];

/** Reads what stands on the host where the goal would put something. Changes nothing. */
export async function look(host: Host, goal: Goal, files: readonly GoalFile[]): Promise<HostView> {
  const states = new Map<string, FileState | undefined>();
  for (const { path } of files) states.set(path, await host.files.state(path));
  const unit = goal.unit && (await host.services.states([goal.unit.name])).get(goal.unit.name);
  const installed = goal.package && (await host.packages?.installed(goal.package.name));
  const sameVersion = installed !== undefined && installed.version === goal.package?.version;
  return {
    files: states,
    unit,
    package: installed,
    packageHarm:
      sameVersion && host.packages ? packageHarms(await host.packages.verify(goal.package.name)) : [],
    runsOther: await runsOther(host, goal, files, unit?.mainPID ?? 0),
  };
}

/** What a unit file says of the process it starts. */
export interface UnitFile {
  /** The program of the first ExecStart, where it is an absolute path. */
  readonly program?: string;
  readonly oneshot: boolean;
}

/** Reads the unit's file, wherever it stands; undefined where there is none. */
export async function readUnitFile(files: HostFiles, name: string): Promise<UnitFile | undefined> {
  for (const folder of unitFolders) {
    const state = await files.state(`${folder}/${name}`);
    if (state?.kind === 'file')
      return parseUnitFile((await files.read(`${folder}/${name}`)).toString('utf8'));
  }
  return undefined;
}

export function parseUnitFile(content: string): UnitFile {
  const program = /^\s*ExecStart\s*=\s*[-@:+!|]*(\/\S+)/m.exec(content)?.[1];
  return {
    ...(program === undefined ? {} : { program }),
    oneshot: /^\s*Type\s*=\s*oneshot\s*$/m.test(content),
  };
}

/** Whether the process runs another file than the one on disk; undefined where nothing can be said: no process, or a script. */
async function runsOther(
  host: Host,
  goal: Goal,
  files: readonly GoalFile[],
  pid: number,
): Promise<boolean | undefined> {
  if (pid === 0 || goal.unit === undefined) return undefined;
  const own = files.find(
    ({ source, path }) => source === 'unit' && path.endsWith(`/${goal.unit?.name}`),
  )?.content;
  const unit = own === undefined ? await readUnitFile(host.files, goal.unit.name) : parseUnitFile(own);
  if (unit?.program === undefined) return undefined;
  const state = await host.files.state(unit.program);
  if (state?.kind !== 'file' || state.digest === undefined) return undefined;
  const running = await host.executableDigest(pid);
  if (running === undefined || running === state.digest) return running === undefined ? undefined : false;
  const script =
    state.size < 1_000_000 &&
    (await host.files.read(unit.program)).subarray(0, 2).toString('latin1') === '#!';
  return script ? undefined : true;
}
