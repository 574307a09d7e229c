import type { MachineComponentStatus, Machine as MachineObject } from '@kubenode/api';
import type { Goal } from './goal.ts';
import type { Changes } from './operation.ts';

/** What is done to a machine that somebody may notice; each covers those before it. */
export type Disturbance = NonNullable<MachineComponentStatus['asks']>;

/** Leave to disturb this machine, as the disruption controller wrote it into the Machine's status. */
export interface Leave {
  /** Tells one leave from another. */
  readonly id: string;
  readonly kind: Disturbance;
  readonly state: NonNullable<NonNullable<MachineObject['status']>['disruption']>['state'];
  readonly message?: string;
}

const order: readonly Disturbance[] = ['Restart', 'Drain', 'Reboot'];

/** The strongest of several; undefined of none. */
export function strongest(kinds: readonly (Disturbance | undefined)[]): Disturbance | undefined {
  return order.findLast((kind) => kinds.includes(kind));
}

/** Whether this leave allows to disturb the machine so much now. */
export function allows(leave: Leave | undefined, kind: Disturbance): leave is Leave {
  return leave?.state === 'Granted' && order.indexOf(leave.kind) >= order.indexOf(kind);
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

const deeds: Readonly<Record<Disturbance, string>> = {
  Restart: 'restart it while it is healthy',
  Drain: 'disturb a drained machine',
  Reboot: 'reboot the machine',
};

/** What a wait for leave is for, and how it stands; for people. */
export function describeWait(kind: Disturbance, leave: Leave | undefined): string {
  const waits = `waits for leave to ${deeds[kind]}`;
  if (leave === undefined) return `${waits}: asked for in status.components[].asks`;
  const how = leave.message === undefined || leave.message === '' ? '' : `: ${leave.message}`;
  return `${waits}; leave for ${leave.kind} is ${leave.state}${how}`;
}
