/**
 * What an import does next, as a pure function of its status and the time. The controller does it and writes down how it ended; nothing
 * else is remembered, so an operator that died goes on from here.
 */
import type { ImportStep, MachineImportSpec, MachineImportStatus } from '@kubenode/api';
import { backoffMs, timestamp } from '@kubenode/runtime';

/**
 * The steps, in the words of status.steps. Host steps need an ssh session; watch steps only look at the API, and those that
 * follow each other are looked at together, so that waiting for one holds up nothing but the import's end.
 */
export const steps = {
  Connect: { on: 'host', deadlineMs: 60_000 },
  Inspect: { on: 'host', deadlineMs: 60_000 },
  Plan: { on: 'host', deadlineMs: 900_000 },
  Identity: { on: 'host', deadlineMs: 60_000 },
  Agent: { on: 'host', deadlineMs: 900_000 },
  Certificate: { on: 'watch', deadlineMs: 120_000 },
  Machine: { on: 'watch', deadlineMs: 180_000 },
  Components: { on: 'watch', deadlineMs: 1_800_000 },
  Node: { on: 'watch', deadlineMs: 900_000 },
  Revert: { on: 'host', deadlineMs: 900_000 },
  RemoveAgent: { on: 'host', deadlineMs: 120_000 },
  RemoveMachine: { on: 'watch', deadlineMs: 300_000 },
} as const satisfies Record<string, StepKind>;

interface StepKind {
  readonly on: 'host' | 'watch';
  /** It should be done this long after it was begun. Later it counts as failed, says so, and is tried on. */
  readonly deadlineMs: number;
}
export type StepName = keyof typeof steps;

/** Which steps lead to spec.state, in order. */
export function stepsTo(spec: Pick<MachineImportSpec, 'state' | 'machine'>): readonly StepName[] {
  if (spec.state === 'Planned') return ['Connect', 'Inspect', 'Plan'];
  if (spec.state === 'Reverted') return ['Connect', 'Revert', 'RemoveAgent', 'RemoveMachine'];
  const always: StepName[] = [
    'Connect',
    'Inspect',
    'Identity',
    'Agent',
    'Certificate',
    'Machine',
    'Components',
  ];
  return spec.machine.nodeName === undefined ? always : [...always, 'Node'];
}

/** How a step ended, or what it waits for. */
export type Outcome =
  | { readonly state: 'Done'; readonly message: string }
  /** Looked at again after `againMs`, or when something changes. */
  | { readonly state: 'Waiting'; readonly message: string; readonly againMs: number }
  /** What happened, to what, and what to do. Tried again after a wait that grows. */
  | { readonly state: 'Failed'; readonly message: string };

/** After a failure: 5 s, 10 s, 20 s ... 5 min. Without jitter, so that the status can say when. */
const retry = { baseMs: 5_000, maxMs: 300_000, jitter: 0 } as const;

export type Next =
  /** Do these now; more than one only where all of them are watch steps. */
  | { readonly do: 'Run'; readonly steps: readonly StepName[] }
  | { readonly do: 'Wait'; readonly afterMs: number }
  | { readonly do: 'Nothing' };

/**
 * The steps of this generation as the status has them. A changed spec begins anew: every step first looks whether its work is done
 * already, so what was reached is recognized and not done twice.
 */
export function currentSteps(
  spec: MachineImportSpec,
  status: MachineImportStatus | undefined,
  generation: number,
): readonly ImportStep[] {
  const names = stepsTo(spec);
  const before = status?.observedGeneration === generation ? (status.steps ?? []) : [];
  const known = new Map(before.map((step) => [step.name, step]));
  return names.map((name) => known.get(name) ?? { name, state: 'Waiting' });
}

