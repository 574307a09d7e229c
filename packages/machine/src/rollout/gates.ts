import type { Inspection, InspectionResult } from '@kubenode/api';
import { formatDuration, parseDuration } from '@kubenode/runtime';
import type { InspectedBatch, Inspections, Verdict } from '../inspection/inspections.ts';
import { lookAt } from './builtin.ts';
import type { BatchTally } from './rollout-tally.ts';
import type { SetView } from '../member/view.ts';
import { at } from './words.ts';

/** A batch whose machines are Ready, before the next may begin. Times are epoch milliseconds. */
export interface GatesInput {
  readonly set: SetView;
  readonly batch: BatchTally;
  readonly number: number;
  readonly rollout: string;
  readonly begunAt: number;
  /** No machine is left for another batch. */
  readonly isLast: boolean;
  readonly inspections: Inspections;
  readonly now: number;
}

type Cause = 'InspectionFailed' | 'InspectionInconclusive' | 'ObservationFailed';

export type Gates =
  | { readonly kind: 'Passed'; readonly results: readonly InspectionResult[] }
  | {
      readonly kind: 'Wait';
      readonly state: 'Inspecting' | 'Observing';
      readonly since: number;
      readonly until: number;
      /** Others are asked. */
      readonly isAsking: boolean;
      readonly reason: string;
      readonly results: readonly InspectionResult[];
    }
  | {
      readonly kind: 'Halt';
      readonly cause: Cause;
      readonly message: string;
      readonly results: readonly InspectionResult[];
    };

/** What the inspections say together, of what was found at or after a moment. */
interface Round {
  readonly results: readonly InspectionResult[];
  readonly failed: InspectionResult | undefined;
  /** Not passed yet; `until` is the deadline of the first of them. */
  readonly open: { readonly first: InspectionResult; readonly until: number } | undefined;
}

/**
 * Inspections, observation, and the inspections once more at its end. What it remembers stands in the set's status: the state, and since
 * when. Trouble that BuiltIn sees right after the move may be gone in a moment, so it has until the inspection's deadline; during
 * the observation it counts at once.
 */
export function passGates(input: GatesInput): Gates {
  const { set, now } = input;
  const status = set.status.batch;
  const before = status?.rollout === input.rollout && status.number === input.number ? status : undefined;
  // A clock that was put back must not make the wait longer than it was to be.
  const since = Math.min(Date.parse(before?.since ?? '') || now, now);
  if (before?.state === 'Observing') return observe(input, since);
  const began = before?.state === 'Inspecting' ? since : now;
  const round = inspect(input, began, false);
  if (round.failed !== undefined) return halt('InspectionFailed', round.failed, round);
  if (round.open !== undefined) {
    const { first, until } = round.open;
    if (now >= until) return halt(causeOf(first), first, round);
    const reason = `inspection ${first.name} has to pass${said(first)}; otherwise the rollout stops at ${at(until)}`;
    return {
      kind: 'Wait',
      state: 'Inspecting',
      since: began,
      until,
      isAsking: true,
      reason,
      results: round.results,
    };
  }
  const observation = parseDuration(set.rollout.observation);
  if (observation === 0) return { kind: 'Passed', results: round.results };
  const until = now + observation;
  const reason = observed(input, until);
  return {
    kind: 'Wait',
    state: 'Observing',
    since: now,
    until,
    isAsking: false,
    reason,
    results: round.results,
  };
}

function observe(input: GatesInput, since: number): Gates {
  const { set, now } = input;
  const observation = parseDuration(set.rollout.observation);
  const end = since + observation;
  const isOver = now >= end;
  const round = isOver ? inspect(input, end, true) : inspect(input, since, true, onlyBuiltIn);
  if (round.failed !== undefined) return halt('ObservationFailed', round.failed, round);
  const wait = (until: number, reason: string): Gates => ({
    kind: 'Wait',
    state: 'Observing',
    since,
    until,
    isAsking: isOver,
    reason,
    results: round.results,
  });
  if (!isOver) {
    const open = round.open === undefined ? '' : `; ${round.open.first.name}${said(round.open.first)}`;
    return wait(end, observed(input, end) + open);
  }
  if (round.open === undefined) return { kind: 'Passed', results: round.results };
  const { first, until } = round.open;
  if (now >= until) return halt('InspectionInconclusive', first, round);
  const reason = `observed for ${formatDuration(observation)}; inspection ${first.name} has to pass once more${said(first)}; otherwise the rollout stops at ${at(until)}`;
  return wait(until, reason);
}

