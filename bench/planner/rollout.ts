/**
 * The whole operator with simulated machines at an API server: how long after the last report of a batch the next batch is written. The
 * operator is a process of its own with its own rights; agents are simulated by this process, one watch for all of them, Leases renewed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldManagers, leaseRenewMs, systemNamespace, type Machine as MachineObject } from '@kubenode/api';
import { install, Machine, MachineComponent, MachineComponentSet } from '@kubenode/machine';
import { type Client, Lease, microTimestamp } from '@kubenode/runtime';
import { type PlaneKind, startPlane } from '../../test/real/fleet.ts';
import { Process } from '../../test/real/process.ts';
import { type Percentiles, percentiles } from './core.ts';
import { components, machineName, machineOf, revisionOf, setOf, statusOf } from './machines.ts';

export interface RolloutFigures {
  readonly machines: number;
  readonly batches: number;
  /** Milliseconds from sending the last report of a batch to seeing the last entry of the next one written. */
  readonly nextBatch: Percentiles;
  /** Memory of the operator's process that is its own, bytes. */
  readonly operatorBytes: number;
  /** Writes of Machines by the operator and the agents, for each machine that was moved. */
  readonly writesPerMachine: number;
}

const batchSize = 10;
const atOnce = 32;
const program = join(import.meta.dirname, '../../packages/cli/src/main.ts');

