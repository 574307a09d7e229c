import type { Clock } from '@kubenode/runtime';

/** Wakes one sleeper: at once, or after a time; the earliest counts. */
export class Alarm {
  readonly #clock: Clock;
  /** Monotonic milliseconds. */
  #at = Infinity;
  #timer: Disposable | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.within(0);
  }

  /** Not later than in so many milliseconds. */
  within(ms: number): void {
    const at = this.#clock.monotonic() + Math.max(0, ms);
    if (at >= this.#at) return;
    this.#at = at;
    if (this.#wake !== undefined) this.#arm();
  }

  /** Until it rings, `ms` passed, or the signal. What rang since the last sleep ended wakes at once. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.within(ms);
    const woken = Promise.withResolvers<void>();
    this.#wake = () => woken.resolve();
    signal.addEventListener('abort', this.#wake, { once: true });
    this.#arm();
    await woken.promise;
    signal.removeEventListener('abort', this.#wake);
    this.#wake = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#at = Infinity;
  }

  #arm(): void {
    this.#timer?.[Symbol.dispose]();
    const left = this.#at - this.#clock.monotonic();
    if (left <= 0) {
      this.#wake?.();
      return;
    }
    this.#timer = this.#clock.after(left, () => this.#wake?.());
  }
}
