import {
  agentUnreachable,
  type Machine,
  type MachineDisruption,
  type NodeDisruptionBudgetSpec,
} from '@kubenode/api';
import { findCondition, isTrue, parseDuration } from '@kubenode/runtime';
import type { NodeView } from '../machine/node.ts';
import { cordonOf } from './cordon.ts';
import type { DisruptionKind } from './leave.ts';

/** What a machine's disruption is decided by. */
export interface Situation {
  readonly name: string;
  /** undefined: it is gone. */
  readonly machine: Machine | undefined;
  /** Its Node; undefined: it has none. */
  readonly node: NodeView | undefined;
  /** The ledger has a grant for it. */
  readonly isHeld: boolean;
  readonly spec: NodeDisruptionBudgetSpec;
  /** Since this process saw that nothing asks any more, milliseconds. */
  readonly quietMs: number;
}

/** The next thing to do. `afterMs`: how long nothing has to be looked at. */
export type Step =
  | { readonly do: 'Nothing' }
  | { readonly do: 'Rest'; readonly afterMs?: number }
  /** Ask the budget, and begin where it grants. */
  | { readonly do: 'Ask'; readonly kind: DisruptionKind }
  /** Cordon, evict, and grant when no pod is left. */
  | {
      readonly do: 'Drain';
      readonly leave: MachineDisruption;
      readonly byForce: boolean;
      readonly until: number;
    }
  | { readonly do: 'Abort'; readonly leave: MachineDisruption; readonly why: 'Drain' | 'Expired' }
  /** Take back the leave: the agent may not act any more. */
  | { readonly do: 'End'; readonly leave: MachineDisruption; readonly message: string }
  /** Uncordon and give back the grant; then, where it says so, forget the leave. */
  | { readonly do: 'PutBack'; readonly forget: boolean };

/** A machine that nothing asks for any more and that does not become Ready goes back to work all the same. Milliseconds. */
export const settleMs = 600_000;

const order: readonly DisruptionKind[] = ['Restart', 'Drain', 'Reboot'];

/** The strongest that its components wait for; undefined: none. */
export function asked({ metadata, status }: Machine): DisruptionKind | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const kinds = (status?.components ?? []).map(({ asks }) => asks);
  return order.findLast((kind) => kinds.includes(kind));
}

export function isStronger(a: DisruptionKind, b: DisruptionKind): boolean {
  return order.indexOf(a) > order.indexOf(b);
}

/** @param now epoch milliseconds */
export function planDisruption(situation: Situation, now: number): Step {
  const { name, machine, node, isHeld } = situation;
  const isCordoned = node !== undefined && cordonOf(node)?.machine === name;
  const hasTraces = isCordoned || isHeld;
  if (machine === undefined) return hasTraces ? { do: 'PutBack', forget: false } : { do: 'Nothing' };
  if (machine.spec.paused) return { do: 'Rest' };
  const leave = machine.status?.disruption;
  const kind = asked(machine);
  switch (leave?.state) {
    case undefined:
      if (isCordoned || (isHeld && kind === undefined)) return { do: 'PutBack', forget: false };
      return kind === undefined ? { do: 'Nothing' } : ask(machine, kind);
    case 'Waiting':
      return kind === undefined ? { do: 'PutBack', forget: true } : ask(machine, kind);
    case 'Draining':
      return planDraining(situation, leave, kind, now);
    case 'Granted':
      return planGranted(situation, machine, leave, kind, now);
    case 'Ending':
      return { do: 'PutBack', forget: true };
    case 'Aborted':
  }
  if (kind === undefined || hasTraces) return { do: 'PutBack', forget: kind === undefined };
  const left = Date.parse(leave.until ?? leave.since) - now;
  return left > 0 ? { do: 'Rest', afterMs: left } : ask(machine, kind);
}

/** What an agent asked before it fell silent may be done long ago. */
function ask({ status }: Machine, kind: DisruptionKind): Step {
  const isSilent = findCondition(status?.conditions, 'Ready')?.reason === agentUnreachable;
  return isSilent ? { do: 'Rest' } : { do: 'Ask', kind };
}

function planDraining(
  { spec }: Situation,
  leave: MachineDisruption,
  kind: DisruptionKind | undefined,
  now: number,
): Step {
  if (kind === undefined) {
    return { do: 'End', leave, message: 'Nothing asks for it any more; the machine is put back to work.' };
  }
  const timeoutMs = parseDuration(spec.drain.timeout);
  const since = Date.parse(leave.since);
  const takes = now - since;
  const stronger = isStronger(kind, leave.kind) ? { ...leave, kind } : leave;
  if (takes < timeoutMs) {
    return { do: 'Drain', leave: stronger, byForce: false, until: since + timeoutMs };
  }
  // Pods that were deleted have their grace period, and then as long again as the drain had.
  return spec.drain.onTimeout === 'Force' && takes < 2 * timeoutMs
    ? { do: 'Drain', leave: stronger, byForce: true, until: since + 2 * timeoutMs }
    : { do: 'Abort', leave, why: 'Drain' };
}

function planGranted(
  { node, quietMs }: Situation,
  machine: Machine,
  leave: MachineDisruption,
  kind: DisruptionKind | undefined,
  now: number,
): Step {
  if (kind === undefined) {
    if (leave.kind === 'Restart' || isBack(machine, node)) {
      return { do: 'End', leave, message: 'It is done; the machine is put back to work.' };
    }
    if (quietMs >= settleMs) {
      const message =
        'It is done, but the machine did not become Ready in time; it is put back to work all the same.';
      return { do: 'End', leave, message };
    }
    return { do: 'Rest', afterMs: settleMs - quietMs };
  }
  if (isStronger(kind, leave.kind)) return { do: 'Ask', kind };
  const left = leave.until === undefined ? Infinity : Date.parse(leave.until) - now;
  if (left <= 0) return { do: 'Abort', leave, why: 'Expired' };
  return Number.isFinite(left) ? { do: 'Rest', afterMs: left } : { do: 'Rest' };
}

/** Its components work, and its Node, as it runs since the last boot that the agent knows of. */
function isBack({ spec, status }: Machine, node: NodeView | undefined): boolean {
  if (!isTrue(status?.conditions, 'ComponentsReady')) return false;
  if (spec.nodeName === undefined) return true;
  if (node?.ready?.status !== 'True') return false;
  const bootID = status?.host?.bootID;
  return bootID === undefined || node.bootID === undefined || node.bootID === '' || node.bootID === bootID;
}
