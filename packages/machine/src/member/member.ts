import type { MachineComponentEntry } from '@kubenode/api';
import type { Decision } from './select.ts';
import { isWrong, type Trouble, troublesOf } from './trouble.ts';
import { resolveVariables, sameValues } from './variables.ts';
import type { ComponentView, MachineView, SetView } from './view.ts';

/** A revision that machines can be moved to. */
export interface Target {
  readonly revision: string;
  readonly uid: string;
}

/** What a set asks for: `update` is where it moves machines to, `completed` what it has brought to all of them before. */
export interface Targets {
  readonly update: Target | undefined;
  readonly completed: Target | undefined;
}

/**
 * One machine in one set, with all that the rollout needs to know of it.
 * Join: the machine is new to the component and gets what was completed, or it runs already what it gets. Move: it runs another
 * revision or with other values, or nothing was ever completed. Remove: it is no longer selected, and the set says Remove. Nothing else
 * ever changes what a machine runs.
 */
export interface Member {
  readonly machine: string;
  readonly component: string;
  readonly set: string;
  /** False where the set no longer selects the machine and removes the component from it. */
  readonly selected: boolean;
  readonly need: 'None' | 'Join' | 'Move' | 'Remove';
  /** The entry to write for that need, still without rollout, batch and time. */
  readonly wanted: MachineComponentEntry | undefined;
  /** Why it can't be moved now, whatever the rollout says; undefined: it can. */
  readonly blocked: string | undefined;
  /** A person has paused the machine. */
  readonly paused: boolean;
  /** There is an entry. */
  readonly assigned: boolean;
  /** The entry is there, and it is what the set asks for. */
  readonly updated: boolean;
  /** The agent reported the revision Ready after the machine was moved to it. */
  readonly ready: boolean;
  readonly failed: boolean;
  /** It failed, and its agent will not try again by itself. */
  readonly gaveUp: boolean;
  /** It says by itself that the component does not work; not so while it is silent or on its way. */
  readonly wrong: boolean;
  readonly unreachable: boolean;
  readonly drifted: boolean;
  /** It ran the component, and does not do so as it should: it takes from maxUnavailable. */
  readonly unavailable: boolean;
  /** It never ran the component: giving it one disturbs nothing. */
  readonly fresh: boolean;
  /** Rollout and batch of the present entry; undefined for one that joined. */
  readonly rollout: string | undefined;
  readonly batch: number | undefined;
  /** When the present entry was written, epoch milliseconds; 0 where there is none. */
  readonly movedAt: number;
  /** From when its deadline runs, epoch milliseconds: its move, or leave to disturb the machine; Infinity while it waits for the budget and reports. */
  readonly dueFrom: number;
  /** What else is wrong on the machine; looked for only where a rollout brought the entry. */
  readonly troubles: readonly Trouble[];
  /** Value of the label that batches are spread over. */
  readonly spread: string;
  /** For people: where the machine stands, such as `Failed: probe socket: ...`. */
  readonly stands: string;
}

/** `undefined`: no set has anything to say about the component on this machine, so it stays as it is. */
export function memberOf(
  machine: MachineView,
  component: string,
  decision: Decision | undefined,
  setNamed: (name: string) => SetView | undefined,
  targetsOf: (set: SetView) => Targets,
): Member | undefined {
  const entry = machine.entries.find((e) => e.name === component);
  if (machine.deleting || decision?.kind === 'Tie') return undefined;
  const set = decision?.set ?? leavingSet(entry, component, setNamed);
  if (set === undefined) return undefined;
  const status = machine.components.get(component);
  const wish =
    decision === undefined ? wishToRemove(entry) : wishOf(machine, set, entry, status, targetsOf(set));
  return {
    machine: machine.name,
    component,
    set: set.name,
    selected: decision !== undefined,
    ...wish,
    blocked: machine.paused ? 'the machine is paused' : (wish.blocked ?? unheard(machine)),
    paused: machine.paused,
    assigned: entry !== undefined,
    ...health(machine, entry, status),
    rollout: entry?.rollout,
    batch: entry?.batch,
    movedAt: Date.parse(entry?.movedAt ?? '') || 0,
    dueFrom: dueFrom(machine, entry, status),
    troubles: entry?.rollout === undefined ? [] : troublesOf(machine, component),
    spread: set.rollout.spread === undefined ? '' : (machine.labels[set.rollout.spread] ?? ''),
  };
}

