import type { MachineComponentEntry } from '@kubenode/api';
import { type Health, healthOf, isEcho, unheard } from './health.ts';
import type { Decision } from './select.ts';
import { type Trouble, troublesOf } from './trouble.ts';
import type { ComponentView, MachineView, SetView } from './view.ts';
import { type Targets, type Wish, wishOf, wishToRemove } from './wish.ts';

/** One machine in one set, with all that the rollout needs to know of it. */
export interface Member extends Wish, Health {
  readonly machine: string;
  readonly component: string;
  readonly set: string;
  /** False where the set no longer selects the machine and removes the component from it. */
  readonly selected: boolean;
  /** A person has paused the machine. */
  readonly paused: boolean;
  /** There is an entry. */
  readonly assigned: boolean;
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
    ...healthOf(machine, entry, status),
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
