/** Sees a rollout as an outsider does: by a watch on Machines, and by nothing that the operator says of itself. */
import type { Machine as MachineObject } from '@kubenode/api';
import { Machine } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';

/** What was seen of one batch. Epoch milliseconds, when it was seen. */
export interface SeenBatch {
  readonly number: number;
  readonly machines: Set<string>;
  /** The first machine was told of the new revision. */
  readonly begunAt: number;
  /** All of its machines reported that they run it; undefined: not yet. */
  readyAt: number | undefined;
}

export class RolloutWatch implements AsyncDisposable {
  readonly #component: string;
  readonly #revision: string;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #machines = new Map<string, MachineObject>();
  /** By machine: what each version of it says, in a line. */
  readonly #versions = new Map<string, Map<string, string>>();
  readonly batches = new Map<number, SeenBatch>();
  /** Machines that were told of the revision and did not report it yet: the most at any moment. */
  mostInMovement = 0;
  /** Machines on which the component was not Ready: the most at any moment. */
  mostUnavailable = 0;
  /** Batches with machines in movement at the same moment: the most at any moment. */
  mostBatchesAtOnce = 0;

  constructor(client: Client, component: string, revision: string) {
    this.#component = component;
    this.#revision = revision;
    this.#ended = this.#follow(client);
  }

  /** Versions of each Machine since the watch began, the first not counted: each is a write to the API. */
  get writes(): ReadonlyMap<string, number> {
    return new Map([...this.#versions].map(([name, versions]) => [name, versions.size - 1]));
  }

  /** What each version of a Machine says, a line each: for the message where there are too many. */
  story(machine: string): string {
    return [...(this.#versions.get(machine)?.values() ?? [])].join('\n');
  }

  get machines(): number {
    return this.#machines.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(client: Client): Promise<void> {
    for await (const event of client.watch(Machine, { signal: this.#stop.signal })) {
      if (!('object' in event)) continue;
      const { name, resourceVersion = '' } = event.object.metadata;
      const versions = this.#versions.get(name) ?? new Map<string, string>();
      this.#versions.set(name, versions.set(resourceVersion, this.#tell(event.object)));
      this.#machines.set(name, event.object);
      this.#look(Date.now());
    }
  }

  #tell({ metadata, spec, status }: MachineObject): string {
    const component = status?.components?.find(({ name }) => name === this.#component);
    const conditions = status?.conditions?.map(({ type, status: is, reason }) => `${type}=${is}/${reason}`);
    const entry = spec.components?.find(({ name }) => name === this.#component);
    return [
      `${new Date().toISOString().slice(17, 23)} generation ${metadata.generation}, batch ${entry?.batch}: ${status?.phase}`,
      `${component?.state} ${component?.step ?? ''} running ${component?.running}`,
      conditions?.join(' '),
    ].join('; ');
  }

  #look(now: number): void {
    const moving = new Map<string, number>();
    let unavailable = 0;
    for (const [name, machine] of this.#machines) {
      const entry = machine.spec.components?.find((component) => component.name === this.#component);
      const told = machine.status?.components?.find((component) => component.name === this.#component);
      const isMoved = entry?.revision === this.#revision && entry.batch !== undefined;
      const isThere = told?.running === this.#revision && told.state === 'Ready';
      if (isMoved && !isThere) moving.set(name, entry.batch ?? 0);
      if (told?.state !== 'Ready' || (isMoved && !isThere)) unavailable += 1;
      if (isMoved) this.#batch(entry.batch ?? 0, now).machines.add(name);
    }
    for (const batch of this.batches.values()) {
      const isReady = [...batch.machines].every((name) => !moving.has(name));
      batch.readyAt = isReady ? (batch.readyAt ?? now) : undefined;
    }
    this.mostInMovement = Math.max(this.mostInMovement, moving.size);
    this.mostUnavailable = Math.max(this.mostUnavailable, unavailable);
    this.mostBatchesAtOnce = Math.max(this.mostBatchesAtOnce, new Set(moving.values()).size);
  }

  #batch(number: number, now: number): SeenBatch {
    let batch = this.batches.get(number);
    if (batch === undefined) {
      batch = { number, machines: new Set(), begunAt: now, readyAt: undefined };
      this.batches.set(number, batch);
    }
    return batch;
  }
}
