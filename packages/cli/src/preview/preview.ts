import type { Machine, MachineComponent, MachineComponentSet } from '@kubenode/api';
import { matches, revisionOf } from '@kubenode/machine';
import { findCondition, formatDuration } from '@kubenode/runtime';
import { CommandError } from '../command.ts';
import { usualMs } from './agents.ts';
import { differences } from './differences.ts';
import { type Hold, holdsOf } from './holds.ts';
import { type Given, type PreviewBatch, simulate } from './simulate.ts';

/** What a change would do: the shape of -o json. */
export interface Preview {
  readonly set: string;
  /** Revisions that run now on the machines to be moved, most frequent first. */
  readonly from: readonly string[];
  readonly to: string;
  /** What is not the same in the most frequent one and the new one. */
  readonly differences: readonly string[];
  /** What bringing it in costs a machine: None, Reload, Restart, Drain or Reboot. */
  readonly disruption: string;
  /** Of the machines moved, those where something that runs is disturbed. */
  readonly disturbed: number;
  readonly batches: readonly PreviewBatch[];
  /** Machines that are never moved as things are. */
  readonly left: readonly string[];
  /** Whether the rollout ends, where everything goes well. */
  readonly isDone: boolean;
  /** Until the end, or until nothing happens any more, in milliseconds. */
  readonly durationMs: number;
  /** What the duration is made of, for people. */
  readonly assumptions: readonly string[];
  readonly holds: readonly Hold[];
  /** Why it does not end; absent where it does. */
  readonly stuck?: string;
}

export interface Asked extends Omit<Given, 'settleMs'> {
  /** The set as it is; undefined: it is new. */
  readonly before: MachineComponentSet | undefined;
  /** Milliseconds; undefined: as the machines took the last time, otherwise a minute. */
  readonly settleMs: number | undefined;
}

const settleMsDefault = 60_000;

/** @throws CommandError where the revision does not exist */
export function previewOf(asked: Asked): Preview {
  const { set, machines, now } = asked;
  const to = revisionOf(set);
  const target = revisionNamed(asked, to);
  const measured = usualMs(set.spec.component, machines);
  const settleMs = asked.settleMs ?? measured ?? settleMsDefault;
  const simulated = simulate({ ...asked, set: goingOn(set), settleMs });
  const moved = new Set(simulated.batches.flatMap((batch) => batch.machines));
  const from = runningOn(
    set,
    machines.filter(({ metadata }) => moved.has(metadata.name)),
  );
  const source = asked.revisions.find(({ metadata }) => metadata.name === from[0]);
  const conflicted = findCondition(simulated.status.conditions, 'Conflicted');
  const left = machines.filter((machine) => wants(machine, set, to) && !moved.has(machine.metadata.name));
  const ready = findCondition(simulated.status.conditions, 'Ready');
  const { disruption } = target.spec;
  return {
    set: set.metadata.name,
    from,
    to,
    differences: source === undefined || source === target ? [] : differences(source.spec, target.spec),
    disruption,
    disturbed: disruption === 'None' || disruption === 'Reload' ? 0 : disturbedOf(set, machines, moved),
    batches: simulated.batches,
    left: left.map(({ metadata }) => metadata.name),
    isDone: simulated.isDone,
    durationMs: simulated.durationMs,
    assumptions: assumptionsOf(
      set,
      settleMs,
      asked.settleMs === undefined ? measured : undefined,
      simulated.heldByBudgetMs,
    ),
    holds: holdsOf(
      {
        ...asked,
        conflict: conflicted?.status === 'True' ? conflicted.message : undefined,
        disturbs: disruption !== 'None' && disruption !== 'Reload',
      },
      now,
    ),
    ...(simulated.isDone ? {} : { stuck: ready?.message ?? 'the planner does not say' }),
  };
}

function revisionNamed({ revisions, set }: Asked, name: string): MachineComponent {
  const found = revisions.find(({ metadata }) => metadata.name === name);
  const where = `set/${set.metadata.name}`;
  if (found === undefined)
    throw new CommandError(
      `${where}: there is no MachineComponent ${name}: apply it first, or give its manifest with -f`,
    );
  if (found.spec.component !== set.spec.component)
    throw new CommandError(
      `${where}: ${name} is a revision of ${found.spec.component}, not of ${set.spec.component}`,
    );
  return found;
}

/** As it would go on once a person has taken away what stops it: holds tell of that. */
function goingOn(set: MachineComponentSet): MachineComponentSet {
  const { halted: _, ...status } = set.status ?? {};
  return { ...set, spec: { ...set.spec, paused: false }, status };
}

function wants(machine: Machine, set: MachineComponentSet, to: string): boolean {
  if (!matches(set.spec.selector, machine.metadata.labels ?? {})) return false;
  const entry = machine.spec.components?.find(({ name }) => name === set.spec.component);
  return entry?.revision !== to || entry.set !== set.metadata.name;
}

function runningOn(set: MachineComponentSet, machines: readonly Machine[]): string[] {
  const counts = new Map<string, number>();
  for (const { status } of machines) {
    const running = status?.components?.find(({ name }) => name === set.spec.component)?.running;
    if (running !== undefined) counts.set(running, (counts.get(running) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([revision]) => revision);
}

function disturbedOf(
  set: MachineComponentSet,
  machines: readonly Machine[],
  moved: ReadonlySet<string>,
): number {
  return machines.filter(
    ({ metadata, status }) =>
      moved.has(metadata.name) &&
      status?.components?.some(({ name, running }) => name === set.spec.component && running !== undefined),
  ).length;
}

function assumptionsOf(
  { spec }: MachineComponentSet,
  settleMs: number,
  measured: number | undefined,
  heldMs: number,
): string[] {
  const { observation, inspections, windows } = spec.rollout;
  const source = measured === undefined ? 'a guess; --settle says otherwise' : 'the median of the last time';
  return [
    `${formatDuration(settleMs)} until a machine is Ready (${source})`,
    `${observation} of observation after each batch`,
    ...(inspections.length > 0
      ? [`inspections that pass at once: ${inspections.map(({ name }) => name).join(', ')}`]
      : []),
    ...(windows.length > 0 ? ['batches begin in the windows only'] : []),
    ...(heldMs > 0 ? [`${formatDuration(heldMs)} of it waiting for the disruption budget`] : []),
  ];
}
