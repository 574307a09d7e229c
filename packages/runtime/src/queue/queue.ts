import type { BackoffOptions, Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';

export interface AddOptions {
  /** Higher goes first. @default 0 */
  readonly priority?: number;
  /** Not before so many milliseconds from now. An earlier time that is already set stays. */
  readonly afterMs?: number;
  /** Wait by the key's own failures, and count one more. */
  readonly rateLimited?: boolean;
}

export interface QueueOptions {
  /** @default { baseMs: 100, maxMs: 300_000 } */
  readonly backoff?: BackoffOptions;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Keys waiting to be worked on: each at most once, however often it was added; and no key is with two workers at once. A key added
 * while it is worked on comes again after `done`.
 */
export interface Queue {
  add(key: string, options?: AddOptions): void;
  /** The next key. Every key taken must be given back with `done`. Rejects with the signal's reason. */
  get(signal: AbortSignal): Promise<string>;
  done(key: string): void;
  /** The key did well: its failures are forgotten. */
  forget(key: string): void;
  /** Failures in a row of a key. */
  failures(key: string): number;
  /** Ready to be taken. */
  readonly length: number;
  /** Waiting for their time. */
  readonly delayed: number;
  /** Taken and not done. */
  readonly active: number;
  /** Drops everything that waits, and all timers. */
  close(): void;
}

export declare function queue(options?: QueueOptions): Queue;
