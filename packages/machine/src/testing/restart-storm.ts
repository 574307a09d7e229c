import {
  budgetName,
  type Machine as MachineObject,
  type NodeDisruptionBudget as BudgetObject,
  type NodeDisruptionBudgetSpec,
} from '@kubenode/api';
import {
  type Change,
  type Client,
  type EventRecorder,
  fakeClock,
  silentLogger,
  timestamp,
} from '@kubenode/runtime';
import { memoryClient } from '../../../runtime/src/testing/memory-client.ts';
import type { Budget } from '../budget/budget.ts';
import { budgetController } from '../budget/controller.ts';
import type { Caches } from '../caches.ts';
import { disruptionController } from '../disruption/controller.ts';
import { NodeDisruptionBudget } from '../kinds.ts';

/** As the API server defaults it. */
export const usualBudget: NodeDisruptionBudgetSpec = {
  starts: { perMinute: 20, perHour: 600, perDay: 5000 },
  concurrent: { cluster: '10%', perZone: '25%' },
  zoneLabel: 'topology.kubernetes.io/zone',
  maxUnhealthy: '20%',
  grantTimeout: '1h',
  windows: [],
  drain: { timeout: '10m', onTimeout: 'Abort', emptyDir: 'Delete' },
};

const zones = ['a', 'b', 'c'];
const stepMs = 1000;

export interface Storm {
  /** When each machine restarted, milliseconds after all asked; in order. */
  readonly restarts: readonly { readonly machine: string; readonly zone: string; readonly at: number }[];
  readonly mostAtOnce: number;
  /** By zone. */
  readonly mostInZone: ReadonlyMap<string, number>;
  /** Writes of the ledger. */
  readonly ledgerWrites: number;
  /** Writes of leaves, each into the status of one machine. */
  readonly leaveWrites: number;
  /** How often the budget was asked. */
  readonly asked: number;
}

/**
 * So many machines find at the same moment that a healthy process has to be restarted, and ask for leave: the real disruption controller and
 * budget, Machines and ledger kept in memory, and a clock that is turned. Ends when all have restarted and were put back to work, or after `limitMs`.
 */
export async function restartStorm(options: {
  readonly machines: number;
  /** How long a machine takes to restart and be Ready. */
  readonly restartMs: number;
  readonly limitMs: number;
  readonly spec?: NodeDisruptionBudgetSpec;
}): Promise<Storm> {
  const clock = fakeClock(Date.UTC(2026, 2, 1, 12));
  const ledger = memoryClient();
  await ledger.create(NodeDisruptionBudget, {
    metadata: { name: budgetName },
    spec: options.spec ?? usualBudget,
    status: { since: timestamp(clock.now() - 86_400_000) },
  });
  const machines = new MemoryCache<MachineObject>();
  for (let i = 0; i < options.machines; i += 1) machines.put(`machine-${i}`, machineOf(i));
  const budgets = new MemoryCache<BudgetObject>();
  for (const found of ledger.objects(NodeDisruptionBudget)) budgets.put(budgetName, found);

  let leaveWrites = 0;
  const client = {
    ...ledger,
    /** Only the disruption controller applies anything: leaves. */
    apply(_kind: unknown, { metadata, status }: MachineObject): Promise<MachineObject> {
      leaveWrites += 1;
      const before = machines.get(metadata.name);
      if (before === undefined) throw new Error(`there is no machine ${metadata.name}`);
      const { disruption: _, ...rest } = before.status ?? {};
      const next = { ...before, status: { ...rest, ...status } };
      machines.put(metadata.name, next);
      return Promise.resolve(next);
    },
  } as unknown as Client;

  const shared = {
    client,
    caches: { machines, budgets, nodes: new MemoryCache() } as unknown as Caches,
    events: { event: () => undefined } as unknown as EventRecorder,
    log: silentLogger,
    clock,
  };
  const controller = budgetController(shared);
  let asked = 0;
  const budget: Budget = {
    reserve(wants, now) {
      asked += 1;
      return controller.reserve(wants, now);
    },
    release: (holder, machine) => controller.release(holder, machine),
    held: (holder) => controller.held(holder),
    onChange: (handler) => controller.onChange(handler),
  };

  const began = clock.now();
  const crowd = new Crowd();
  /** Agents restart as soon as they have leave, and ask no more once they are Ready. */
  machines.on(({ old, new: machine }) => {
    const isGranted = (of: MachineObject | undefined): boolean => of?.status?.disruption?.state === 'Granted';
    if (machine === undefined || !isGranted(machine) || isGranted(old)) return;
    const { name } = machine.metadata;
    const zone = machine.metadata.labels?.[usualBudget.zoneLabel] ?? '';
    crowd.enter(name, zone, clock.now() - began);
    clock.after(options.restartMs, () => {
      crowd.leave(zone);
      const now = machines.get(name);
      if (now !== undefined) machines.put(name, { ...now, status: { ...now.status, components: [ready] } });
    });
  });

  const stop = new AbortController();
  const running = [controller.run(stop.signal), disruptionController({ ...shared, budget }).run(stop.signal)];
  const isOver = (): boolean =>
    crowd.restarts.length >= options.machines &&
    [...machines.values()].every(({ status }) => status?.disruption === undefined);
  while (!isOver() && clock.now() - began < options.limitMs) await clock.advance(stepMs);
  stop.abort();
  await Promise.all(running);
  const { restarts, mostAtOnce, mostInZone } = crowd;
  return { restarts, mostAtOnce, mostInZone, ledgerWrites: ledger.writes.length, leaveWrites, asked };
}

/** Machines that restart at this moment, counted. */
class Crowd {
  readonly restarts: Storm['restarts'][number][] = [];
  readonly mostInZone = new Map<string, number>();
  mostAtOnce = 0;
  readonly #inZone = new Map<string, number>();
  #atOnce = 0;

  enter(machine: string, zone: string, at: number): void {
    this.restarts.push({ machine, zone, at });
    const inZone = (this.#inZone.get(zone) ?? 0) + 1;
    this.#inZone.set(zone, inZone);
    this.mostInZone.set(zone, Math.max(this.mostInZone.get(zone) ?? 0, inZone));
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
  }

  leave(zone: string): void {
    this.#inZone.set(zone, (this.#inZone.get(zone) ?? 0) - 1);
    this.#atOnce -= 1;
  }
}

const ready = { name: 'web', state: 'Ready' as const };

function machineOf(index: number): MachineObject {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: {
      name: `machine-${index}`,
      labels: { [usualBudget.zoneLabel]: zones[index % zones.length] ?? '' },
    },
    spec: { deletionPolicy: 'Retain', paused: false },
    status: {
      components: [{ ...ready, asks: 'Restart' }],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Ready',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  };
}

/** A cache that has what was put in. */
class MemoryCache<P> {
  readonly #objects = new Map<string, P>();
  readonly #handlers = new Set<(change: Change<P>) => void>();

  put(key: string, object: P): void {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const handler of this.#handlers) handler({ key, old, new: object, initial: false } as Change<P>);
  }
  get(key: string): P | undefined {
    return this.#objects.get(key);
  }
  values(): Iterable<P> {
    return this.#objects.values();
  }
  by(): readonly P[] {
    return [];
  }
  synced(): Promise<void> {
    return Promise.resolve();
  }
  atLeast(): Promise<void> {
    return Promise.resolve();
  }
  on(handler: (change: Change<P>) => void): Disposable {
    for (const [key, object] of this.#objects)
      handler({ key, old: undefined, new: object, initial: true } as Change<P>);
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }
}