/** @param now epoch milliseconds */
export function nextOf(list: readonly ImportStep[], now: number): Next {
  const first = list.findIndex((step) => step.state !== 'Done' && step.state !== 'Skipped');
  if (first < 0) return { do: 'Nothing' };
  const due: StepName[] = [];
  for (const step of list.slice(first)) {
    if (step.state === 'Done' || step.state === 'Skipped') continue;
    const name = nameOf(step);
    const on = steps[name].on;
    if (due.length > 0 && on === 'host') break;
    due.push(name);
    // Only the last two waits stand side by side; whoever comes before them has to be done.
    if (on === 'host' || !sideBySide.has(name)) break;
  }
  const step = list[first] as ImportStep;
  const wait = due.length === 1 && steps[nameOf(step)].on === 'host' ? retryAt(step) - now : 0;
  return wait > 0 ? { do: 'Wait', afterMs: wait } : { do: 'Run', steps: due };
}

const sideBySide: ReadonlySet<StepName> = new Set(['Components', 'Node']);

function nameOf(step: ImportStep): StepName {
  return step.name as StepName;
}

/** When a failed step is tried again, epoch milliseconds; 0 for any other. */
function retryAt(step: ImportStep): number {
  if (step.state !== 'Failed' || step.since === undefined) return 0;
  return Date.parse(step.since) + backoffMs(retry, step.attempts ?? 1);
}

/** The list with a step under way. */
export function begun(
  list: readonly ImportStep[],
  names: readonly StepName[],
  now: number,
): readonly ImportStep[] {
  return list.map((step) => {
    if (!names.includes(nameOf(step)) || step.state === 'Running') return step;
    // A watch step that is past its deadline stays Failed until it is done: looking at it again is no new attempt.
    if (step.state === 'Failed' && steps[nameOf(step)].on === 'watch') return step;
    return { ...step, state: 'Running', since: timestamp(now) };
  });
}

/** The list after a step ended, or with what it waits for. */
export function ended(
  list: readonly ImportStep[],
  name: StepName,
  outcome: Outcome,
  now: number,
): readonly ImportStep[] {
  return list.map((step) => (step.name === name ? endedStep(step, outcome, now) : step));
}

function endedStep(step: ImportStep, outcome: Outcome, now: number): ImportStep {
  const { name } = step;
  if (outcome.state === 'Done') {
    return { name, state: 'Done', since: timestamp(now), message: cut(outcome.message) };
  }
  const { on, deadlineMs } = steps[nameOf(step)];
  if (outcome.state === 'Waiting') {
    const since = step.since ?? timestamp(now);
    const deadline = Date.parse(since) + deadlineMs;
    if (step.state !== 'Failed' && now < deadline) {
      return {
        ...step,
        state: 'Running',
        since,
        message: cut(`${unended(outcome.message)}; this may take until ${timestamp(deadline)}`),
      };
    }
    return failedStep(
      step,
      `not done within ${deadlineMs / 1000} s, still waiting: ${unended(outcome.message)}`,
      now,
    );
  }
  if (on === 'watch') return failedStep(step, outcome.message, now);
  const attempts = (step.attempts ?? 0) + 1;
  const again = timestamp(now + backoffMs(retry, attempts));
  const message = `${cut(unended(outcome.message), 960)}. Tried again at ${again}`;
  return { name, state: 'Failed', since: timestamp(now), attempts, message };
}

/** A watch step that failed is looked at all the time, so it has no attempts to count. */
function failedStep(step: ImportStep, message: string, now: number): ImportStep {
  const since = step.state === 'Failed' && step.since !== undefined ? step.since : timestamp(now);
  return { name: step.name, state: 'Failed', since, message: cut(message) };
}

/** The list after the host could not be reached in the middle of it: that is Connect's failure, and what was done stays done. */
export function unreached(list: readonly ImportStep[], message: string, now: number): readonly ImportStep[] {
  return ended(list, 'Connect', { state: 'Failed', message }, now).map((step) =>
    step.state === 'Running' ? { ...step, state: 'Waiting', since: timestamp(now) } : step,
  );
}

/** Until when nothing needs to be done unless something changes: watch steps are looked at again by then. */
export function recheckMs(outcomes: readonly Outcome[]): number {
  return Math.min(
    30_000,
    ...outcomes.map((outcome) => (outcome.state === 'Waiting' ? outcome.againMs : 30_000)),
  );
}

/** Without its full stop: more is said in the same sentence. */
function unended(text: string): string {
  return text.replace(/\.$/, '');
}

function cut(text: string, length = 1024): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
