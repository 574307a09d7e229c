import type { MachineDisruption, NodeDisruptionBudgetSpec } from '@kubenode/api';
import { parseDuration, timestamp } from '@kubenode/runtime';
import type { Denial } from '../budget/budget.ts';

export type DisruptionKind = MachineDisruption['kind'];
/** What is written: `since` follows from what stood there before. */
export type NextLeave = Omit<MachineDisruption, 'since'>;

const longestReason = 900;

/** The budget allows none now. */
export function waiting(
  before: MachineDisruption | undefined,
  kind: DisruptionKind,
  id: string,
  denied: Denial,
): NextLeave {
  const message = `Waits for the NodeDisruptionBudget (${denied.limit}): ${denied.message}`;
  return { kind, state: 'Waiting', id, message, ...until(denied.until), ...history(before) };
}

/** Its Node is cordoned, and pods are being moved away. @param now epoch milliseconds */
export function draining(
  before: MachineDisruption | undefined,
  kind: DisruptionKind,
  id: string,
  { node, spec }: { node: string; spec: NodeDisruptionBudgetSpec },
  now: number,
): NextLeave {
  const message = `Node ${node} is cordoned and drained.`;
  const ends = now + parseDuration(spec.drain.timeout);
  return { kind, state: 'Draining', id, message, ...until(ends), ...begun(before, now) };
}

/** The same, with what is in the way. @param ends epoch milliseconds */
export function stillDraining(
  leave: MachineDisruption,
  node: string,
  reasons: string,
  ends: number,
  then: string,
): NextLeave {
  const waits =
    reasons === ''
      ? `Node ${node} is cordoned; waits for its pods to end`
      : `The drain of Node ${node} is held up: ${reasons}`;
  const message = `${waits.slice(0, longestReason)}. At ${timestamp(ends)} ${then}.`;
  return { ...leave, message, ...until(ends) };
}

/** The agent may act. @param from when the time that the grant is for began: the drain is part of it. Epoch milliseconds */
export function granted(
  before: MachineDisruption | undefined,
  kind: DisruptionKind,
  id: string,
  spec: NodeDisruptionBudgetSpec,
  from: number,
  now: number,
): NextLeave {
  const ends = from + parseDuration(spec.grantTimeout);
  const { begunAt } = begun(before, now);
  return { kind, state: 'Granted', id, message: `The agent may go on (${kind}).`, ...until(ends), begunAt };
}

/** The agent may not act any more, and the machine is put back to work. */
export function ending(leave: MachineDisruption, message: string): NextLeave {
  return { ...leave, state: 'Ending', message };
}

const retry = { firstMs: 300_000, longestMs: 3_600_000 };

/** How long after it was given up it is asked again, milliseconds. @param aborts how often in a row, this time included */
export function retryAfter(aborts: number): number {
  return Math.min(retry.firstMs * 2 ** (aborts - 1), retry.longestMs);
}

/** It is given up, and tried again after a while. @param now epoch milliseconds */
export function aborted(
  leave: MachineDisruption,
  why: 'Drain' | 'Expired',
  node: string | undefined,
  now: number,
): NextLeave {
  const aborts = (leave.aborts ?? 0) + 1;
  const again = now + retryAfter(aborts);
  const reason =
    why === 'Drain'
      ? `The drain of Node ${node ?? ''} did not end in time. ${leave.message?.replace(/ At \S+ [^.]*\.$/, '') ?? ''}`
      : 'The agent did not use its leave before it ran out.';
  const message = `${reason} The Node is put back to work; it is tried again at ${timestamp(again)}.`;
  const { kind, id } = leave;
  return { kind, state: 'Aborted', id, message, ...until(again), ...begun(leave, now), aborts };
}

/** What is kept of the tries before, since they are given up and begun again in a row. */
function history({
  begunAt,
  aborts,
}: Partial<MachineDisruption> = {}): Pick<MachineDisruption, 'begunAt' | 'aborts'> {
  return { ...(begunAt === undefined ? {} : { begunAt }), ...(aborts === undefined ? {} : { aborts }) };
}

function begun(
  before: MachineDisruption | undefined,
  now: number,
): { begunAt: string } & Pick<MachineDisruption, 'aborts'> {
  return { begunAt: timestamp(now), ...history(before) };
}

function until(time: number | undefined): { until?: string } {
  return time === undefined ? {} : { until: timestamp(time) };
}
