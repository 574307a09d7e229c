import { inUseFinalizer } from '@kubenode/api';
import {
  type Change,
  type Client,
  type Controller,
  controller,
  defineKind,
  ensureFinalizer,
  type EventRecorder,
  type Logger,
  refOf,
  type Registry,
  removeFinalizer,
} from '@kubenode/runtime';
import type { Assigner } from '../assigner/controller.ts';
import { type Caches, type Revision, revisionsNamed } from '../caches.ts';
import { MachineComponent } from '../kinds.ts';
import { revisionOf } from '../machinecomponentset/template.ts';
import { planFinalizer } from './plan.ts';

export interface MachineComponentOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'machines' | 'sets' | 'revisions'>;
  readonly assigner: Pick<Assigner, 'names'>;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
}

/** Who uses a revision is counted once for all machines that change in this time, in milliseconds. */
const gatherMs = 1000;

/** A MachineComponent, as far as the cache keeps it. */
const Kept = defineKind<Revision>(MachineComponent);

/** Keeps revisions from being deleted while a Machine names them. */
export function machineComponentController(options: MachineComponentOptions): Controller {
  const { client, caches, assigner, events } = options;
  const self = controller({
    ...options,
    name: 'machinecomponent',
    async reconcile(name, { signal }) {
      const revision = caches.revisions.get(name);
      if (revision === undefined) return;
      const bySet = [...caches.sets.values()].some(
        (set) => revisionOf(set) === name || set.status?.currentRevision === name,
      );
      const plan = planFinalizer(revision, { machines: caches.machines.keysBy('revision', name), bySet });
      switch (plan.kind) {
        case 'Add':
          await ensureFinalizer(client, Kept, revision, inUseFinalizer, signal);
          return;
        case 'Release':
          // What the assigner has decided and not written yet stands in no Machine.
          if (!assigner.names(name)) {
            await removeFinalizer(client, Kept, revision, inUseFinalizer, signal);
          }
          return;
        case 'Hold':
          events.event(refOf(MachineComponent, revision), 'Warning', 'InUse', plan.note);
          return;
        case 'None':
      }
    },
  })
    .for(caches.revisions)
    .watches(caches.sets, (set) => [revisionOf(set), set.status?.currentRevision ?? '']);
  caches.machines.on((change) => {
    if (!isNews(change)) return;
    const { old, new: now } = change;
    const names = [old, now].flatMap((machine) => (machine === undefined ? [] : revisionsNamed(machine)));
    for (const name of new Set(names)) self.enqueue(name, { afterMs: gatherMs });
  });
  return self;
}

/** The machine names other revisions than before. */
function isNews({ old, new: now }: Change<Parameters<typeof revisionsNamed>[0]>): boolean {
  if (old === undefined || now === undefined) return true;
  return revisionsNamed(old).join() !== revisionsNamed(now).join();
}
