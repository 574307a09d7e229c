import { fieldManagers, type MachineComponentEntry, type MachineComponentSetStatus } from '@kubenode/api';
import {
  type Change,
  type Client,
  type Clock,
  type EventRecorder,
  findCondition,
  type Kind,
  type KubeObject,
  type Logger,
  refOf,
  type Registry,
  type Runnable,
  systemClock,
} from '@kubenode/runtime';
import type { Budget } from '../budget/budget.ts';
import type { Caches } from '../caches.ts';
import { type Definitions, MeantDeletions } from '../definitions.ts';
import type { Inspections } from '../inspection/inspections.ts';
import { Machine, MachineComponentSet } from '../kinds.ts';
import { revisionOf } from '../machinecomponentset/template.ts';
import { eventsOf } from './events.ts';
import { Granted } from './granted.ts';
import type { Awaited } from './fleet.ts';
import { Assignments } from './plan.ts';
import { ServerVersion } from './server-version.ts';
import { viewOfMachine, viewOfRevision, viewOfSet } from '../member/view.ts';
import { Writer } from './writer.ts';

export interface AssignerOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'sets' | 'revisions' | 'nodes'>;
  readonly definitions: Definitions;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** What restarts of working processes draw on. */
  readonly budget: Budget;
  /** Who asks Prometheus and the web. */
  readonly inspections: Inspections;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** What others may ask of the assigner. */
export interface Assigner extends Runnable {
  /** What belongs on a machine and is not in its list yet; undefined while that is not known. */
  awaited(machine: string): readonly Awaited[] | undefined;
  /** Some machine has it in its list, or will as soon as what was decided is written. */
  names(revision: string): boolean;
  /** Calls back with the name of a machine of which `awaited` may tell something else. */
  onPlanned(handler: (machine: string) => void): void;
}

/** Changes that come together are planned together. Milliseconds. */
const gatherMs = 20;
/** A set's counts are not written more often than this, however many machines report. Milliseconds. */
const statusEveryMs = 1000;
/** How long a write may take to show in the cache before it is given up on. Milliseconds. */
const visibleMs = 15_000;
/** The longest and the shortest wait for a time of the wall clock, which may jump. Milliseconds. */
const lookEveryMs = 30_000;
const lookAtLeastMs = 250;
type Apply<T> = (name: string, value: T, signal: AbortSignal) => Promise<void>;

/**
 * Writes what Assignments decides: every machine's list in one write, every set's status at most once a second, and once more where a
 * condition changes, which is what people wait for. A machine that is being written is not decided about anew before the cache shows the write.
 */
