import type { MachineComponentEntry } from '@kubenode/api';
import { resolveVariables, sameValues } from './variables.ts';
import type { ComponentView, MachineView, SetView } from './view.ts';

/** A revision that machines can be moved to. */
export interface Target {
  readonly revision: string;
  readonly uid: string;
}

/** What a set asks for: `update` is where it moves machines to, `completed` what it has brought to all of them before. */
export interface Targets {
  readonly update: Target | undefined;
  readonly completed: Target | undefined;
}

/**
 * What a set would have a machine do.
 * Join: the machine is new to the component and gets what was completed, or it runs already what it gets. Move: it runs another
 * revision or with other values, or nothing was ever completed. Remove: it is no longer selected, and the set says Remove. Nothing else
 * ever changes what a machine runs.
 */
export interface Wish {
  readonly need: 'None' | 'Join' | 'Move' | 'Remove';
  /** The entry to write for that need, still without rollout, batch and time. */
  readonly wanted: MachineComponentEntry | undefined;
  /** The entry is there, and it is what the set asks for. */
  readonly updated: boolean;
  /** Why it can't be moved now, whatever the rollout says; undefined: it can. */
  readonly blocked: string | undefined;
}

export function wishToRemove(entry: MachineComponentEntry | undefined): Wish {
  const blocked = undefined;
  if (entry === undefined || entry.state === 'Absent') {
    return { need: 'None', wanted: undefined, updated: true, blocked };
  }
  return { need: 'Remove', wanted: { ...entry, state: 'Absent' }, updated: false, blocked };
}

export function wishOf(
  machine: MachineView,
  set: SetView,
  entry: MachineComponentEntry | undefined,
  status: ComponentView | undefined,
  targets: Targets,
): Wish {
  const { update, completed } = targets;
  const none: Wish = { need: 'None', wanted: undefined, updated: false, blocked: undefined };
  if (update === undefined && (completed === undefined || entry !== undefined)) return none;
  const resolved = resolveVariables(set.variables, machine.labels, entry?.variables);
  if ('missing' in resolved) {
    const blocked = `variable ${resolved.missing} has no value: the machine has no label ${resolved.label}, and the variable no default`;
    return { ...none, need: entry === undefined ? 'Join' : 'Move', blocked };
  }
  const wantedOf = (target: Target): MachineComponentEntry => ({
    name: set.component,
    revision: target.revision,
    revisionUID: target.uid,
    set: set.name,
    ...(Object.keys(resolved.values).length === 0 ? {} : { variables: resolved.values }),
    drift: set.drift,
    ...(set.retryToken === '' ? {} : { retryToken: set.retryToken }),
    state: 'Present',
  });
  if (entry === undefined) {
    // What runs there already was brought by an entry that got lost (the Machine was made anew): it moves only as others do.
    const runs = status?.running;
    if (completed !== undefined && (runs === undefined || runs === completed.revision)) {
      return { ...none, need: 'Join', wanted: wantedOf(completed) };
    }
    if (update === undefined) return none;
    return { ...none, need: runs === update.revision ? 'Join' : 'Move', wanted: wantedOf(update) };
  }
  if (update === undefined) return none;
  const wanted = wantedOf(update);
  if (runsTheSame(entry, wanted)) return { ...none, updated: true };
  return { ...none, need: 'Move', wanted };
}

/** Nothing that the host would act on differs. To let go (Report) needs no rollout; to begin repairing does. */
function runsTheSame(entry: MachineComponentEntry, wanted: MachineComponentEntry): boolean {
  return (
    entry.state === wanted.state &&
    entry.revision === wanted.revision &&
    entry.revisionUID === wanted.revisionUID &&
    sameValues(entry.variables, wanted.variables) &&
    !(entry.drift === 'Report' && wanted.drift === 'Repair')
  );
}
