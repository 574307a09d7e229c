import type { Machine, MachineComponentSet as MachineComponentSetObject } from '@kubenode/api';
import {
  type Client,
  type Controller,
  controller,
  ensureFinalizer,
  type EventRecorder,
  isAlreadyExists,
  isInvalid,
  type Logger,
  refOf,
  type Registry,
  removeFinalizer,
} from '@kubenode/runtime';
import type { Caches } from '../caches.ts';
import type { Definitions } from '../definitions.ts';
import { MachineComponent, MachineComponentSet } from '../kinds.ts';
import { revisionName, setLabel, superfluous } from './template.ts';

/** Machines that leave a set in this time are looked at together, in milliseconds. */
const gatherMs = 1000;

/** On sets whose deletion removes their component from the machines first. */
export const removalFinalizer = 'kubenode.io/removal';

export interface MachineComponentSetOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'sets' | 'revisions'>;
  readonly definitions: Definitions;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
}

/** Makes the revisions that templates stand for, clears away old ones, and holds back the deletion of a set that cleans its machines. */
export function machineComponentSetController(options: MachineComponentSetOptions): Controller {
  const { client, caches } = options;
  const self = controller({
    ...options,
    name: 'machinecomponentset',
    async reconcile(name, { signal }) {
      const set = caches.sets.get(name);
      if (set === undefined) return;
      await holdForRemoval(options, set, signal);
      if (set.metadata.deletionTimestamp !== undefined) return;
      await makeRevision(options, set, signal);
      await clearRevisions(client, caches, set, signal);
    },
  })
    .for(caches.sets)
    .watches(caches.revisions, ({ set }) => (set === undefined ? [] : [set]));
  caches.machines.on(({ old, new: now }) => {
    const before = setsOf(old);
    const after = setsOf(now);
    // A set that machines leave may go, and revisions of its templates with it.
    for (const set of before) if (!after.has(set)) self.enqueue(set, { afterMs: gatherMs });
  });
  return self;
}

function setsOf(machine: Machine | undefined): ReadonlySet<string> {
  return new Set((machine?.spec.components ?? []).flatMap((entry) => entry.set ?? []));
}

/** With removal: Remove a set stays until the assigner has had its component removed everywhere. */
async function holdForRemoval(
  { client, caches, definitions }: MachineComponentSetOptions,
  set: MachineComponentSetObject,
  signal: AbortSignal,
): Promise<void> {
  const isDeleted = set.metadata.deletionTimestamp !== undefined;
  const isLeft = caches.machines.keysBy('set', set.metadata.name).length > 0;
  const cleans =
    set.spec.removal === 'Remove' &&
    !(isDeleted && (await definitions.isGoing(MachineComponentSet.plural, signal)));
  if (cleans && !isDeleted) await ensureFinalizer(client, MachineComponentSet, set, removalFinalizer, signal);
  else if (!cleans || !isLeft) {
    await removeFinalizer(client, MachineComponentSet, set, removalFinalizer, signal);
  }
}

async function makeRevision(
  { client, caches, events }: MachineComponentSetOptions,
  set: MachineComponentSetObject,
  signal: AbortSignal,
): Promise<void> {
  const spec = set.spec.template?.spec;
  if (spec === undefined) return;
  const name = revisionName(spec);
  if (caches.revisions.get(name) !== undefined) return;
  const ref = refOf(MachineComponentSet, set);
  try {
    await client.create(
      MachineComponent,
      { metadata: { name, labels: { [setLabel]: set.metadata.name } }, spec },
      { fieldManager: 'kubenode-assigner', signal },
    );
    events.event(ref, 'Normal', 'RevisionMade', `MachineComponent ${name} was made from spec.template.`);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    if (isInvalid(error)) events.event(ref, 'Warning', 'InvalidTemplate', `spec.template: ${error.message}`);
    throw error;
  }
}

async function clearRevisions(
  client: Client,
  caches: MachineComponentSetOptions['caches'],
  set: MachineComponentSetObject,
  signal: AbortSignal,
): Promise<void> {
  const { currentRevision, updateRevision } = set.status ?? {};
  const template = set.spec.template && revisionName(set.spec.template.spec);
  const made = caches.revisions.by('set', set.metadata.name).map(({ metadata }) => ({
    name: metadata.name,
    createdAt: metadata.creationTimestamp ?? '',
    inUse: caches.machines.keysBy('revision', metadata.name).length > 0,
  }));
  for (const name of superfluous(made, [template, set.spec.revision, currentRevision, updateRevision])) {
    await client.delete(MachineComponent, name, { signal });
  }
}
