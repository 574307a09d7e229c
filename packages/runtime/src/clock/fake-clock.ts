import { type Clock, sleepWith } from './clock.ts';

/** A clock that moves when told, for tests. */
export interface FakeClock extends Clock {
  /**
   * Moves on, firing what falls due in order, and lets promises settle in between. Resolves when that is done.
   */
  advance(ms: number): Promise<void>;
  /** Jumps the wall clock alone, as when somebody sets it: no timer fires. */
  jump(ms: number): void;
  /** Timers that wait. */
  readonly waiting: number;
  /** Milliseconds until the next timer; undefined when none waits. */
  readonly next: number | undefined;
}

/** Turns of the event loop that `advance` gives after each timer, so that chains of promises end; more than any chain here needs. */
const turns = 4;

/** @param startMs epoch milliseconds. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  let wall = startMs;
  let order = 0;
  const timers = new Set<{ at: number; order: number; call: () => void }>();
  const first = () => {
    let least: { at: number; order: number; call: () => void } | undefined;
    for (const timer of timers) {
      if (least === undefined || timer.at < least.at || (timer.at === least.at && timer.order < least.order))
        least = timer;
    }
    return least;
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
  };
  const clock: FakeClock = {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    after(ms, call) {
      const timer = { at: elapsed + Math.max(0, ms), order: order++, call };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    sleep: (ms, signal) => sleepWith(clock, ms, signal),
    async advance(ms) {
      const end = elapsed + ms;
      await settle();
      for (let timer = first(); timer !== undefined && timer.at <= end; timer = first()) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.at);
        timer.call();
        await settle();
      }
      elapsed = end;
      await settle();
    },
    jump(ms) {
      wall += ms;
    },
    get waiting() {
      return timers.size;
    },
    get next() {
      const timer = first();
      return timer === undefined ? undefined : timer.at - elapsed;
    },
  };
  return clock;
}
