/** Those who wait for something, each with what it waits for. */
export interface Waiters<T> {
  readonly size: number;
  wait(what: T, signal?: AbortSignal): Promise<void>;
  /** Lets all go for whom it came. */
  release(came: (what: T) => boolean): void;
}

export function waiters<T>(): Waiters<T> {
  const waiting = new Set<{ readonly what: T; readonly go: () => void }>();
  return {
    get size() {
      return waiting.size;
    },
    wait(what, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        const abort = (): void => {
          waiting.delete(waiter);
          reject(signal?.reason);
        };
        const waiter = {
          what,
          go: () => {
            waiting.delete(waiter);
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        waiting.add(waiter);
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    release(came) {
      for (const waiter of waiting) if (came(waiter.what)) waiter.go();
    },
  };
}
