/** Progress for people: on a terminal the last line moves while something is waited for; elsewhere each change is a plain line. */
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #isLive: boolean;
  #line = '';
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isLive = out.isTTY;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }
  done(text: string): void {
    this.say(`  ${this.#color('32', '✓')} ${text}`);
  }
  failed(text: string): void {
    this.say(`  ${this.#color('31', '✗')} ${text}`);
  }

  /**
   * The line that moves. What is over in a moment is worth no line of its own where nothing can move: `isBrief` leaves it out there.
   */
  doing(text: string, isBrief = false): void {
    if (text === this.#line) return;
    this.#line = text;
    if (!this.#isLive) {
      if (isBrief) return;
      this.#out.write(`  … ${text}\n`);
      return;
    }
    this.#timer ??= setInterval(() => this.#draw(), frameMs).unref();
    this.#draw();
  }

  /** Takes the moving line away. */
  quiet(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
    this.#line = '';
  }

  #color(code: string, text: string): string {
    return this.#isLive && process.env['NO_COLOR'] === undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
  #clear(): void {
    if (this.#isLive && this.#line !== '') this.#out.write('\r\x1b[2K');
  }
  #draw(): void {
    if (!this.#isLive || this.#line === '') return;
    this.#frame = (this.#frame + 1) % frames.length;
    const width = Math.max(20, (this.#out.columns ?? 80) - 5);
    this.#out.write(`\r\x1b[2K  ${frames[this.#frame]} ${this.#line.slice(0, width)}`);
  }
}
