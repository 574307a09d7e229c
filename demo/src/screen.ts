/** What a person sees: a line for each step, with how long it took; on a terminal the last line moves while something is waited for. */
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #live: boolean;
  #line = '';
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#live = out.isTTY;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** The line that moves; without a terminal each change of it is a line of its own. */
  doing(text: string): void {
    if (text === this.#line) return;
    this.#line = text;
    if (!this.#live) {
      if (text) this.#out.write(`  ${text}\n`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), 100).unref();
    this.#draw();
  }

  /** Runs a step; says so when it is done, with the seconds it took. */
  async step<T>(text: string, work: (progress: (line: string) => void) => Promise<T>): Promise<T> {
    const started = performance.now();
    this.doing(`${text} ...`);
    const result = await work((line) => this.doing(line.startsWith(text) ? line : `${text}: ${line}`));
    this.quiet();
    this.say(`  ✓ ${text} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  }

  quiet(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
    this.#line = '';
  }

  #clear(): void {
    if (this.#live) this.#out.write('\r\x1b[2K');
  }

  #draw(): void {
    if (!this.#live || !this.#line) return;
    this.#frame = (this.#frame + 1) % frames.length;
    const width = (this.#out.columns ?? 80) - 4;
    this.#out.write(`\r\x1b[2K  ${frames[this.#frame]} ${this.#line.slice(0, width - 2)}`);
  }
}