/** A machine that falls silent while it waits is not waited for without end: the budget is not asked for it any more. */
function dueFrom(
  { leave, silentSince }: MachineView,
  entry: MachineComponentEntry | undefined,
  status: ComponentView | undefined,
): number {
  const asks = status?.asks !== undefined && entry !== undefined && isEcho(entry, status);
  const isWaiting = asks && leave?.waits !== false;
  if (isWaiting && silentSince === undefined) return Number.POSITIVE_INFINITY;
  const from = isWaiting ? silentSince : leave?.since;
  return Math.max(Date.parse(entry?.movedAt ?? '') || 0, from ?? 0);
}

/** The set that brought an entry and wants it removed, now that no set selects the machine any more. */
function leavingSet(
  entry: MachineComponentEntry | undefined,
  component: string,
  setNamed: (name: string) => SetView | undefined,
): SetView | undefined {
  if (entry?.set === undefined) return undefined;
  const set = setNamed(entry.set);
  if (set === undefined || set.component !== component) return undefined;
  return set.removal === 'Remove' || entry.state === 'Absent' ? set : undefined;
}

type Wish = Pick<Member, 'need' | 'wanted' | 'updated' | 'blocked'>;

function wishToRemove(entry: MachineComponentEntry | undefined): Wish {
  const blocked = undefined;
  if (entry === undefined || entry.state === 'Absent') {
    return { need: 'None', wanted: undefined, updated: true, blocked };
  }
  return { need: 'Remove', wanted: { ...entry, state: 'Absent' }, updated: false, blocked };
}

function wishOf(
  machine: MachineView,
  set: SetView,
  entry: MachineComponentEntry | undefined,
  status: ComponentView | undefined,
  targets: Targets,
): Wish {
  const { update, completed } = targets;
  const none: Wish = { need: 'None', wanted: undefined, updated: false, blocked: undefined };
  if (update === undefined && (completed === undefined || entry !== undefined)) return none;
  const resolved = resolveVariables(set.variables, machine.labels, entry?.variables);
  if ('missing' in resolved) {
    const blocked = `variable ${resolved.missing} has no value: the machine has no label ${resolved.label}, and the variable no default`;
    return { ...none, need: entry === undefined ? 'Join' : 'Move', blocked };
  }
  const wantedOf = (target: Target): MachineComponentEntry => ({
    name: set.component,
    revision: target.revision,
    revisionUID: target.uid,
    set: set.name,
    ...(Object.keys(resolved.values).length === 0 ? {} : { variables: resolved.values }),
    drift: set.drift,
    ...(set.retryToken === '' ? {} : { retryToken: set.retryToken }),
    state: 'Present',
  });
  if (entry === undefined) {
    // What runs there already was brought by an entry that got lost (the Machine was made anew): it moves only as others do.
    const runs = status?.running;
    if (completed !== undefined && (runs === undefined || runs === completed.revision)) {
      return { ...none, need: 'Join', wanted: wantedOf(completed) };
    }
    if (update === undefined) return none;
    return { ...none, need: runs === update.revision ? 'Join' : 'Move', wanted: wantedOf(update) };
  }
  if (update === undefined) return none;
  const wanted = wantedOf(update);
  if (runsTheSame(entry, wanted)) return { ...none, updated: true };
  return { ...none, need: 'Move', wanted };
}

/** Nothing that the host would act on differs. To let go (Report) needs no rollout; to begin repairing does. */
function runsTheSame(entry: MachineComponentEntry, wanted: MachineComponentEntry): boolean {
  return (
    entry.state === wanted.state &&
    entry.revision === wanted.revision &&
    entry.revisionUID === wanted.revisionUID &&
    sameValues(entry.variables, wanted.variables) &&
    !(entry.drift === 'Report' && wanted.drift === 'Repair')
  );
}

function unheard(machine: MachineView): string | undefined {
  if (machine.agent === 'None') return 'its agent was not heard of yet';
  return machine.agent === 'Silent' ? 'its agent does not report' : undefined;
}

