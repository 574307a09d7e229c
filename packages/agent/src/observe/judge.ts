import type { Correctness } from '@kubenode/api';
import { actionForFiles, fileDifference } from '../plan/changes.ts';
import type { GoalFile } from '../plan/goal.ts';
import { type Applied, type OwedRestart, type ServiceAction, strongerAction } from '../plan/operation.ts';
import type { Inspection } from './inspect.ts';

export type Aspect = keyof Correctness;
/** One thing that is not as it should be. */
export interface Harm {
  readonly aspect: Aspect;
  /** For people: what, and in which way. */
  readonly what: string;
  /** The path that it is about, where it is one. */
  readonly path?: string;
  /** A path that has to be taken away, where that mends it. */
  readonly remove?: string;
  /** A file that has to be put back. */
  readonly file?: GoalFile;
  readonly why?: string;
  /** What the unit needs besides. */
  readonly service: ServiceAction;
  /** A restart is a guess: not tried again at once. */
  readonly patient?: boolean;
  /** The component's own program may be to blame: it failed, or ended. */
  readonly fault?: 'failed' | 'ended';
  /** All is put back; only the healthy process has yet to be restarted. */
  readonly owed?: true;
  /** Nothing that a repair could do, or nothing yet. */
  readonly waits?: boolean;
}
export interface Judgement {
  readonly at: number;
  readonly correct: Correctness;
  readonly harms: readonly Harm[];
  readonly message: string;
}
export interface ProbeVerdict {
  /** undefined: not known yet. */
  readonly healthy: boolean | undefined;
  readonly message: string;
}

/** Holds what a component has on the host against what was committed. Each correctness by itself. Pure. */
export function judge(
  applied: Applied,
  seen: Inspection,
  probes: ProbeVerdict,
  owes?: OwedRestart,
): Judgement {
  const harms = [
    ...fileHarms(applied, seen),
    ...packageHarms(applied, seen),
    ...dropInHarms(applied, seen),
    ...processHarms(applied, seen),
  ];
  const unitFileHarmed = harms.some(({ file }) => file?.source === 'unit');
  harms.push(...unitHarms(applied, seen, unitFileHarmed));
  if (owes !== undefined && harms.every(({ service }) => service === 'None') && isOwed(owes, seen)) {
    const what = `${applied.goal.unit?.name ?? ''}: its process has to be restarted, since it was started with this: ${owes.reason}`;
    harms.push({ aspect: 'config', what, service: 'Restart', owed: true });
  }
  const stopped = harms.some(({ aspect }) => aspect === 'running');
  if (!stopped && probes.healthy === false) {
    harms.push({
      aspect: 'running',
      what: probes.message,
      service: applied.goal.unit ? 'Restart' : 'None',
      ...(applied.goal.unit ? { patient: true, fault: 'failed' } : { waits: true }),
    });
  }
  const broken = (aspect: Aspect) => harms.some((harm) => harm.aspect === aspect);
  const starting =
    !broken('running') && (probes.healthy === undefined || seen.unit?.activeState === 'activating');
  return {
    at: seen.at,
    correct: {
      version: broken('version') ? 'False' : applied.proven ? 'True' : 'Unknown',
      config: broken('config') ? 'False' : 'True',
      running: broken('running') ? 'False' : starting ? 'Unknown' : 'True',
    },
    harms,
    message: harms
      .map(({ what }) => what)
      .join('; ')
      .slice(0, 512),
  };
}

/** Whether the process that was to be restarted is still the same one. */
export function isOwed(owes: OwedRestart, { unit }: Inspection): boolean {
  return unit?.startedAt === undefined ? unit?.activeState === 'active' : unit.startedAt <= owes.since;
}

/** Everything is right; what is not proven does not count against it. */
export function isHealthy(judgement: Judgement | undefined): boolean {
  return judgement !== undefined && judgement.harms.length === 0 && judgement.correct.running === 'True';
}

/**
 * What a repair asks of a unit that runs. A healthy process that was started before the last time all files were right never read
 * the harmed ones and is left alone. Pure.
 * @param cleanAt last time that all files were seen right, epoch milliseconds.
 */
