import {
  agentUnreachable,
  fieldManagers,
  type Machine as MachineObject,
  machineFinalizer,
  systemNamespace,
} from '@kubenode/api';
import {
  type Client,
  type Clock,
  type Controller,
  controller,
  ensureFinalizer,
  type EventRecorder,
  findCondition,
  Lease,
  type Logger,
  Node,
  refOf,
  type Registry,
  removeFinalizer,
  systemClock,
} from '@kubenode/runtime';
import type { Assigner } from '../assigner/controller.ts';
import type { Caches } from '../caches.ts';
import type { Definitions } from '../definitions.ts';
import { Machine } from '../kinds.ts';
import { agentLeaves, planDeletion } from './deletion.ts';
import { Leases } from './leases.ts';
import { type NodePatch, planNode, planNodeRemoval } from './node.ts';
import {
  canWait,
  type Facts,
  isInitialized,
  isSameStatus,
  machineStatus,
  nextLook,
  type OwnStatus,
  ownStatus,
  silenceOf,
} from './plan.ts';

export interface MachineOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'nodes' | 'leases'>;
  readonly assigner: Pick<Assigner, 'awaited' | 'onPlanned'>;
  readonly definitions: Definitions;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * How long a change of the status that may be over in a moment waits, in milliseconds. On hosts that were busy the replacement of a component
 * took up to 7 s; what takes longer costs a fifth write.
 */
const settleMs = 10_000;

/** Judges Machines, keeps what they declare on their Nodes, and sees to their deletion. */
export function machineController(options: MachineOptions): Controller {
  const { client, caches, assigner, definitions, events } = options;
  const clock = options.clock ?? systemClock;
  const began = clock.monotonic();
  const leases = new Leases();
  /** Since when a change that can wait does so; monotonic milliseconds. */
  const waiting = new Map<string, number>();
  /** Since when an agent is known to be told to leave; monotonic milliseconds. */
  const told = new Map<string, number>();
  // From the first list on, also while another process leads: then nothing has to be waited for when this one does.
  caches.leases.on(({ key, new: lease }) => {
    const name = lease?.machine ?? key.slice(systemNamespace.length + 1);
    if (lease === undefined) leases.forget(name);
    else leases.observe(name, lease.renewTime, clock.monotonic());
  });

  const factsOf = (machine: MachineObject): Facts => {
    const { nodeName } = machine.spec;
    const node = nodeName === undefined ? undefined : caches.nodes.get(nodeName);
    const owner = nodeName === undefined ? undefined : ownerOf(caches, nodeName);
    const now = clock.monotonic();
    const { name } = machine.metadata;
    const isTold = findCondition(machine.status?.conditions, 'Deleting')?.reason === agentLeaves;
    if (isTold && !told.has(name)) told.set(name, now);
    const toldAt = told.get(name);
    return {
      ...(isTold && toldAt !== undefined ? { toldMs: now - toldAt } : {}),
      node,
      claimedBy: owner === machine.metadata.name ? undefined : owner,
      heard: leases.heard(machine.metadata.name, now),
      awaited: assigner.awaited(machine.metadata.name),
      watchedMs: now - began,
    };
  };

  const self = controller({
    ...options,
    name: 'machine',
    workers: 8,
    async reconcile(name, { signal }) {
      const machine = caches.machines.get(name);
      if (machine === undefined) {
        waiting.delete(name);
        told.delete(name);
        return {};
      }
      const facts = factsOf(machine);
      if (machine.metadata.deletionTimestamp !== undefined) {
        const isGoing =
          machine.spec.deletionPolicy === 'Delete' && (await definitions.isGoing(Machine.plural, signal));
        if (isGoing || planDeletion(machine, silenceOf(facts)).release) {
          await release(machine, facts, isGoing || machine.spec.deletionPolicy === 'Retain', signal);
          return {};
        }
      } else {
        const isThere = await ensureFinalizer(client, Machine, machine, machineFinalizer, signal);
        if (isThere === undefined) return {};
        await syncNode(client, machine, facts, signal);
      }
      const before = ownStatus(machine);
      const status = machineStatus(machine, facts, clock.now());
      if (isSameStatus(status, before)) {
        waiting.delete(name);
        return { afterMs: nextLook(facts) };
      }
      const waited = clock.monotonic() - (waiting.get(name) ?? clock.monotonic());
      if (canWait(before, status) && waited < settleMs) {
        if (!waiting.has(name)) waiting.set(name, clock.monotonic());
        return { afterMs: settleMs - waited };
      }
      waiting.delete(name);
      await writeStatus(options, machine, before, status, signal);
      return { afterMs: nextLook(facts) };
    },
  })
    .for(caches.machines)
    .watches(caches.nodes, (node) => caches.machines.keysBy('nodeName', node.name))
    .watches(caches.leases, ({ machine }, change) =>
      // Renewals are no news, but from one that was thought lost.
      change.new === undefined || isLost(caches.machines.get(machine)) ? [machine] : [],
    );
  assigner.onPlanned((machine) => self.enqueue(machine));
  return self;

  /** What was brought is gone from the host, or stays there as the policy says: now the Machine may go. */
  async function release(
    machine: MachineObject,
    { node, claimedBy }: Facts,
    isRetained: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = machine.metadata;
    if (!isRetained) {
      const patch = node === undefined || claimedBy !== undefined ? undefined : planNodeRemoval(node);
      if (node !== undefined && patch !== undefined) await patchNode(client, node.name, patch, signal);
      await client.delete(Lease, { namespace: systemNamespace, name }, { signal });
    }
    await removeFinalizer(client, Machine, machine, machineFinalizer, signal);
    const what = isRetained ? 'Its host keeps what it has.' : 'Its host was cleaned.';
    events.event(refOf(Machine, machine), 'Normal', 'Released', what);
  }
}

