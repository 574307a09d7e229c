import type { Machine, MachineComponent as Revision } from '@kubenode/api';
import type { Client } from '@kubenode/runtime';
import { Assignments } from '../assigner/plan.ts';
import { viewOfMachine, viewOfRevision, viewOfSet } from '../member/view.ts';
import { slimRevision } from '../caches.ts';
import { MachineComponent, MachineComponentSet } from '../kinds.ts';
import { revisionName, revisionOf } from '../machinecomponentset/template.ts';
import type { Desired } from './deps.ts';

/**
 * What the assigner would put on a machine that is not there yet: the same pure function, given all sets and revisions and this machine alone.
 *
 * @param now epoch milliseconds
 */
export async function desiredOf(
  client: Client,
  machine: Machine,
  now: number,
  signal: AbortSignal,
): Promise<Desired> {
  const [sets, stored] = await Promise.all([
    client.list(MachineComponentSet, { signal }),
    client.list(MachineComponent, { signal }),
  ]);
  const revisions = new Map(stored.items.map((revision) => [revision.metadata.name, revision]));
  const assignments = new Assignments();
  for (const set of sets.items) {
    const name = revisionOf(set);
    // The revision of a template may not have been made yet, but what would stand in it is known.
    if (set.spec.template !== undefined && !revisions.has(name)) {
      revisions.set(name, ofTemplate(revisionName(set.spec.template.spec), set.spec.template.spec));
    }
    const view = viewOfSet(set, name);
    // What belongs there is asked, not whether it may begin at this hour.
    assignments.putSet({ ...view, rollout: { ...view.rollout, windows: [] } });
  }
  for (const revision of revisions.values()) assignments.putRevision(viewOfRevision(slimRevision(revision)));
  const alone = viewOfMachine(machine);
  // As if its agent had just reported, for it is the agent's first report that brings the first components.
  assignments.putMachine({ ...alone, agent: 'Alive' });
  const components =
    assignments.plan(now).machines.get(machine.metadata.name) ?? machine.spec.components ?? [];
  const named = new Set(components.map(({ revision }) => revision));
  return {
    components,
    revisions: [...revisions.values()].filter(({ metadata }) => named.has(metadata.name)),
  };
}

function ofTemplate(name: string, spec: Revision['spec']): Revision {
  return { apiVersion: 'kubenode.io/v1alpha1', kind: 'MachineComponent', metadata: { name }, spec };
}