function observed({ set, isLast }: GatesInput, until: number): string {
  const again = set.rollout.inspections.length === 0 ? '' : ', and inspected once more';
  return `observed until ${at(until)}${again}; then ${isLast ? 'the rollout is done' : 'the next batch begins'}`;
}

function causeOf(result: InspectionResult): Cause {
  return result.result === 'Failed' ? 'InspectionFailed' : 'InspectionInconclusive';
}

function halt(cause: Cause, result: InspectionResult, { results }: Round): Gates {
  const verb =
    result.result === 'Failed' ? 'failed' : 'could not be told to pass or to fail until its deadline';
  return { kind: 'Halt', cause, message: `inspection ${result.name} ${verb}${said(result)}`, results };
}

function said({ message = '' }: InspectionResult): string {
  return message === '' ? '' : `: ${message}`;
}

const onlyBuiltIn = ({ type }: Inspection): boolean => type === 'BuiltIn';

/**
 * @param after only what was found then or later counts
 * @param strict what BuiltIn sees fails at once
 * @param which those that are asked; the others are left as they were
 */
function inspect(
  input: GatesInput,
  after: number,
  strict: boolean,
  which: (inspection: Inspection) => boolean = () => true,
): Round {
  const { set, rollout, number } = input;
  const asked = set.rollout.inspections.filter(which);
  const verdicts = verdictsOf(input, after, asked);
  const before = set.status.batch;
  const isSame = before?.rollout === rollout && before.number === number;
  const old = new Map(
    (isSame ? (before.inspections ?? []) : []).map((result): [string, InspectionResult] => [
      result.name,
      result,
    ]),
  );
  let failed: InspectionResult | undefined;
  let open: Round['open'];
  const results = set.rollout.inspections.map((inspection): InspectionResult => {
    const { name } = inspection;
    if (!asked.includes(inspection)) return old.get(name) ?? { name, result: 'Pending' };
    const result = resultOf(name, verdicts.get(name), old.get(name), after);
    const until = after + parseDuration(inspection.deadline);
    if (result.result === 'Failed' && (strict || inspection.type !== 'BuiltIn')) failed ??= result;
    else if (result.result !== 'Passed' && until < (open?.until ?? Number.POSITIVE_INFINITY))
      open = { first: result, until };
    return result;
  });
  return { results, failed, open };
}

/** Of each inspection that was asked: what was found last, if that was late enough. */
function verdictsOf(
  { set, batch, number, rollout, begunAt, inspections, now }: GatesInput,
  after: number,
  asked: readonly Inspection[],
): Map<string, Verdict> {
  const found = new Map<string, Verdict>();
  const builtIn = asked.filter(onlyBuiltIn);
  const others = asked.filter((inspection) => !builtIn.includes(inspection));
  for (const { name } of builtIn) found.set(name, { ...lookAt(batch, begunAt), at: now });
  if (others.length === 0) return found;
  const about: InspectedBatch = {
    set: set.name,
    component: set.component,
    revision: set.revision,
    rollout,
    number,
    begunAt,
    evidenceAfter: after,
    machines: [...batch.members.keys()],
  };
  for (const [name, verdict] of inspections.verdicts(about, others)) {
    if (verdict.at >= after) found.set(name, verdict);
  }
  return found;
}

/** A verdict that says the same as before is not news, however often it is found again. */
function resultOf(
  name: string,
  verdict: Verdict | undefined,
  old: InspectionResult | undefined,
  after: number,
): InspectionResult {
  if (verdict === undefined) return { name, result: 'Pending' };
  const { result } = verdict;
  const message = verdict.message.slice(0, 512);
  const isSame = old?.result === result && old.message === message && (old.at ?? '') >= at(after);
  return { name, result, at: (isSame ? old.at : undefined) ?? at(verdict.at), message };
}
