import type { UnitState } from '../ports.ts';

/** So many restarts within so long are a crash loop, whatever the unit looks like in between. */
const most = 3;
const withinMs = 300_000;

/** Sees crash loops: a unit that its manager starts again and again is active and answers its probes most of the time. */
export class RestartCount {
  readonly #seen = new Map<string, { restarts: number; at: readonly number[] }>();

  /** @returns how often, for people, where that is too often. */
  tooOften({ name, restarts }: UnitState, now: number): string | undefined {
    if (restarts === undefined) return undefined;
    const last = this.#seen.get(name);
    // What happened before the agent first looked may be long ago.
    const more = last === undefined ? 0 : restarts >= last.restarts ? restarts - last.restarts : restarts;
    const news = Array.from({ length: Math.min(more, 2 * most) }, () => now);
    const at = [...(last?.at ?? []), ...news].filter((time) => now - time < withinMs).slice(-2 * most);
    this.#seen.set(name, { restarts, at });
    return at.length >= most ? `${most} times or more in ${withinMs / 60_000} min` : undefined;
  }
}
