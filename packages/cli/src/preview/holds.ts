import {
  agentUnreachable,
  type Machine,
  type MachineComponentSet,
  type NodeDisruptionBudget,
} from '@kubenode/api';
import { isUnhealthy, matches, windowAt } from '@kubenode/machine';
import { findCondition } from '@kubenode/runtime';
import { budgetFinding } from '../why/disruption.ts';
import { haltOf } from '../rollout-state.ts';

/** What is in the way of a rollout now, and what a person can do. */
export interface Hold {
  readonly what: string;
  /** RFC 3339; when it is over by itself, where that is known. */
  readonly until?: string;
  readonly help?: string;
}

/** @param now epoch milliseconds */
export function holdsOf(
  {
    set,
    before,
    conflict,
    machines,
    budget,
    disturbs,
  }: {
    /** As it would be. */
    readonly set: MachineComponentSet;
    /** As it is; undefined: it is new. */
    readonly before: MachineComponentSet | undefined;
    /** What the planner says of another set of the same priority. */
    readonly conflict: string | undefined;
    readonly machines: readonly Machine[];
    readonly budget: NodeDisruptionBudget | undefined;
    /** It restarts, drains or reboots. */
    readonly disturbs: boolean;
  },
  now: number,
): readonly Hold[] {
  const { name } = set.metadata;
  const selected = machines.filter(({ metadata }) => matches(set.spec.selector, metadata.labels ?? {}));
  return [
    ...(set.spec.paused
      ? [{ what: 'the set is paused (spec.paused)', help: `kubenode resume set/${name}` }]
      : []),
    ...stoppedHold(set, before),
    ...(conflict === undefined ? [] : [{ what: conflict }]),
    ...windowHolds(set, now),
    ...(disturbs ? budgetHolds(budget, now) : []),
    ...machineHolds(selected),
  ];
}

function stoppedHold(set: MachineComponentSet, before: MachineComponentSet | undefined): Hold[] {
  const halt = haltOf(set);
  if (halt !== undefined) {
    return [
      {
        what: `a failure has stopped this rollout in batch ${halt.batch} (${halt.cause}): ${halt.message}`,
        help: `mend the cause, then kubenode retry set/${set.metadata.name}`,
      },
    ];
  }
  const { batch, updateRevision } = before?.status ?? {};
  if (before === undefined || before === set || batch === undefined || batch.state === 'Done') return [];
  return [
    {
      what: `the rollout of ${updateRevision ?? ''} is under way (batch ${batch.number}, ${batch.state}): this one takes its place`,
    },
  ];
}

function windowHolds({ spec }: MachineComponentSet, now: number): Hold[] {
  const opening = windowAt(spec.rollout.windows, now);
  if (opening.open) return [];
  const what = opening.problem ?? 'spec.rollout.windows are closed now';
  return opening.next === undefined
    ? [{ what, help: 'change spec.rollout.windows' }]
    : [{ what, until: new Date(opening.next).toISOString() }];
}

function budgetHolds(budget: NodeDisruptionBudget | undefined, now: number): Hold[] {
  const shut = budgetFinding(budget);
  if (shut !== undefined) {
    const hold = {
      what: `the disruption budget is closed: ${shut.why}`,
      ...(shut.help === undefined ? {} : { help: shut.help }),
    };
    return [shut.at === undefined ? hold : { ...hold, until: shut.at }];
  }
  if (budget === undefined) return [];
  const opening = windowAt(budget.spec.windows, now);
  if (opening.open) return [];
  const what = opening.problem ?? 'the windows of the disruption budget are closed now';
  return [opening.next === undefined ? { what } : { what, until: new Date(opening.next).toISOString() }];
}

function machineHolds(machines: readonly Machine[]): Hold[] {
  const silent = machines.filter(
    ({ status }) => findCondition(status?.conditions, 'Ready')?.reason === agentUnreachable,
  );
  const unheard = machines.filter(
    ({ status }) => findCondition(status?.conditions, 'AgentReady') === undefined,
  );
  const paused = machines.filter(({ spec }) => spec.paused);
  const ill = machines.filter((machine) => !silent.includes(machine) && isUnhealthy(machine));
  return [
    ...named('unreachable: they take capacity, and get it when they are back', silent),
    ...named('without an agent: they get it when one reports', unheard),
    ...named('paused: they are left alone; kubenode resume machine/NAME', paused),
    ...named('not Ready: an inspection may find that; kubenode why NAME', ill),
  ];
}

const mostNames = 5;

function named(what: string, machines: readonly Machine[]): Hold[] {
  if (machines.length === 0) return [];
  const names = machines.slice(0, mostNames).map(({ metadata }) => metadata.name);
  const more = machines.length > mostNames ? ` and ${machines.length - mostNames} more` : '';
  return [{ what: `${names.join(', ')}${more}: ${what}` }];
}
