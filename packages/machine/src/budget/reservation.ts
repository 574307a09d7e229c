import type { Denial, Reservation, Want } from './budget.ts';

/** Those that wait for one write of the ledger. */
export type Batch = PromiseWithResolvers<boolean>;

/** Of a ledger that grants nothing. */
export function refusal(wants: readonly Want[], denied: Denial): Reservation {
  return {
    granted: [],
    denied: wants.length === 0 ? undefined : denied,
    written: () => Promise.resolve(false),
  };
}

/** True once it is written; false as soon as it is known that it is not, or nobody waits any more. */
export function outcome(batch: Batch | undefined, signal: AbortSignal): Promise<boolean> {
  if (batch === undefined) return Promise.resolve(!signal.aborted);
  if (signal.aborted) return Promise.resolve(false);
  const ended = Promise.withResolvers<boolean>();
  const stop = (): void => ended.resolve(false);
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([batch.promise, ended.promise]).finally(() =>
    signal.removeEventListener('abort', stop),
  );
}