type Health = Pick<
  Member,
  'ready' | 'failed' | 'gaveUp' | 'wrong' | 'unreachable' | 'drifted' | 'unavailable' | 'fresh' | 'stands'
>;

function health(
  machine: MachineView,
  entry: MachineComponentEntry | undefined,
  status: ComponentView | undefined,
): Health {
  const unreachable = machine.agent !== 'Alive';
  const fresh = status?.lastGood === undefined && status?.running === undefined;
  if (entry === undefined) {
    return {
      ready: false,
      failed: false,
      gaveUp: false,
      wrong: false,
      unreachable,
      drifted: false,
      unavailable: false,
      fresh,
      stands: '',
    };
  }
  const ready = !unreachable && isReady(entry, status);
  const failed =
    !ready &&
    entry.state === 'Present' &&
    status !== undefined &&
    status.failedRevision === entry.revision &&
    status.state !== 'Installing' &&
    isEcho(entry, status);
  const drifted = entry.drift === 'Report' && status?.incorrect === true;
  const unavailable = !ready && (unreachable || failed || !fresh);
  const isEchoed = status !== undefined && isEcho(entry, status);
  return {
    ready,
    failed,
    gaveUp: failed && status?.retryAt === undefined && status?.state === 'Failed',
    wrong: !unreachable && isEchoed && isWrong(status.state),
    unreachable,
    drifted,
    unavailable,
    fresh,
    stands: stands(machine, entry, status),
  };
}

function isReady(entry: MachineComponentEntry, status: ComponentView | undefined): boolean {
  return (
    entry.state === 'Present' &&
    status?.state === 'Ready' &&
    status.running === entry.revision &&
    isEcho(entry, status)
  );
}

/** The report was made about this very move, told by its millisecond: A, B and A again must not read the health of the first A. */
function isEcho(entry: MachineComponentEntry, status: ComponentView): boolean {
  return (
    entry.movedAt === undefined ||
    (status.movedAt !== undefined && Date.parse(status.movedAt) === Date.parse(entry.movedAt))
  );
}

function stands(
  machine: MachineView,
  entry: MachineComponentEntry,
  status: ComponentView | undefined,
): string {
  if (machine.agent !== 'Alive') return unheard(machine) ?? '';
  if (status === undefined || !isEcho(entry, status)) return 'told, not begun yet';
  const step =
    status.state === 'Failed' && status.failedStep !== undefined ? ` at step ${status.failedStep}` : '';
  return `${status.state}${step}${status.message === '' ? '' : `: ${status.message}`}`;
}

/**
 * The agent has removed the component: its report is about this state of the Machine, and the component no longer stands in it.
 * Only then an entry leaves the list.
 */
export function isRemoved(machine: MachineView, entry: MachineComponentEntry): boolean {
  return (
    entry.state === 'Absent' &&
    !machine.components.has(entry.name) &&
    machine.agent === 'Alive' &&
    machine.agentGeneration >= machine.generation
  );
}

/** Nothing differs that a rollout looks at. */
export function isSameMember(a: Member, b: Member): boolean {
  return (
    a.set === b.set &&
    a.selected === b.selected &&
    a.need === b.need &&
    a.blocked === b.blocked &&
    a.paused === b.paused &&
    a.assigned === b.assigned &&
    a.updated === b.updated &&
    a.ready === b.ready &&
    a.failed === b.failed &&
    a.gaveUp === b.gaveUp &&
    a.wrong === b.wrong &&
    a.unreachable === b.unreachable &&
    a.drifted === b.drifted &&
    a.unavailable === b.unavailable &&
    a.fresh === b.fresh &&
    a.rollout === b.rollout &&
    a.batch === b.batch &&
    a.movedAt === b.movedAt &&
    a.dueFrom === b.dueFrom &&
    a.spread === b.spread &&
    a.stands === b.stands &&
    // Most often both are empty; where they are not, a new object each time: then compared as they would be written.
    sameJSON(a.troubles, b.troubles) &&
    sameJSON(a.wanted, b.wanted)
  );
}

function sameJSON(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
