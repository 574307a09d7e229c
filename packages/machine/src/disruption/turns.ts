/**
 * Machines that the budget has denied, by zone, in the order in which they came. Only the first of a zone asks again: what is in the way of it
 * is in the way of all behind it, and so what a change of the budget costs does not grow with how many wait.
 */
export class Turns {
  readonly #zones = new Map<string, Set<string>>();
  readonly #places = new Map<string, { readonly zone: string; readonly limit: string }>();

  /** It keeps its place, where it has one in that zone. isNews: it was denied by another limit before, or not at all. */
  wait(machine: string, zone: string, limit: string): { isFirst: boolean; isNews: boolean } {
    const before = this.#places.get(machine);
    if (before?.zone !== zone) this.leave(machine);
    this.#places.set(machine, { zone, limit });
    const waiting = this.#zones.get(zone) ?? new Set();
    this.#zones.set(zone, waiting.add(machine));
    const [first] = waiting;
    return { isFirst: first === machine, isNews: before?.limit !== limit };
  }

  /** It waits no more. @returns whose turn it is then; undefined where it did not wait, or nobody else does */
  leave(machine: string): string | undefined {
    const zone = this.#places.get(machine)?.zone;
    if (zone === undefined) return undefined;
    this.#places.delete(machine);
    const waiting = this.#zones.get(zone);
    waiting?.delete(machine);
    const [next] = waiting ?? [];
    if (next === undefined) this.#zones.delete(zone);
    return next;
  }

  /** The first of each zone. */
  *first(): Generator<string> {
    for (const [machine] of this.#zones.values()) if (machine !== undefined) yield machine;
  }
}
