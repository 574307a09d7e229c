import type { Machine, MachineComponent, MachineComponentEntry, PlannedChange } from '@kubenode/api';
import { look } from '../execute/look.ts';
import { readOwners, withIds } from '../execute/owners.ts';
import { compare } from '../plan/changes.ts';
import { type DesiredMachine, type Goal, type GoalFile, isBlocked, resolveGoal } from '../plan/goal.ts';
import type { Changes } from '../plan/operation.ts';
import type { Host } from '../ports.ts';

/** What `plan` reads: objects as the API has them. */
export interface PlanRequest {
  readonly machine: Pick<Machine, 'spec'> & { readonly metadata: { readonly name: string } };
  readonly revisions: readonly MachineComponent[];
}

/**
 * What taking over the host would change, component by component, and what of it can be reverted. Only reads: archives are not
 * downloaded, so of what they hold it can say no more than where it would go.
 */
export async function planHost(request: PlanRequest, host: Host): Promise<readonly PlannedChange[]> {
  const entries = request.machine.spec.components ?? [];
  const revisions = new Map(request.revisions.map((revision) => [revision.metadata.name, revision]));
  const machine: DesiredMachine = {
    name: request.machine.metadata.name,
    uid: '',
    generation: 0,
    nodeName: request.machine.spec.nodeName ?? '',
    paused: false,
    entries,
  };
  const facts = await host.facts();
  const changes: PlannedChange[] = [];
  for (const entry of entries) {
    if (entry.state === 'Absent') continue;
    const revision = revisions.get(entry.revision);
    if (revision === undefined) {
      changes.push(blocked(entry, `MachineComponent ${entry.revision} does not exist`));
      continue;
    }
    const known = { name: entry.revision, uid: revision.metadata.uid ?? '', spec: revision.spec };
    const goal = resolveGoal(entry, known, { machine, facts });
    if (isBlocked(goal)) changes.push(blocked(entry, goal.message));
    else changes.push(...(await planGoal(goal, host)));
  }
  return changes;
}

async function planGoal(goal: Goal, host: Host): Promise<readonly PlannedChange[]> {
  const files = withIds([...goal.files, ...singleFile(goal)], await readOwners(host.files));
  const view = await look(host, goal, files);
  const found = compare(goal, files, view, undefined, []);
  const unknown = goal.artifact !== undefined && goal.artifact.kind !== 'file';
  return [...(unknown ? [unpacking(goal)] : []), ...describe(goal, files, found)];
}

/** An artifact of a single file is known without a download: its digest stands in the revision. */
function singleFile({ artifact }: Goal): GoalFile[] {
  if (artifact?.kind !== 'file') return [];
  const { path, mode, digest } = artifact;
  return [{ path, kind: 'file', source: 'artifact', mode, digest, onChange: 'Restart' }];
}

function unpacking({ component, artifact }: Goal): PlannedChange {
  const address = artifact?.kind === 'oci' ? artifact.image : (artifact?.url ?? '');
  return {
    component,
    action: 'unpack',
    target: artifact?.path ?? '/',
    reason: `from ${address}, after its digest is verified; files that are the same already are left alone`,
    revertible: true,
  };
}

function describe(goal: Goal, files: readonly GoalFile[], found: Changes): PlannedChange[] {
  const { component } = goal;
  const changes: PlannedChange[] = [];
  const add = (action: string, target: string, reason: string, revertible = true): void => {
    changes.push({
      component,
      action,
      target: target.slice(0, 512),
      reason: reason.slice(0, 512),
      revertible,
    });
  };
  if (found.package !== undefined && goal.package) {
    add(
      'install package',
      `${goal.package.name}=${goal.package.version}`,
      found.package,
      found.package.endsWith('is not installed'),
    );
  }
  const mode = new Map(files.map((file) => [file.path, file.mode]));
  for (const { path, why } of found.writes) {
    if (why === 'absent') add('create file', path, 'it is not there');
    else if (why === 'mode' || why === 'owner')
      add('set mode and owner', path, `to ${(mode.get(path) ?? 0).toString(8)}`);
    else add('replace file', path, `its ${why} differs`);
  }
  if (goal.unit && found.unmask) add('unmask unit', goal.unit.name, 'it is masked');
  if (goal.unit && found.enable) add('enable unit', goal.unit.name, 'it is not enabled');
  if (goal.unit && found.service !== 'None')
    add(
      `${found.service.toLowerCase()} unit`,
      goal.unit.name,
      found.serviceReason,
      found.service !== 'Restart',
    );
  if (changes.length > 0) {
    for (const name of ['preInstall', 'postInstall', 'postStart'] as const) {
      const hook = goal.hooks[name];
      if (hook) add('run hook', `${name}: ${hook.command.join(' ')}`, 'what a hook does is not known', false);
    }
  }
  return changes;
}

function blocked({ name, revision }: MachineComponentEntry, reason: string): PlannedChange {
  return {
    component: name,
    action: 'blocked',
    target: revision,
    reason: reason.slice(0, 512),
    revertible: true,
  };
}
