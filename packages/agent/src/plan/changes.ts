import type { FileState, InstalledPackage, UnitState } from '../ports.ts';
import type { Goal, GoalFile } from './goal.ts';
import type { Disturbance } from './leave.ts';
import { type Applied, type Changes, type ServiceAction, strongerAction } from './operation.ts';

/** What stands on the host where a goal would put something. */
export interface HostView {
  readonly files: ReadonlyMap<string, FileState | undefined>;
  readonly unit: UnitState | undefined;
  readonly package: InstalledPackage | undefined;
  /** Paths of the package that are not what the package brought. */
  readonly packageHarm: readonly string[];
  /** The main process runs something else than the goal's program; undefined: it can't be told. */
  readonly runsOther: boolean | undefined;
}

/** Why a file is not what it should be; undefined: it is. Pure. */
export function fileDifference(want: GoalFile, is: FileState | undefined): string | undefined {
  if (is === undefined) return 'absent';
  if (is.kind !== want.kind) return `is a ${is.kind}`;
  if (want.kind === 'symlink') return is.target === want.target ? undefined : 'target';
  if (is.digest !== want.digest) return 'content';
  if (is.mode !== want.mode) return 'mode';
  if (want.ids !== undefined && (is.uid !== want.ids.uid || is.gid !== want.ids.gid)) return 'owner';
  return undefined;
}

/**
 * The difference between a goal and the host, and what it asks of the unit. Pure.
 * @param before what the component has there so far; what only that brought is taken away.
 * @param stray paths that an operation which did not end may have written.
 */
export function compare(
  goal: Goal,
  files: readonly GoalFile[],
  view: HostView,
  before: Applied | undefined,
  stray: readonly string[],
): Changes {
  const writes = files.flatMap((file) => {
    const why = fileDifference(file, view.files.get(file.path));
    return why === undefined ? [] : [{ path: file.path, why }];
  });
  const wanted = new Set(files.map(({ path }) => path));
  const removals = [...new Set([...(before?.files.map(({ path }) => path) ?? []), ...stray])].filter(
    (path) => !wanted.has(path),
  );
  const why = packageReason(goal, view);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const written = writes.flatMap(({ path, why }) => {
    const file = byPath.get(path);
    return file === undefined ? [] : [{ file, why }];
  });
  const { service, reason } = serviceAction(goal, view, written, why !== undefined);
  const oldUnit = before?.goal.unit?.name;
  return {
    writes,
    removals,
    ...(why === undefined ? {} : { package: why }),
    // A package reloads for units that are its own matter.
    daemonReload:
      written.some(({ file }) => isUnitFile(file.path)) ||
      removals.some(isUnitFile) ||
      (why !== undefined && goal.unit !== undefined),
    unmask: goal.unit !== undefined && view.unit?.enabled === 'masked',
    enable: goal.unit !== undefined && needsEnabling(view.unit),
    service,
    serviceReason: reason,
    ...(oldUnit !== undefined && oldUnit !== goal.unit?.name ? { retire: oldUnit } : {}),
  };
}

/** Documentation and translations: minimal hosts leave them out on purpose (dpkg's path-exclude), and nothing runs from them. */
const besideThePoint = /^\/usr\/share\/(doc|doc-base|man|info|locale|lintian|bug|menu)\//;

/** Of the paths that dpkg finds wrong those that count. */
export function packageHarms(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !besideThePoint.test(path));
}

/** A unit file or drop-in, after whose change the service manager has to read its files again. */
export function isUnitFile(path: string): boolean {
  return /^\/(etc|run|lib|usr\/lib)\/systemd\/system\//.test(path);
}

/** What a change of these files asks of a unit that runs. Pure. */
export function actionForFiles(
  goal: Goal,
  written: readonly { file: GoalFile; why: string }[],
): ServiceAction {
  let action: ServiceAction = 'None';
  for (const { file, why } of written) {
    if (why === 'mode' || why === 'owner') continue;
    action = strongerAction(action, file.source === 'file' ? file.onChange : actionOfDisruption(goal));
  }
  return action;
}

function actionOfDisruption(goal: Goal): ServiceAction {
  return goal.disruption === 'None' || goal.disruption === 'Reload' ? goal.disruption : 'Restart';
}

function needsEnabling(unit: UnitState | undefined): boolean {
  return (
    unit === undefined ||
    unit.loadState === 'not-found' ||
    unit.enabled === 'disabled' ||
    unit.enabled === 'masked'
  );
}

function packageReason(goal: Goal, view: HostView): string | undefined {
  if (goal.package === undefined) return undefined;
  const { name, version } = goal.package;
  if (view.package === undefined) return `${name} is not installed`;
  if (view.package.version !== version) return `${name} is ${view.package.version} and not ${version}`;
  if (!view.package.complete) return `${name} is installed only in part`;
  if (view.packageHarm.length > 0)
    return `${view.packageHarm.slice(0, 3).join(', ')} is not what ${name} ${version} brought`;
  return undefined;
}

function serviceAction(
  goal: Goal,
  view: HostView,
  written: readonly { file: GoalFile; why: string }[],
  packageChanges: boolean,
): { service: ServiceAction; reason: string } {
  if (goal.unit === undefined) return { service: 'None', reason: '' };
  const active = view.unit?.activeState === 'active' || view.unit?.activeState === 'reloading';
  if (!active)
    return { service: 'Start', reason: `${goal.unit.name} is ${view.unit?.activeState ?? 'not there'}` };
  const byFiles = actionForFiles(goal, written);
  const byPackage = packageChanges ? actionOfDisruption(goal) : 'None';
  const byProcess = view.runsOther === true ? 'Restart' : 'None';
  const service = strongerAction(strongerAction(byFiles, byPackage), byProcess);
  const causes = [
    byFiles !== 'None' &&
      `${written
        .map(({ file }) => file.path)
        .slice(0, 3)
        .join(', ')} changes`,
    byPackage !== 'None' && 'the package changes',
    byProcess !== 'None' && 'the process runs another program than the one on disk',
  ];
  return { service, reason: causes.filter(Boolean).join('; ') };
}

/**
 * Leave that bringing in a goal needs; undefined: what it changes disturbs nothing that runs. Restarts of an upgrade need none: whoever
 * moved the machine has taken leave for them. Pure.
 * @param found the unit runs; something of the component is on the host, right or not; an attempt before has changed what only a reboot puts in force.
 */
export function leaveFor(
  goal: Goal,
  changes: Changes,
  found: { readonly running: boolean; readonly installed: boolean; readonly unfinished: boolean },
): Disturbance | undefined {
  const { writes, removals, service, retire } = changes;
  const replaced = writes.filter(({ why }) => why !== 'mode' && why !== 'owner');
  const changed = removals.length > 0 || changes.package !== undefined || retire !== undefined;
  if (goal.disruption === 'Reboot') {
    const needed = replaced.length > 0 || changed || service === 'Restart' || found.unfinished;
    return needed ? 'Reboot' : undefined;
  }
  if (goal.disruption !== 'Drain') return undefined;
  if (goal.unit !== undefined)
    return (found.running && service === 'Restart') || retire !== undefined ? 'Drain' : undefined;
  const other = replaced.some(({ why }) => why !== 'absent');
  return other || (changed && found.installed) ? 'Drain' : undefined;
}
