import type { Clock } from '@kubenode/runtime';
import type { Alarm } from './alarm.ts';

/** More may be granted: told at most this often, milliseconds. */
const tellMs = 500;
/** What is new for people is looked at after so long, milliseconds. */
const noteMs = 1000;

/** Those that want to know when more may be granted than before. Nobody is called who was not denied anything since the last time. */
export class Waiters {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #handlers = new Set<() => void>();
  /** Somebody was denied since the handlers were called last. */
  #isAwaited = false;
  /** Monotonic milliseconds. */
  #tellAt = Infinity;

  constructor(clock: Clock, alarm: Alarm) {
    this.#clock = clock;
    this.#alarm = alarm;
  }

  add(handler: () => void): void {
    this.#handlers.add(handler);
  }

  /** Somebody was. @param leftMs for how long, where that is known: Infinity where it is not */
  denied(leftMs: number): void {
    this.#isAwaited = true;
    const elapsed = this.#clock.monotonic();
    this.#tellAt = Math.min(this.#tellAt, elapsed + leftMs);
    this.#alarm.within(Math.min(this.#tellAt - elapsed, noteMs));
  }

  /** Whoever asked has to ask anew, at the next look. */
  askAnew(): void {
    this.#isAwaited = true;
    this.#tellAt = 0;
  }

  /** Something may be granted that was not before. */
  relieve(): void {
    if (!this.#isAwaited) return;
    const at = this.#clock.monotonic() + tellMs;
    if (at >= this.#tellAt) return;
    this.#tellAt = at;
    this.#alarm.within(tellMs);
  }

  /** Calls them, if it is time. */
  tell(): void {
    if (!this.#isAwaited) return;
    const elapsed = this.#clock.monotonic();
    if (elapsed < this.#tellAt) {
      this.#alarm.within(this.#tellAt - elapsed);
      return;
    }
    this.#isAwaited = false;
    this.#tellAt = Infinity;
    for (const handler of this.#handlers) handler();
  }
}