export async function measureRollout(
  kind: PlaneKind,
  machines: number,
  batches: number,
  progress: (line: string) => void,
): Promise<RolloutFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-bench-'));
  const undo: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const plane = await startPlane(kind, dir, '127.0.0.1', progress, undo);
    const { client } = plane;
    await install(client, AbortSignal.timeout(60_000));
    progress(`Writing ${machines} simulated machines ...`);
    await populate(client, machines);
    const stop = new AbortController();
    const renewing = renewLeases(client, machines, stop.signal);
    undo.push(async () => {
      stop.abort();
      await renewing;
    });
    const fleet = new SimulatedFleet(client, stop.signal);
    const operator = new Process('operator', join(dir, 'operator.log'), [
      program,
      'operator',
      '--kubeconfig',
      plane.kubeconfig,
      '--no-leader-election',
    ]);
    await operator.start();
    undo.push(() => operator.end());
    progress(`The operator takes in ${machines} machines ...`);
    await atRest(client, machines);
    progress(`${batches} batches of ${batchSize} ...`);
    const taken = await fleet.rollOut(batches);
    const status = await readFile(`/proc/${operator.pid}/status`, 'utf8');
    return {
      machines,
      batches,
      nextBatch: percentiles(taken),
      operatorBytes: Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
      writesPerMachine: fleet.writes / (batches * batchSize),
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** Writes the fleet as it stands after a first rollout of everything, each part under the name of its writer. */
async function populate(client: Client, machines: number): Promise<void> {
  for (const component of components) {
    for (const version of [1, 2]) {
      const name = revisionOf(component, version);
      await client.create(MachineComponent, {
        metadata: { name },
        spec: {
          component,
          version: `1.${version}.0`,
          artifacts: [],
          files: [file(component)],
          probes: [],
          dependsOn: [],
          disruption: 'None',
          progressDeadline: '5m',
          onFailure: 'Rollback',
        },
      });
    }
  }
  const revisions = new Map<string, string>();
  for (const { metadata } of (await client.list(MachineComponent)).items)
    revisions.set(metadata.name, metadata.uid ?? '');
  await inParallel(machines, async (index) => {
    const { metadata, spec, status } = machineOf(index);
    const { name, labels, finalizers } = metadata;
    const entries = spec.components.map((entry) => ({
      ...entry,
      revisionUID: revisions.get(entry.revision) ?? '',
    }));
    await client.create(
      Machine,
      { metadata: { name, labels, finalizers }, spec: { ...spec, components: entries } },
      { fieldManager: fieldManagers.assigner },
    );
    await client.apply(
      Machine,
      {
        metadata: { name },
        status: {
          summary: `${components.length}/${components.length}`,
          components: status.components,
          conditions: agentConditions(status.conditions, 1),
        },
      },
      { fieldManager: fieldManagers.agent, force: true, subresource: 'status' },
    );
    await renew(client, name);
  });
  for (const component of components) {
    const { metadata, spec, status } = setOf(component, 1, [batchSize]);
    await client.create(MachineComponentSet, { metadata: { name: metadata.name }, spec });
    await client.apply(
      MachineComponentSet,
      { metadata: { name: metadata.name }, status },
      { fieldManager: fieldManagers.assigner, force: true, subresource: 'status' },
    );
  }
}

const file = (component: string) => ({
  path: `/etc/${component}`,
  content: component,
  mode: '0644',
  owner: 'root:root',
  onChange: 'None' as const,
});

type Conditions = NonNullable<NonNullable<MachineObject['status']>['conditions']>;

function agentConditions(conditions: Conditions, observedGeneration: number): Conditions {
  return conditions
    .filter(({ type }) => type === 'AgentReady' || type === 'ComponentsReady')
    .map((condition) => ({ ...condition, observedGeneration }));
}

async function renew(client: Client, name: string): Promise<void> {
  await client.apply(
    Lease,
    {
      metadata: { name, namespace: systemNamespace },
      spec: { holderIdentity: name, renewTime: microTimestamp(Date.now()) },
    },
    { fieldManager: fieldManagers.agent, force: true },
  );
}

/** As agents do: each once a minute, spread out. */
async function renewLeases(client: Client, machines: number, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  for (let i = 0; !signal.aborted; i += 1) {
    const due = began + (i * leaseRenewMs) / machines;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await renew(client, machineName(i % machines));
  }
}

/** Resolves when the operator has judged every machine, and every set is at rest. */
async function atRest(client: Client, machines: number): Promise<void> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const { items } = await client.list(MachineComponentSet);
    const { items: all } = await client.list(Machine);
    const isReady = (conditions: Conditions | undefined): boolean =>
      conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    const judged = all.filter(({ status }) => isReady(status?.conditions)).length;
    if (judged === machines && items.every(({ status }) => isReady(status?.conditions))) return;
    if (Date.now() > deadline) {
      const sets = items.map(({ metadata, status }) => ({ name: metadata.name, status }));
      throw new Error(`Not at rest: ${judged} of ${machines} machines Ready; ${JSON.stringify(sets[0])}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** All agents at once: knows who was moved, and reports when it is told to. */
class SimulatedFleet {
  writes = 0;
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** Moves one set to its second revision. @returns for each batch but the first the time until it was written, milliseconds */
  async rollOut(batches: number): Promise<number[]> {
    const [component = ''] = components;
    const revision = revisionOf(component, 2);
    const moved = new Map<string, MachineObject>();
    let onMove = (): void => undefined;
    const watching = (async () => {
      for await (const event of this.#client.watch(Machine, { signal: this.#signal })) {
        if (event.type === 'MODIFIED') this.writes += 1;
        if (!('object' in event)) continue;
        const { object } = event;
        const entry = object.spec.components?.find(({ name }) => name === component);
        if (entry?.revision !== revision || moved.has(object.metadata.name)) continue;
        moved.set(object.metadata.name, object);
        onMove();
      }
    })().catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
    const untilMoved = async (count: number): Promise<void> => {
      await new Promise<void>((resolve) => {
        onMove = () => moved.size >= count && resolve();
        onMove();
      });
    };
    await this.#client.patch(MachineComponentSet, component, { type: 'merge', body: { spec: { revision } } });
    const taken: number[] = [];
    let done = 0;
    for (let batch = 1; batch <= batches; batch += 1) {
      await Promise.race([untilMoved(batch * batchSize), watching]);
      const all = [...moved.values()].slice(done);
      done = moved.size;
      const last = all.pop();
      if (last === undefined) throw new Error('an empty batch');
      await Promise.all(all.map((machine) => this.#report(machine)));
      if (batch === batches) break;
      const sent = performance.now();
      await this.#report(last);
      await Promise.race([untilMoved((batch + 1) * batchSize), watching]);
      taken.push(performance.now() - sent);
    }
    return taken;
  }

  async #report({ metadata, spec, status }: MachineObject): Promise<void> {
    await this.#client.apply(
      Machine,
      {
        metadata: { name: metadata.name },
        status: {
          summary: `${components.length}/${components.length}`,
          components: (spec.components ?? []).map(statusOf),
          conditions: agentConditions(status?.conditions ?? [], metadata.generation ?? 0),
        },
      },
      { fieldManager: fieldManagers.agent, force: true, subresource: 'status' },
    );
  }
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < count; index = next++) await work(index);
    }),
  );
}
