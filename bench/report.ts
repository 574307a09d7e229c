/** What a part of the bench prints: a short table, what is compared in words, and which goals it missed. */
export interface Report {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Below the table, a line each. */
  readonly notes: readonly string[];
  /** A sentence for each figure that is worse than its goal. */
  readonly missed: readonly string[];
}

/** A figure beside its goal or limit, where there is one: less is better. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: number;
}

/** A table of figures, each with its part of the goal. */
export function figures(title: string, all: readonly Figure[], notes: readonly string[] = []): Report {
  const shown = (value: number, unit: string): string => `${short(value)}${unit === '' ? '' : ` ${unit}`}`;
  return {
    title,
    head: ['what', 'seen', 'goal', 'seen / goal'],
    rows: all.map(({ what, value, unit, goal }) => [
      what,
      shown(value, unit),
      goal === undefined ? '' : shown(goal, unit),
      goal === undefined ? '' : (value / goal).toFixed(2),
    ]),
    notes,
    missed: all.flatMap(({ what, value, unit, goal }) =>
      goal === undefined || value <= goal
        ? []
        : [`${what}: ${shown(value, unit)}, the goal is ${shown(goal, unit)}`],
    ),
  };
}

/** Three digits. */
export function short(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function print({ title, head, rows, notes }: Report): void {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of [head, widths.map((width) => '-'.repeat(width)), ...rows])
    console.log(
      row
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  for (const note of notes) console.log(`  ${note}`);
}

/** Resolves with what the work returns and the seconds that it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - started) / 1000 };
}
