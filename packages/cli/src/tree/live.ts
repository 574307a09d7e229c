/** Lines on a terminal that are drawn over when they change. */

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';

export class LiveLines {
  readonly #out: NodeJS.WriteStream;
  #drawn: readonly string[] = [];
  #columns = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    out.write(hideCursor);
  }

  /** Characters that fit beside each other. The last column stays free: some terminals break the line as soon as it is filled. */
  get width(): number {
    return (this.#out.columns || 80) - 1;
  }

  /** Writes nothing where nothing changed. What does not fit on the screen is left out at the end, and said to be. */
  draw(lines: readonly string[]): void {
    const room = Math.max(2, (this.#out.rows || 24) - 1);
    const left = lines.length - room + 1;
    const fitting =
      lines.length <= room
        ? lines
        : [...lines.slice(0, room - 1), `… ${left} more lines; --once prints all`.slice(0, this.width)];
    const columns = this.#out.columns;
    if (columns === this.#columns && fitting.join('\n') === this.#drawn.join('\n')) return;
    const up = this.#drawn.length === 0 ? '' : `\x1b[${this.#drawn.length}A`;
    // A terminal that was made narrower has broken the lines that stand there: then all of it is drawn anew.
    const start = this.#columns !== 0 && columns !== this.#columns ? '\x1b[H\x1b[2J' : `\r${up}`;
    this.#out.write(`${start}${fitting.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.#drawn = fitting;
    this.#columns = columns;
  }

  /** The lines stay. */
  end(): void {
    this.#out.write(showCursor);
  }
}
