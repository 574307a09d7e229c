import type { NodeDisruptionBudget, NodeDisruptionBudgetStatus } from '@kubenode/api';
import { setCondition } from '@kubenode/runtime';
import { activeOf, type Counts, forbidden, reasons, spent, tooManyAtOnce, unhealthyOf } from './limits.ts';

/** The status to write: the ledger, the counters, and whether anything may begin. @param ledger settled at `now` */
export function judged(
  { metadata, spec, status }: NodeDisruptionBudget,
  ledger: NodeDisruptionBudgetStatus,
  counts: Counts,
  now: number,
): NodeDisruptionBudgetStatus {
  const active = activeOf(ledger);
  const denial =
    forbidden(spec, ledger, counts, now) ??
    spent(spec, ledger, counts, now) ??
    (counts.machines === 0 ? undefined : tooManyAtOnce(spec, counts, active));
  const observedGeneration = metadata.generation ?? 0;
  const verdict =
    denial === undefined
      ? ({ status: 'True', reason: 'Open', message: 'Disruptions may begin.' } as const)
      : ({
          status: 'False',
          reason: reasons[denial.limit] ?? 'Denied',
          message: denial.message.slice(0, 1024),
        } as const);
  return {
    ...ledger,
    observedGeneration,
    machines: counts.machines,
    unhealthy: unhealthyOf(counts, active),
    active: active.machines.size,
    conditions: [...setCondition(status?.conditions, { type: 'Ready', ...verdict, observedGeneration }, now)],
  };
}

/** Milliseconds until the ledger opens or a grant runs out, whichever is first; Infinity where neither is known. */
export function nextRelief({ deniedUntil, grants = [] }: NodeDisruptionBudgetStatus, now: number): number {
  const times = grants.map(({ until }) => Date.parse(until));
  if (deniedUntil !== undefined) times.push(Date.parse(deniedUntil));
  return Math.min(Infinity, ...times) - now;
}
