/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number;

/** Exponential backoff with full jitter above a floor. All milliseconds. */
export interface BackoffOptions {
  /** Before the second try. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** @default 2 */
  readonly factor?: number;
  /** Which part of the wait is random, 0 to 1. @default 0.5 */
  readonly jitter?: number;
}

/** How long to wait after so many failures in a row (1 or more). */
export function backoffMs(options: BackoffOptions, failures: number, random: Random = Math.random): number {
  const factor = options.factor ?? 2;
  const jitter = options.jitter ?? 0.5;
  const full = Math.min(options.maxMs, options.baseMs * factor ** Math.max(0, failures - 1));
  return full * (1 - jitter) + full * jitter * random();
}
