import type { Machine as MachineObject, MachineComponentEntry } from '@kubenode/api';
import { Machine } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';

/** Every move of every machine, as a watch shows them. */
export class Moves implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #client: Client;
  readonly #component: string;
  /** By machine, the moves in their order. */
  readonly #moves = new Map<string, MachineComponentEntry[]>();
  readonly #ended: Promise<void>;

  constructor(client: Client, component: string) {
    this.#client = client;
    this.#component = component;
    this.#ended = this.#watch();
  }

  async #watch(): Promise<void> {
    for await (const event of this.#client.watch(Machine, { signal: this.#stop.signal })) {
      if ('object' in event) this.#see(event.object);
    }
  }

  #see({ metadata, spec }: MachineObject): void {
    const entry = spec.components?.find(({ name }) => name === this.#component);
    if (entry === undefined) return;
    const moves = this.#moves.get(metadata.name) ?? [];
    if (moves.at(-1)?.movedAt !== entry.movedAt) moves.push(entry);
    this.#moves.set(metadata.name, moves);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** Ends the watch, and looks once more: after the API server was away a watch may still wait before it asks again. */
  async end(): Promise<void> {
    await this[Symbol.asyncDispose]();
    for (const machine of (await this.#client.list(Machine)).items) this.#see(machine);
  }

  /**
   * What is not as it should be after the rollout of a revision to these machines.
   * @param sizes of the batches, in their order. @param apartMs how far the first moves of a batch are from the last ones of the batch before.
   */
  problems(revision: string, names: readonly string[], sizes: readonly number[], apartMs: number): string[] {
    const problems: string[] = [];
    const batches = new Map<number, number[]>();
    for (const name of names) {
      const moves = (this.#moves.get(name) ?? []).filter((entry) => entry.revision === revision);
      const [move] = moves;
      if (moves.length !== 1 || move === undefined) {
        problems.push(`${name} was moved ${moves.length} times`);
        continue;
      }
      const { batch = 0, movedAt = '' } = move;
      batches.set(batch, [...(batches.get(batch) ?? []), Date.parse(movedAt)]);
    }
    const numbers = [...batches.keys()].toSorted((a, b) => a - b);
    const seen = numbers.map((number) => batches.get(number)?.length);
    if (JSON.stringify(seen) !== JSON.stringify(sizes)) problems.push(`batches of ${seen.join(', ')}`);
    for (const [index, number] of numbers.entries()) {
      const before = batches.get(numbers[index - 1] ?? -1);
      if (before === undefined) continue;
      const gap = Math.min(...(batches.get(number) ?? [])) - Math.max(...before);
      if (gap < apartMs) problems.push(`batch ${number} began ${gap} ms after the one before was moved`);
    }
    return problems;
  }
}
