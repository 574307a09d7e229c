import type { Clock } from './clock.ts';

/** Hints come in bunches; one pass serves all that arrive within this time. */
const gatherMs = 5;

/** Lets a loop sleep until its time has come or somebody wakes it. A wake during a pass is not lost. */
export class Wakeup {
  #woken = false;
  #ring: (() => void) | undefined;

  wake(): void {
    this.#woken = true;
    this.#ring?.();
  }

  /** Resolves when woken, when the time is over or when the signal is given. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#woken) {
      const done = new AbortController();
      const stop = AbortSignal.any([signal, done.signal]);
      this.#ring = () => done.abort();
      await clock.sleep(ms, stop).catch(() => undefined);
      this.#ring = undefined;
    }
    if (this.#woken && !signal.aborted) await clock.sleep(gatherMs, signal).catch(() => undefined);
    this.#woken = false;
  }
}
