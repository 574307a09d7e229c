import type { Clock } from './clock.ts';

/** An abort signal of one's own, ended by a parent signal, a deadline, or by hand. Dispose of it when the work is done. */
export interface Scope extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

export interface ScopeOptions {
  readonly parent?: AbortSignal | undefined;
  readonly clock?: Pick<Clock, 'after'>;
  /** Milliseconds until it ends with `timeout()` as its reason. */
  readonly timeoutMs?: number;
  readonly timeout?: () => unknown;
}

/** Unlike AbortSignal.any it leaves nothing behind at a long-lived parent once it is disposed of. */
export function scope({ parent, clock, timeoutMs, timeout }: ScopeOptions): Scope {
  const own = new AbortController();
  const follow = (): void => own.abort(parent?.reason);
  if (parent?.aborted === true) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  const timer =
    clock === undefined || timeoutMs === undefined
      ? undefined
      : clock.after(timeoutMs, () => own.abort(timeout?.() ?? new Error(`not done within ${timeoutMs} ms`)));
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      parent?.removeEventListener('abort', follow);
    },
  };
}
