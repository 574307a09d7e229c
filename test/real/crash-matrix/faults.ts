/** How a test tells an agent that was built for it where to end, and how that agent tells what it does. */
import type { OperationKind, StepName } from '../../../packages/agent/src/plan/operation.ts';

/** A place between two instructions of the agent: a step is journalled and not begun, or is done and that is not journalled yet. */
export interface FaultPoint {
  readonly when: 'before' | 'after';
  readonly component: string;
  readonly kind: OperationKind;
  readonly step: StepName;
}

export interface Fault extends FaultPoint {
  /** The agent kills itself by SIGKILL, or stands still until the power is gone. */
  readonly effect: 'kill' | 'hold';
}

/** A folder of the test's machine that the host sees: neither a reboot nor a power loss takes away what is in it. */
export const faultFolder = '/kubenode-fault';
/** In it: the fault that is wanted, taken away by the agent that comes to it: once. */
export const faultFile = 'wanted.json';
/** Every point that an agent came by, one a line. */
export const traceFile = 'trace';
/** Is there when an agent stands still. */
export const heldFile = 'held';

export function isSamePoint(a: FaultPoint, b: FaultPoint): boolean {
  return a.when === b.when && a.component === b.component && a.kind === b.kind && a.step === b.step;
}
