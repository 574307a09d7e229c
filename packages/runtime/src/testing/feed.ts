/** An async iterable fed by hand. */
export interface Feed<T> {
  /** Resolves when the reader has taken all and asks for more. */
  push(...items: T[]): Promise<void>;
  /** Ends with the signal. */
  read(signal: AbortSignal): AsyncGenerator<T, void, undefined>;
}

export function feed<T>(): Feed<T> {
  const items: T[] = [];
  let wakeReader = (): void => undefined;
  let drained = (): void => undefined;
  return {
    push(...more) {
      items.push(...more);
      const done = new Promise<void>((resolve) => {
        drained = resolve;
      });
      wakeReader();
      return done;
    },
    async *read(signal) {
      const stop = (): void => wakeReader();
      signal.addEventListener('abort', stop, { once: true });
      while (!signal.aborted) {
        const item = items.shift();
        if (item !== undefined) {
          yield item;
          continue;
        }
        drained();
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    },
  };
}
