import type { MachineComponentEntry } from '@kubenode/api';
import type { HostFacts } from '../ports.ts';
import { type DesiredMachine, type Goal, isBlocked, resolveGoal, type Revision } from './goal.ts';
import type { ComponentRecord, Operation } from './operation.ts';
import { compareVersions } from './version.ts';

/** What is to be done about one component now. */
export type Decision =
  /** Start an operation, in place of the one under way if there is one. */
  | {
      readonly do: 'Start';
      readonly kind: 'Install' | 'Remove';
      readonly goal: Goal;
      readonly reason: string;
      readonly retryToken: string;
    }
  /** Carry on with the operation in the journal. */
  | { readonly do: 'Resume' }
  /** Keep what runs as it is: checked and repaired. */
  | { readonly do: 'Hold' }
  /** Something has to come first; what runs is held meanwhile. */
  | { readonly do: 'Wait'; readonly message: string; readonly reason: string; readonly until?: number };
export interface ComponentDecision {
  readonly component: string;
  readonly entry: MachineComponentEntry | undefined;
  readonly decision: Decision;
}

export interface DecideInput {
  /** undefined: never known on this host. */
  readonly machine: DesiredMachine | undefined;
  readonly revisions: ReadonlyMap<string, Revision>;
  readonly facts: HostFacts;
  readonly records: ReadonlyMap<string, ComponentRecord>;
  readonly operations: ReadonlyMap<string, Operation>;
  /** Components whose state on this host is of a newer agent, and unreadable. */
  readonly newer?: ReadonlySet<string>;
  /** Whether the component, as applied, is right in every way. */
  readonly healthy: (component: string) => boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * What to do about every component, dependencies first. Pure. Absence of an entry or of the Machine means hold.
 * One bad component blocks itself and what depends on it, and nothing else.
 */
export function decide(input: DecideInput): readonly ComponentDecision[] {
  const entries = new Map((input.machine?.entries ?? []).map((entry) => [entry.name, entry]));
  const goals = new Map<string, ReturnType<typeof resolveEntry>>();
  for (const entry of entries.values()) goals.set(entry.name, resolveEntry(entry, input));
  const dependencies = dependencyGraph(entries, goals, input.records);
  const { order, circles } = sort(dependencies);
  const names = new Set([...order, ...input.records.keys(), ...input.operations.keys()]);
  const context: Context = { input, entries, goals, dependencies, circles };
  return [...names].map((component) => ({
    component,
    entry: entries.get(component),
    decision: decideOne(component, context),
  }));
}

interface Context {
  readonly input: DecideInput;
  readonly entries: ReadonlyMap<string, MachineComponentEntry>;
  readonly goals: ReadonlyMap<string, ReturnType<typeof resolveEntry>>;
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  readonly circles: ReadonlyMap<string, readonly string[]>;
}

function resolveEntry(entry: MachineComponentEntry, { revisions, machine, facts }: DecideInput) {
  const revision = revisions.get(entry.revision);
  if (revision === undefined || machine === undefined) {
    return {
      reason: 'RevisionMissing' as const,
      message: `MachineComponent ${entry.revision} could not be read: it does not exist, or the API server does not answer. Looked for again`,
    };
  }
  if (entry.revisionUID !== undefined && entry.revisionUID !== revision.uid) {
    return {
      reason: 'RevisionReplaced' as const,
      message: `MachineComponent ${entry.revision} was deleted and made again (uid ${revision.uid}, expected ${entry.revisionUID}): give the new one another name and move the set to it`,
    };
  }
  return resolveGoal(entry, revision, { machine, facts });
}

function decideOne(component: string, context: Context): Decision {
  const { input, entries, goals } = context;
  const entry = entries.get(component);
  const operation = input.operations.get(component);
  if (input.newer?.has(component))
    return wait(
      'StateNewer',
      'a newer agent has written what is known of it on this host, and this one cannot read that: it is held as it is. Upgrade the agent',
    );
  if (input.machine?.paused)
    return operation
      ? wait('Paused', 'the Machine is paused; the operation goes on when it is not')
      : { do: 'Hold' };
  if (entry === undefined) return operation ? { do: 'Resume' } : { do: 'Hold' };
  if (entry.state === 'Absent') return decideRemoval(component, entry, context);
  if (operation?.kind === 'Remove') {
    const goal = goals.get(component);
    if (goal !== undefined && !isBlocked(goal)) return start('Install', goal, 'it belongs here again', entry);
  }
  const goal = goals.get(component);
  if (goal === undefined) return { do: 'Hold' };
  if (isBlocked(goal)) return operation ? { do: 'Resume' } : wait(goal.reason, goal.message);
  return decidePresence(goal, entry, context);
}

function decidePresence(goal: Goal, entry: MachineComponentEntry, context: Context): Decision {
  const { input } = context;
  const { component } = goal;
  const record = input.records.get(component);
  const operation = input.operations.get(component);
  const retryToken = entry.retryToken ?? '';
  const failed = record?.failed;
  const sameFailure =
    failed !== undefined &&
    failed.removal !== true &&
    failed.goalKey === goal.key &&
    failed.retryToken === retryToken;
  if (operation) {
    const follows =
      operation.goal.key === goal.key && operation.retryToken === retryToken && operation.kind !== 'Remove';
    if (follows || operation.kind === 'Repair' || (operation.kind === 'Rollback' && sameFailure))
      return { do: 'Resume' };
  } else if (record?.applied?.goal.key === goal.key) {
    return { do: 'Hold' };
  } else if (sameFailure) {
    if (failed.retryAt === undefined) return { do: 'Hold' };
    if (failed.retryAt > input.now)
      return { do: 'Wait', reason: 'Backoff', message: failed.message, until: failed.retryAt };
  }
  const obstacle = dependencyObstacle(goal, context);
  if (obstacle !== undefined) return obstacle;
  const from = record?.applied?.goal.revision;
  return start(
    'Install',
    goal,
    from === undefined ? 'it belongs here' : `${goal.revision} follows ${from}`,
    entry,
  );
}

function decideRemoval(component: string, entry: MachineComponentEntry, context: Context): Decision {
  const { input, entries, dependencies } = context;
  const operation = input.operations.get(component);
  if (operation?.kind === 'Remove') return { do: 'Resume' };
  const record = input.records.get(component);
  const applied = record?.applied;
  const goal = applied?.goal ?? operation?.goal;
  if (goal === undefined) return { do: 'Hold' };
  const users = [...dependencies].filter(([name, needs]) => {
    if (!needs.includes(component)) return false;
    return entries.get(name)?.state !== 'Absent' || input.records.get(name)?.applied !== undefined;
  });
  if (users.length > 0) {
    return wait(
      'StillNeeded',
      `${users.map(([name]) => name).join(', ')} depends on it and has to be removed first`,
    );
  }
  const failed = record?.failed;
  const backsOff = failed?.removal === true && failed.retryToken === (entry.retryToken ?? '');
  if (backsOff && (failed.retryAt ?? 0) > input.now) {
    return {
      do: 'Wait',
      reason: 'Backoff',
      message: failed.message,
      ...(failed.retryAt === undefined ? {} : { until: failed.retryAt }),
    };
  }
  return start('Remove', goal, 'its entry says Absent', entry);
}

function dependencyObstacle(goal: Goal, { input, entries, goals, circles }: Context): Decision | undefined {
  const notReady = (message: string): Decision => wait('DependencyNotReady', message);
  const circle = circles.get(goal.component);
  if (circle !== undefined) {
    return wait(
      'DependencyCircle',
      `the dependencies go in a circle: ${[...circle, circle[0]].join(' -> ')}. Take one of them out of spec.dependsOn`,
    );
  }
  for (const { component, minVersion } of goal.dependsOn) {
    const entry = entries.get(component);
    const record = input.records.get(component);
    if (entry?.state !== 'Present' && record?.applied === undefined) {
      return wait(
        'DependencyMissing',
        `MachineComponent ${goal.revision} spec.dependsOn names ${component}, which is not assigned to this machine: make a MachineComponentSet for it that selects this machine, or correct dependsOn`,
      );
    }
    const next = goals.get(component);
    if (next !== undefined && isBlocked(next) && record?.applied === undefined)
      return notReady(`waiting for ${component}: ${next.message}`);
    const coming = next !== undefined && !isBlocked(next) ? next.version : undefined;
    const there = record?.applied?.goal.version;
    if (minVersion !== undefined && compareVersions(there ?? coming ?? '0', minVersion) < 0) {
      const will = coming !== undefined && compareVersions(coming, minVersion) >= 0;
      return will
        ? notReady(
            `waiting for ${component} ${minVersion}: ${there === undefined ? 'not installed yet' : `now ${there}`}, ${coming} is on its way`,
          )
        : wait(
            'DependencyMissing',
            `MachineComponent ${goal.revision} needs ${component} ${minVersion} or newer, and this machine has ${there ?? coming}: move its set to a newer revision`,
          );
    }
    if (input.operations.has(component))
      return notReady(`waiting for ${component}, which is being worked on`);
    if (record?.applied === undefined)
      return notReady(`waiting for ${component}, which is not installed yet`);
    const moves =
      next !== undefined &&
      !isBlocked(next) &&
      record.applied.goal.key !== next.key &&
      record.failed?.goalKey !== next.key;
    if (moves) return notReady(`waiting for ${component}, which moves to ${entry?.revision} first`);
    if (!input.healthy(component)) return notReady(`waiting for ${component}, which is not healthy`);
  }
  return undefined;
}

function dependencyGraph(
  entries: ReadonlyMap<string, MachineComponentEntry>,
  goals: ReadonlyMap<string, Goal | { reason: string; message: string }>,
  records: ReadonlyMap<string, ComponentRecord>,
): Map<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>();
  for (const name of new Set([...entries.keys(), ...records.keys()])) {
    const goal = goals.get(name);
    const needs =
      goal !== undefined && 'dependsOn' in goal
        ? goal.dependsOn
        : (records.get(name)?.applied?.goal.dependsOn ?? []);
    graph.set(
      name,
      needs.map(({ component }) => component),
    );
  }
  return graph;
}

/** Dependencies before what depends on them; members of circles, each with its circle, come where they were named. */
function sort(graph: ReadonlyMap<string, readonly string[]>): {
  order: string[];
  circles: Map<string, readonly string[]>;
} {
  const order: string[] = [];
  const circles = new Map<string, readonly string[]>();
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) {
      const circle = path.slice(at);
      for (const member of circle) circles.set(member, circle);
      return;
    }
    if (done.has(name) || !graph.has(name)) return;
    for (const need of graph.get(name) ?? []) visit(need, [...path, name]);
    if (!done.has(name)) order.push(name);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return { order, circles };
}

function start(
  kind: 'Install' | 'Remove',
  goal: Goal,
  reason: string,
  entry: MachineComponentEntry,
): Decision {
  return { do: 'Start', kind, goal, reason, retryToken: entry.retryToken ?? '' };
}
function wait(reason: string, message: string): Decision {
  return { do: 'Wait', reason, message };
}
