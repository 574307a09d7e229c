/** Longest wait (ms) between two tries of what fails. */
const MAX_DELAY = 30_000;

/**
 * Works through keys one at a time. A key added while it waits is done once; one that fails is tried again, later and
 * later. What is lost when the process dies is found again at the next start, from the stored objects.
 */
export class Worker {
  readonly #work: (key: string) => Promise<void>;
  readonly #log: (error: unknown) => void;
  readonly #keys = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(work: (key: string) => Promise<void>, log: (error: unknown) => void) {
    this.#work = work;
    this.#log = log;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#keys.add(key);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is added in this turn of the event loop is worked on after it.
    await Promise.resolve();
    for (const key of this.#keys) {
      this.#keys.delete(key);
      try {
        await this.#work(key);
        this.#failures.delete(key);
      } catch (error) {
        if (this.#stopped) break;
        this.#retry(key, error);
      }
      if (this.#stopped) break;
    }
    this.#running = undefined;
    if (this.#keys.size > 0 && !this.#stopped) this.#running = this.#run();
  }

  #retry(key: string, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    if (failures > 3) this.#log(error);
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.add(key);
      },
      Math.min(MAX_DELAY, 50 * 2 ** failures),
    );
    this.#timers.add(timer);
  }

  /** Resolves when the key in work is done; the others stay undone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#running;
  }
}
