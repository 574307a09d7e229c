import { backoffMs, type Clock, isConflict, isNotFound } from '@kubenode/runtime';

/** Writes at once, of one kind. */
const atOnce = 16;
const retry = { baseMs: 100, maxMs: 60_000 };

export interface WriterOptions<T> {
  readonly clock: Clock;
  /** Writes it, and resolves when the cache shows it. */
  readonly apply: (name: string, value: T, signal: AbortSignal) => Promise<void>;
  /** Nothing is under way for the name any more: what the cache says counts again. */
  readonly settled: (name: string) => void;
  /** It was refused, and not because somebody wrote in between. It is tried again. */
  readonly refused: (name: string, error: unknown, failures: number) => void;
  /** Between two writes of one name, milliseconds. */
  readonly pauseMs: number;
  /** Whether a value ends the pause after the one written last; every second one may. */
  readonly isUrgent?: (value: T, written: T) => boolean;
}

/**
 * Writes values by name, each name one after the other. A newer value replaces one that still waits; while anything is under way for a
 * name the cache is behind, and `has` says so.
 */
export class Writer<T> {
  readonly #options: WriterOptions<T>;
  readonly #values = new Map<string, T>();
  readonly #failures = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  /** Of the names that pause: takes a newer value. */
  readonly #pausing = new Map<string, (value: T) => void>();
  #idle = Promise.withResolvers<void>();
  #active = 0;

  constructor(options: WriterOptions<T>) {
    this.#options = options;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** What is on its way. */
  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  write(name: string, value: T, signal: AbortSignal): void {
    const isUnderWay = this.#values.has(name);
    this.#values.set(name, value);
    if (!isUnderWay) void this.#run(name, signal);
    this.#pausing.get(name)?.(value);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#values.size > 0) await this.#idle.promise;
  }

  async #run(name: string, signal: AbortSignal): Promise<void> {
    const { clock, apply, settled, refused } = this.#options;
    let mayHurry = true;
    try {
      for (let value = this.#values.get(name); value !== undefined; ) {
        const now = value;
        await this.#inTurn(() => apply(name, now, signal));
        mayHurry = !(await this.#pause(name, now, mayHurry, signal));
        const next = this.#values.get(name);
        value = next === now ? undefined : next;
      }
      this.#failures.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      const failures = (this.#failures.get(name) ?? 0) + 1;
      this.#failures.set(name, failures);
      if (!isConflict(error) && !isNotFound(error)) refused(name, error, failures);
      await clock.sleep(backoffMs(retry, failures), signal).catch(() => undefined);
    } finally {
      this.#values.delete(name);
      if (this.#values.size === 0) {
        this.#idle.resolve();
        this.#idle = Promise.withResolvers<void>();
      }
      settled(name);
    }
  }

  /** @returns whether an urgent value ended it */
  async #pause(name: string, written: T, mayHurry: boolean, signal: AbortSignal): Promise<boolean> {
    const { clock, pauseMs, isUrgent } = this.#options;
    if (pauseMs === 0) return false;
    const hurry = new AbortController();
    const look = (value: T): void => {
      if (mayHurry && value !== written && isUrgent?.(value, written) === true) hurry.abort();
    };
    this.#pausing.set(name, look);
    look(this.#values.get(name) ?? written);
    try {
      await clock.sleep(pauseMs, AbortSignal.any([signal, hurry.signal]));
    } catch (error) {
      if (!hurry.signal.aborted) throw error;
    } finally {
      this.#pausing.delete(name);
    }
    return hurry.signal.aborted;
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    if (this.#active >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active += 1;
    try {
      await run();
    } finally {
      this.#active -= 1;
      this.#waiting.shift()?.();
    }
  }
}
