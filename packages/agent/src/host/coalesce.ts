/** Gathers names for some milliseconds and tells each once: one daemon-reload is hundreds of signals, one saved file several events. */
export class Coalescer {
  readonly #delayMs: number;
  readonly #tell: (name: string) => void;
  readonly #pending = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number, tell: (name: string) => void) {
    this.#delayMs = delayMs;
    this.#tell = tell;
  }

  add(names: Iterable<string>): void {
    for (const name of names) this.#pending.add(name);
    if (this.#pending.size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const burst = [...this.#pending];
      this.#pending.clear();
      for (const name of burst) this.#tell(name);
    }, this.#delayMs);
  }

  /** Forgets what it has gathered. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
  }
}
