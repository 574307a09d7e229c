/** Time as the code sees it, so that tests can turn it. */
export interface Clock {
  /** Wall clock, epoch milliseconds. May jump. For what is shown or compared with others' times. */
  now(): number;
  /** Milliseconds from some start, never jumping. For everything that is waited or measured. */
  monotonic(): number;
  /** Calls back once after `ms` (0 or more), unless disposed of before. */
  after(ms: number, call: () => void): Disposable;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout takes no more: 24.8 days. */
const longest = 2 ** 31 - 1;

/** The real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, call) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer = setTimeout(() => (left > longest ? arm(left - longest) : call()), Math.min(left, longest));
    };
    arm(ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  sleep(ms, signal) {
    return sleepWith(systemClock, ms, signal);
  },
};

/** `sleep` in terms of `after`. */
export function sleepWith(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      timer[Symbol.dispose]();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
