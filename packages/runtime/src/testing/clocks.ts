import { type Clock, systemClock } from '../clock/clock.ts';

/** The real clock, except that waits are noted and take no time. */
export interface HastyClock extends Clock {
  readonly waits: readonly number[];
}

export function hastyClock(): HastyClock {
  const waits: number[] = [];
  return {
    ...systemClock,
    waits,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      await new Promise<void>((resolve) => void setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}
