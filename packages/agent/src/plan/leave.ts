import type { MachineComponentStatus, Machine as MachineObject } from '@kubenode/api';

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