export function assigner(options: AssignerOptions): Assigner {
  const { client, caches, events } = options;
  const clock = options.clock ?? systemClock;
  const log = options.log.with({ controller: 'assigner' });
  const written = options.metrics?.counter(
    'kubenode_assigner_writes_total',
    'Writes of the assigner, by kind.',
  );
  const seconds = options.metrics?.histogram('kubenode_assigner_plan_seconds', 'How long a plan took.');
  const { budget, inspections } = options;
  const server = new ServerVersion();
  const assignments = new Assignments({
    needsFinalizer: true,
    budget,
    inspections,
    serverVersion: () => server.version,
  });
  const planned: ((machine: string) => void)[] = [];
  let known = false;
  let wake = (): void => undefined;

  const meant = new MeantDeletions(options.definitions, clock, log);
  const pendingStatus = (name: string): { status?: MachineComponentSetStatus } => {
    const status = sets.get(name);
    return status === undefined ? {} : { status };
  };

  const putMachine = (name: string): void => {
    if (machines.has(name) || granted.has(name)) return;
    const machine = caches.machines.get(name);
    if (machine === undefined) {
      assignments.removeMachine(name);
      meant.forget(Machine.plural, name);
    } else {
      const { nodeName } = machine.spec;
      const node = nodeName === undefined ? undefined : caches.nodes.get(nodeName);
      const view = viewOfMachine(machine, node?.problems);
      const empties = view.deleting && view.deletionPolicy === 'Delete';
      const isMeant = !empties || meant.has(Machine.plural, name, view.uid, () => putMachine(name));
      assignments.putMachine(isMeant ? view : { ...view, deletionPolicy: 'Retain' });
    }
    wake();
  };
  const putSet = (name: string): void => {
    const set = caches.sets.get(name);
    if (set === undefined) {
      assignments.removeSet(name);
      meant.forget(MachineComponentSet.plural, name);
    } else {
      // A status that is still on its way is newer than the one in the cache.
      const view = { ...viewOfSet(set, revisionOf(set)), ...pendingStatus(name) };
      const uid = set.metadata.uid ?? '';
      const isMeant = !view.deleting || meant.has(MachineComponentSet.plural, name, uid, () => putSet(name));
      assignments.putSet(isMeant ? view : { ...view, removal: 'Retain' });
    }
    wake();
  };
  const putRevision = (name: string): void => {
    const revision = caches.revisions.get(name);
    if (revision === undefined) assignments.removeRevision(name);
    else assignments.putRevision(viewOfRevision(revision));
    wake();
  };

  const applyMachine: Apply<readonly MachineComponentEntry[]> = async (name, components, signal) => {
    const machine = caches.machines.get(name);
    if (machine === undefined) return;
    const { uid, resourceVersion } = machine.metadata;
    const result = await client.apply(
      Machine,
      {
        // With both, nobody who lost the lead, and no Machine made anew meanwhile, gets what was decided for another.
        metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
        spec: { components },
      },
      { fieldManager: fieldManagers.assigner, force: true, signal },
    );
    written?.inc({ kind: 'Machine' });
    log.info('machine assigned', {
      machine: name,
      components: components.map((c) => `${c.name}=${c.revision}`),
    });
    await caches.machines.atLeast(name, result.metadata.resourceVersion ?? '', deadline(signal));
  };

  const applySet: Apply<MachineComponentSetStatus> = async (name, status, signal) => {
    const set = caches.sets.get(name);
    if (set === undefined) return;
    const result = await client.apply(
      MachineComponentSet,
      { metadata: { name, ...(set.metadata.uid && { uid: set.metadata.uid }) }, status },
      { fieldManager: fieldManagers.assigner, force: true, subresource: 'status', signal },
    );
    written?.inc({ kind: 'MachineComponentSet' });
    for (const { type, reason, note } of eventsOf(set.status ?? {}, status)) {
      events.event(refOf(MachineComponentSet, set), type, reason, note);
    }
    await caches.sets.atLeast(name, result.metadata.resourceVersion ?? '', deadline(signal));
  };

  const refused =
    <T extends KubeObject>(kind: Kind<T>, cached: (name: string) => T | undefined) =>
    (name: string, error: unknown, failures: number): void => {
      log.error('could not be written; again later', { kind: kind.kind, name, error, failures });
      const object = cached(name);
      if (object === undefined) return;
      const why = error instanceof Error ? error.message : String(error);
      events.event(refOf(kind, object), 'Warning', 'NotAssigned', `The assigner's write was refused: ${why}`);
    };
  const machines: Writer<readonly MachineComponentEntry[]> = new Writer({
    clock,
    apply: applyMachine,
    settled: (name) => putMachine(name),
    refused: refused(Machine, (name) => caches.machines.get(name)),
    pauseMs: 0,
  });
  const sets: Writer<MachineComponentSetStatus> = new Writer({
    clock,
    apply: applySet,
    settled: (name) => putSet(name),
    refused: refused(MachineComponentSet, (name) => caches.sets.get(name)),
    pauseMs: statusEveryMs,
    isUrgent: changesConditions,
  });

  const granted: Granted<readonly MachineComponentEntry[]> = new Granted({
    log,
    ready: (name, entries, signal) => machines.write(name, entries, signal),
    void: (name) => putMachine(name),
  });
  budget.onChange(() => {
    assignments.touchDenied();
    wake();
  });
  inspections.onChange((set) => {
    assignments.touchSet(set);
    wake();
  });

  const plan = (signal: AbortSignal): void => {
    const started = clock.monotonic();
    const writes = assignments.plan(clock.now());
    known = true;
    seconds?.observe((clock.monotonic() - started) / 1000);
    for (const [name, entries] of writes.machines) {
      granted.write(name, entries, writes.reservations.get(name) ?? [], signal);
    }
    for (const [name, status] of writes.sets) {
      sets.write(name, status, signal);
    }
    for (const name of assignments.takeTouched()) for (const handler of planned) handler(name);
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    const { machines: machineCache, sets: setCache, revisions, nodes } = caches;
    try {
      await Promise.all([machineCache, setCache, revisions, nodes].map((cache) => cache.synced(signal)));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    let alarm = Promise.withResolvers<void>();
    wake = () => alarm.resolve();
    using _revisions = revisions.on(keyOf(putRevision));
    using _sets = setCache.on(keyOf(putSet));
    using _machines = machineCache.on(keyOf(putMachine));
    using _nodes = nodes.on(({ key }) => {
      for (const name of machineCache.keysBy('nodeName', key)) putMachine(name);
    });
    const kubelets = (): void => {
      assignments.touchComponent('kubelet');
      wake();
    };
    const asking = server.run(client, clock, log, kubelets, signal);
    let look: Disposable | undefined;
    signal.addEventListener('abort', () => wake(), { once: true });
    wake();
    while (!signal.aborted) {
      await alarm.promise;
      await clock.sleep(gatherMs, signal).catch(() => undefined);
      alarm = Promise.withResolvers<void>();
      if (signal.aborted) break;
      plan(signal);
      look?.[Symbol.dispose]();
      look = lookLater(clock, assignments.nextLook, () => wake());
    }
    look?.[Symbol.dispose]();
    await Promise.all([machines.idle(), sets.idle(), asking]);
  };

  return {
    name: 'controller/assigner',
    needsLeader: true,
    run,
    awaited: (machine) => (known ? assignments.awaited(machine) : undefined),
    names: (revision) => assignments.names(revision),
    onPlanned: (handler) => planned.push(handler),
  };
}

function changesConditions(next: MachineComponentSetStatus, before: MachineComponentSetStatus): boolean {
  return (next.conditions ?? []).some(
    ({ type, status }) => findCondition(before.conditions, type)?.status !== status,
  );
}

/** Wakes at a time of the wall clock, and now and then before it, since that clock may jump. @param at epoch milliseconds */
function lookLater(clock: Clock, at: number | undefined, wake: () => void): Disposable | undefined {
  if (at === undefined) return undefined;
  return clock.after(Math.min(lookEveryMs, Math.max(lookAtLeastMs, at - clock.now())), wake);
}

function keyOf<P>(put: (name: string) => void): (change: Change<P>) => void {
  return ({ key }) => put(key);
}

function deadline(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(visibleMs)]);
}
