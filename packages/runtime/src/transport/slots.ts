/** So many at once; the others wait in order. */
export interface Slots {
  /** Resolves with what gives the slot back (once). Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export function slots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();
  const give = (): void => {
    const [next] = waiting;
    if (next === undefined) free++;
    else next();
  };
  const once = (): (() => void) => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      give();
    };
  };
  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (free > 0) {
        free--;
        return Promise.resolve(once());
      }
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          waiting.delete(turn);
          reject(signal.reason);
        };
        const turn = (): void => {
          waiting.delete(turn);
          signal.removeEventListener('abort', abort);
          resolve(once());
        };
        waiting.add(turn);
        signal.addEventListener('abort', abort, { once: true });
      });
    },
  };
}