function isLost(machine: MachineObject | undefined): boolean {
  return findCondition(machine?.status?.conditions, 'Ready')?.reason === agentUnreachable;
}

/** Of several Machines that name one Node: the one that it belongs to already, or else the first that was made. */
function ownerOf(caches: MachineOptions['caches'], nodeName: string): string | undefined {
  const claims = caches.machines.by('nodeName', nodeName);
  if (claims.length === 1) return claims[0]?.metadata.name;
  const labelled = caches.nodes.get(nodeName)?.labels['kubenode.io/machine'];
  const owner = claims.find(({ metadata }) => metadata.name === labelled);
  if (owner !== undefined) return owner.metadata.name;
  const age = ({ metadata }: MachineObject): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return claims.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))[0]?.metadata.name;
}

async function syncNode(
  client: Client,
  machine: MachineObject,
  facts: Facts,
  signal: AbortSignal,
): Promise<void> {
  const { node, claimedBy } = facts;
  if (node === undefined || claimedBy !== undefined || machine.spec.paused) return;
  const patch = planNode(machine, node, isInitialized(machine, facts));
  if (patch !== undefined) await patchNode(client, node.name, patch, signal);
}

async function patchNode(client: Client, name: string, body: NodePatch, signal: AbortSignal): Promise<void> {
  await client.patch(Node, name, { type: 'merge', body }, { fieldManager: fieldManagers.machine, signal });
}

async function writeStatus(
  { client, events }: MachineOptions,
  machine: MachineObject,
  before: OwnStatus,
  status: OwnStatus,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid } = machine.metadata;
  await client.apply(
    Machine,
    // The uid: an apply to a Machine that is gone must not make another.
    { metadata: { name, ...(uid && { uid }) }, status },
    { fieldManager: fieldManagers.machine, force: true, subresource: 'status', signal },
  );
  const was = findCondition(before.conditions, 'Ready');
  const is = findCondition(status.conditions, 'Ready');
  if (is !== undefined && (was?.status !== is.status || was.reason !== is.reason)) {
    // What was Ready and is not is a harm; on the way there, or to a new revision, it is the course of things.
    const isHarm = was?.status === 'True' && is.reason !== 'ComponentsPending';
    events.event(
      refOf(Machine, machine),
      isHarm ? 'Warning' : 'Normal',
      is.reason,
      is.message === '' ? 'The machine is Ready.' : is.message,
    );
  }
}