export function repairAction(
  applied: Applied,
  harms: readonly Harm[],
  seen: Inspection,
  cleanAt: number,
): ServiceAction {
  let action: ServiceAction = 'None';
  for (const harm of harms) action = strongerAction(action, harm.service);
  const startedAt = seen.unit?.startedAt;
  const readHarm = startedAt === undefined || startedAt > cleanAt;
  if (!readHarm) return action;
  const written = harms.flatMap(({ file, why }) => (file && why ? [{ file, why }] : []));
  action = strongerAction(action, actionForFiles(applied.goal, written));
  return harms.some(({ remove }) => remove !== undefined) ? 'Restart' : action;
}

function fileHarms(applied: Applied, seen: Inspection): Harm[] {
  return applied.files.flatMap((file): Harm[] => {
    const why = fileDifference(file, seen.files.get(file.path));
    if (why === undefined) return [];
    const aspect = file.source === 'artifact' && why !== 'mode' && why !== 'owner' ? 'version' : 'config';
    return [{ aspect, what: `${file.path}: ${why}`, path: file.path, file, why, service: 'None' }];
  });
}

function packageHarms(applied: Applied, seen: Inspection): Harm[] {
  const { goal, packageFiles } = applied;
  if (goal.package === undefined) return [];
  const { name, version } = goal.package;
  const harms: Harm[] = [];
  if (seen.package !== undefined && seen.package.version !== version) {
    harms.push({
      aspect: 'version',
      what: `package ${name}: is ${seen.package.version} and not ${version}`,
      service: 'None',
    });
  }
  const files = new Set(applied.files.map(({ path }) => path));
  for (const [path, digest] of Object.entries(packageFiles ?? {})) {
    const state = seen.files.get(path);
    if (files.has(path) || state?.digest === digest) continue;
    harms.push({
      aspect: 'version',
      what: `${path} of package ${name}: ${state === undefined ? 'absent' : 'content'}`,
      path,
      service: 'None',
    });
  }
  for (const path of seen.packageHarm ?? []) {
    if (files.has(path) || packageFiles?.[path] !== undefined) continue;
    harms.push({ aspect: 'version', what: `${path} of package ${name}: content`, path, service: 'None' });
  }
  return harms;
}

function dropInHarms(applied: Applied, seen: Inspection): Harm[] {
  const known = applied.dropIns ?? {};
  const ours = new Set(applied.files.map(({ path }) => path));
  return Object.entries(seen.dropIns).flatMap(([path, digest]): Harm[] => {
    if (ours.has(path) || known[path] === digest) return [];
    const changed = known[path] !== undefined;
    return [
      {
        aspect: 'config',
        what: `${path}: ${changed ? 'a drop-in that was changed' : 'a drop-in that does not belong there'}`,
        path,
        service: 'None',
        ...(changed ? { waits: true } : { remove: path }),
      },
    ];
  });
}

function processHarms(applied: Applied, seen: Inspection): Harm[] {
  const expected = applied.process?.executable;
  if (expected === undefined || seen.executable === undefined || seen.executable === expected) return [];
  const name = applied.goal.unit?.name ?? applied.goal.component;
  return [
    {
      aspect: 'version',
      what: `process ${seen.unit?.mainPID} of ${name}: runs another program`,
      service: 'Restart',
    },
  ];
}

function unitHarms(applied: Applied, seen: Inspection, unitFileHarmed: boolean): Harm[] {
  const { goal, process } = applied;
  const { unit } = seen;
  if (goal.unit === undefined) return [];
  const { name } = goal.unit;
  const harm = (what: string, service: ServiceAction = 'None'): Harm => ({
    aspect: 'running',
    what: `${name}: ${what}`,
    service,
  });
  if (unit === undefined || unit.loadState === 'not-found')
    return unitFileHarmed ? [] : [harm('does not exist')];
  const harms: Harm[] = [];
  if (unit.enabled === 'masked' && !unitFileHarmed) harms.push(harm('masked'));
  if (unit.enabled === 'disabled') harms.push(harm('disabled'));
  const down =
    unit.activeState === 'failed' || (unit.activeState === 'inactive' && process?.oneshot !== true);
  if (down)
    harms.push({
      ...harm(unit.activeState, 'Start'),
      fault: unit.activeState === 'failed' ? 'failed' : 'ended',
    });
  const { restartsLately } = seen;
  if (!down && restartsLately !== undefined)
    harms.push({ ...harm(`starts again and again, ${restartsLately}`), waits: true });
  if (unit.activeState === 'deactivating') harms.push({ ...harm('is being stopped'), waits: true });
  if (seen.processState === 'T') harms.push(harm(`process ${unit.mainPID} is stopped`, 'Restart'));
  return harms;
}
