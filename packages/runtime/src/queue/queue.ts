import { type BackoffOptions, backoffMs, type Random } from '../clock/backoff.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import { heap } from './heap.ts';
import { ready } from './ready.ts';

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

const defaultBackoff: BackoffOptions = { baseMs: 100, maxMs: 300_000 };

/** What a key that isn't ready waits for. */
interface Due {
  readonly priority: number;
  /** On the monotonic clock. */
  readonly at: number;
}

export function queue(options: QueueOptions = {}): Queue {
  const clock = options.clock ?? systemClock;
  const backoff = options.backoff ?? defaultBackoff;
  const random = options.random ?? Math.random;
  const waiting = ready();
  const delayed = new Map<string, Due>();
  /** Taken; with what came for the key meanwhile. */
  const active = new Map<string, Due | undefined>();
  const failures = new Map<string, number>();
  const takers = new Set<(key: string) => void>();
  /** May hold outdated times of a key: `delayed` says which counts. */
  const times = heap<{ readonly key: string; readonly at: number }>((a, b) => a.at < b.at);
  let timer: { readonly at: number; readonly handle: Disposable } | undefined;
  let closed = false;

  const makeReady = (key: string, priority: number): void => {
    delayed.delete(key);
    waiting.add(key, priority);
    const [taker] = takers;
    if (taker === undefined) return;
    takers.delete(taker);
    taker(take());
  };
  const take = (): string => {
    const key = waiting.take();
    if (key === undefined) throw new Error('the queue is empty');
    active.set(key, undefined);
    return key;
  };

  const arm = (): void => {
    const next = times.peek();
    if (next === undefined || (timer !== undefined && timer.at <= next.at)) return;
    timer?.handle[Symbol.dispose]();
    timer = { at: next.at, handle: clock.after(Math.max(0, next.at - clock.monotonic()), ring) };
  };
  const ring = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    for (let next = times.peek(); next !== undefined && next.at <= now; next = times.peek()) {
      times.pop();
      const due = delayed.get(next.key);
      if (due !== undefined && due.at <= now) makeReady(next.key, due.priority);
    }
    arm();
  };

  const place = (key: string, due: Due): void => {
    if (waiting.has(key)) {
      // A time to come is no reason to do later, or sooner than others, what is to be done now.
      if (due.at <= clock.monotonic()) waiting.add(key, due.priority);
      return;
    }
    const old = delayed.get(key);
    const merged = old === undefined ? due : sooner(old, due);
    if (merged.at <= clock.monotonic()) {
      makeReady(key, merged.priority);
      return;
    }
    delayed.set(key, merged);
    if (merged.at !== old?.at) {
      times.push({ key, at: merged.at });
      arm();
    }
  };

  return {
    add(key, { priority = 0, afterMs = 0, rateLimited = false } = {}) {
      if (closed) return;
      let delay = Math.max(0, afterMs);
      if (rateLimited) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        delay = Math.max(delay, backoffMs(backoff, count, random));
      }
      const due = { priority, at: clock.monotonic() + delay };
      if (!active.has(key)) {
        place(key, due);
        return;
      }
      const meanwhile = active.get(key);
      active.set(key, meanwhile === undefined ? due : sooner(meanwhile, due));
    },
    get(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (waiting.size > 0) return Promise.resolve(take());
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          takers.delete(taker);
          reject(signal.reason);
        };
        const taker = (key: string): void => {
          signal.removeEventListener('abort', abort);
          resolve(key);
        };
        takers.add(taker);
        signal.addEventListener('abort', abort, { once: true });
      });
    },
    done(key) {
      const meanwhile = active.get(key);
      active.delete(key);
      if (meanwhile !== undefined && !closed) place(key, meanwhile);
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
    get length() {
      return waiting.size;
    },
    get delayed() {
      return delayed.size;
    },
    get active() {
      return active.size;
    },
    close() {
      closed = true;
      waiting.clear();
      delayed.clear();
      times.clear();
      failures.clear();
      timer?.handle[Symbol.dispose]();
      timer = undefined;
    },
  };
}

function sooner(a: Due, b: Due): Due {
  return { priority: Math.max(a.priority, b.priority), at: Math.min(a.at, b.at) };
}
