import type { Applied, ComponentRecord, Failure, Operation, Probation } from '../plan/operation.ts';
import { isAgent } from '../selfupgrade/own.ts';

/** A revision is watched for at least this long after it was brought in, however short its deadline. */
const shortestMs = 60_000;

/** What a revision on probation may do before it is gone back from: fail twice, or end by itself (or be stopped, which looks the same) three times. */
const enough = 6;
export const strikes = { failed: 3, ended: 2 } as const;

/** The way back that a newly committed revision gets; undefined: there is none, or it needs none. */
export function probationOf(
  operation: Operation,
  before: ComponentRecord | undefined,
  restarts: number,
  now: number,
): Probation | undefined {
  const { goal, kind, retryToken, deadlineAt, done } = operation;
  if (kind !== 'Install' || isAgent(goal) || before?.applied === undefined) return undefined;
  // A commit that is done a second time, after a crash: the way back is the one that the first has made.
  if (before.applied.goal.key === goal.key) return before.probation;
  // One that has failed already while it was on probation itself is nothing to go back to.
  const shaky = before.probation !== undefined && before.probation.strikes > 0;
  return {
    before: shaky ? before.probation.before : (before.lastGood ?? before.applied),
    until: Math.max(deadlineAt ?? 0, now + shortestMs),
    retryToken,
    strikes: 0,
    // A start by a person or by us begins the count anew.
    restarts: done.includes('service') ? 0 : restarts,
  };
}

/** Restarts that the service manager has made by itself count as failures. Pure. */
export function countRestarts(probation: Probation, restarts: number | undefined): Probation {
  if (restarts === undefined || restarts === probation.restarts) return probation;
  const more = restarts > probation.restarts ? restarts - probation.restarts : restarts;
  return { ...probation, restarts, strikes: probation.strikes + more * strikes.failed };
}

export function hasFailed(probation: Probation): boolean {
  return probation.strikes >= enough;
}

/**
 * Goes back from a revision that was committed and did not stay healthy: the record as if it had never been committed, and the operation to
 * journal; without one where the revision says that it is held. Pure.
 */
export function goBack(
  record: ComponentRecord & { readonly applied: Applied; readonly probation: Probation },
  message: string,
  now: number,
): { readonly record: ComponentRecord; readonly failed: Failure; readonly operation?: Operation } {
  const { applied, probation, lastGood: _lastGood, ...rest } = record;
  const { goal, files } = applied;
  const { before, retryToken } = probation;
  const last = record.failed;
  const again = last?.goalKey === goal.key && last.retryToken === retryToken;
  const failed: Failure = {
    revision: goal.revision,
    goalKey: goal.key,
    retryToken,
    step: 'observe',
    attempts: again ? last.attempts + 1 : 1,
    at: now,
    message: message.slice(0, 512),
  };
  const { probation: _over, ...kept } = { ...rest, probation };
  if (goal.onFailure === 'Hold') return { record: { ...kept, applied, lastGood: before, failed }, failed };
  const stray = [...new Set([...record.stray, ...files.map(({ path }) => path)])];
  return {
    record: { ...kept, applied: before, failed, stray },
    failed,
    operation: {
      kind: 'Rollback',
      goal: before.goal,
      reason: `${goal.revision} failed: ${message}`.slice(0, 512),
      startedAt: now,
      retryToken,
      done: [],
      files: before.files,
      ...(before.deb === undefined ? {} : { deb: before.deb }),
      owed: before.goal.unit === undefined ? 'None' : 'Restart',
      ...(goal.disruption === 'Reboot' ? { mustReboot: true } : {}),
      ...(goal.unit === undefined ? {} : { retires: goal.unit.name }),
    },
  };
}
