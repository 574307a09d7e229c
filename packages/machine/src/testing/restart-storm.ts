import { budgetName, type Machine, type NodeDisruptionBudgetSpec } from '@kubenode/api';
import { type Change, fakeClock, type Informer, silentLogger, timestamp } from '@kubenode/runtime';
import { memoryClient } from '../../../runtime/src/testing/memory-client.ts';
import { budgetController } from '../budget/controller.ts';
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
  readonly writes: number;
}

/**
 * So many machines find at the same moment that a healthy process has to be restarted, and ask for leave: the real budget, its ledger kept
 * by a server in memory, and a clock that is turned. Ends when all have restarted, or after `limitMs`.
 */
export async function restartStorm(options: {
  readonly machines: number;
  /** How long a machine takes to restart and be Ready. */
  readonly restartMs: number;
  readonly limitMs: number;
  readonly spec?: NodeDisruptionBudgetSpec;
}): Promise<Storm> {
  const clock = fakeClock(Date.UTC(2026, 2, 1, 12));
  const client = memoryClient();
  await client.create(NodeDisruptionBudget, {
    metadata: { name: budgetName },
    spec: options.spec ?? usualBudget,
    status: { since: timestamp(clock.now() - 86_400_000) },
  });
  const machines = new Map(
    Array.from({ length: options.machines }, (_, i) => machineOf(i)).map((m) => [m.metadata.name, m]),
  );
  const budget = budgetController({
    client,
    caches: {
      machines: still(machines),
      budgets: still(new Map(client.objects(NodeDisruptionBudget).map((found) => [budgetName, found]))),
    },
    events: { event: () => undefined } as never,
    log: silentLogger,
    clock,
  });
  const stop = new AbortController();
  const running = budget.run(stop.signal);

  const began = clock.now();
  const waiting = new Set(machines.keys());
  const restarts: Storm['restarts'][number][] = [];
  const atOnce = new Map<string, number>();
  let mostAtOnce = 0;
  const mostInZone = new Map<string, number>();
  const count = (zone: string, by: 1 | -1): void => {
    atOnce.set(zone, (atOnce.get(zone) ?? 0) + by);
    mostInZone.set(zone, Math.max(mostInZone.get(zone) ?? 0, atOnce.get(zone) ?? 0));
    mostAtOnce = Math.max(
      mostAtOnce,
      [...atOnce.values()].reduce((sum, n) => sum + n, 0),
    );
  };
  /** One machine asks for itself, as its agent's report has it ask. */
  const ask = async (machine: string): Promise<void> => {
    const holder = `machine/${machine}`;
    const reservation = budget.reserve([{ holder, machine, kind: 'Restart' }], clock.now());
    if (!reservation.granted.includes(machine)) return;
    waiting.delete(machine);
    if (!(await reservation.written(stop.signal))) {
      waiting.add(machine);
      return;
    }
    const zone = machines.get(machine)?.metadata.labels?.[usualBudget.zoneLabel] ?? '';
    restarts.push({ machine, zone, at: clock.now() - began });
    count(zone, 1);
    clock.after(options.restartMs, () => {
      count(zone, -1);
      budget.release(holder, machine);
    });
  };
  const askAll = (): void => {
    for (const machine of waiting) void ask(machine);
  };
  budget.onChange(askAll);
  await clock.advance(stepMs);
  askAll();
  while (restarts.length < machines.size && clock.now() - began < options.limitMs)
    await clock.advance(stepMs);
  stop.abort();
  await running;
  return { restarts, mostAtOnce, mostInZone, writes: client.writes.length };
}

function machineOf(index: number): Machine {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: {
      name: `machine-${index}`,
      labels: { [usualBudget.zoneLabel]: zones[index % zones.length] ?? '' },
    },
    spec: { deletionPolicy: 'Retain', paused: false },
    status: {
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

/** A cache in which nothing changes by itself. */
function still<P>(objects: ReadonlyMap<string, P>): Informer<P> {
  return {
    synced: () => Promise.resolve(),
    get: (key: string) => objects.get(key),
    values: () => objects.values(),
    on(handler: (change: Change<P>) => void) {
      for (const [key, object] of objects) handler({ key, old: undefined, new: object, initial: true });
      return { [Symbol.dispose]: () => undefined };
    },
  } as unknown as Informer<P>;
}
