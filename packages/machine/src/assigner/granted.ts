import type { Logger } from '@kubenode/runtime';
import type { Reservation } from '../budget/budget.ts';

export interface GrantedOptions<T> {
  readonly log: Logger;
  /** Every grant of it is written. */
  readonly ready: (name: string, value: T, signal: AbortSignal) => void;
  /** A grant is void: what was decided for it has to be decided anew. */
  readonly void: (name: string) => void;
}

/** Values that may be written only after their grants are. A newer value takes the place of one that waits, and its grants are added. */
export class Granted<T> {
  readonly #options: GrantedOptions<T>;
  readonly #waiting = new Map<string, { value: T; readonly reservations: Set<Reservation> }>();

  constructor(options: GrantedOptions<T>) {
    this.#options = options;
  }

  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  write(name: string, value: T, reservations: readonly Reservation[], signal: AbortSignal): void {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) {
      waiting.value = value;
      for (const reservation of reservations) waiting.reservations.add(reservation);
      return;
    }
    if (reservations.length === 0) {
      this.#options.ready(name, value, signal);
      return;
    }
    this.#waiting.set(name, { value, reservations: new Set(reservations) });
    void this.#wait(name, signal);
  }

  async #wait(name: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    let isGranted = true;
    try {
      // Those that are added meanwhile are waited for too: a Set goes on with them.
      for (const reservation of waiting.reservations) isGranted &&= await reservation.written(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.error('grants could not be written; decided anew', { machine: name, error });
      isGranted = false;
    } finally {
      this.#waiting.delete(name);
    }
    if (isGranted) this.#options.ready(name, waiting.value, signal);
    else this.#options.void(name);
  }
}
