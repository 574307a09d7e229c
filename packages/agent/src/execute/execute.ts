import type { Applied, ComponentRecord, Failure, Operation, StepName } from '../plan/operation.ts';
import { owedBy, stepsOf } from '../plan/operation.ts';
import type { ExecuteContext } from './context.ts';
import { describe } from './commit.ts';
import { goBack } from '../selfupgrade/steps.ts';
import { isBeforeTouch, steps } from './steps.ts';

export type Outcome =
  | { readonly result: 'Done' }
  /** Given up for another operation, or because the agent ends: the journal keeps it. */
  | { readonly result: 'Stopped' }
  | { readonly result: 'RollBack'; readonly failure: Failure }
  | { readonly result: 'Failed'; readonly failure: Failure };

/** First wait before a failed operation is tried again; doubled each time. */
const retryBaseMs = 10_000;
/** Longest wait where something runs that a new try could disturb, and where nothing does. */
const retryMaxMs = 3_600_000;
const retryMaxFirstMs = 300_000;
/** After a restart of the agent an operation gets at least this long to get healthy. */
const resumeGraceMs = 60_000;

/**
 * Carries an operation to its end: each step is journalled before it is done, so that it can be carried on after a crash at any
 * instruction. A failure ends in a journalled roll back (carried out by the next call), or in a failure with its next try.
 */
export async function execute(
  begun: Operation,
  context: ExecuteContext,
  signal: AbortSignal,
): Promise<Outcome> {
  let operation = begun;
  const { clock, store } = context;
  if (operation.deadlineAt !== undefined) {
    const grace = clock.now() + Math.min(operation.goal.deadlineMs, resumeGraceMs);
    operation = { ...operation, deadlineAt: Math.max(operation.deadlineAt, grace) };
  }
  for (;;) {
    const step = stepsOf(operation).find((name) => !operation.done.includes(name));
    if (step === undefined) break;
    if (signal.aborted) return { result: 'Stopped' };
    operation = { ...operation, step };
    await store.saveOperation(operation);
    context.progress(operation);
    try {
      const found = await steps[step](operation, context, signal);
      operation = { ...operation, ...found, done: [...operation.done, step] };
    } catch (error) {
      if (signal.aborted) return { result: 'Stopped' };
      context.log.warn('a step failed', {
        component: operation.goal.component,
        revision: operation.goal.revision,
        step,
        error: String(error),
      });
      const message = error instanceof Error ? error.message : String(error);
      if (operation.done.includes('watchdog')) {
        await goBack({ step, message }, context, signal);
        return { result: 'Stopped' };
      }
      return fail(operation, step, message, context);
    }
  }
  await store.dropOperation(operation.goal.component);
  return { result: 'Done' };
}

async function fail(
  operation: Operation,
  step: StepName,
  message: string,
  context: ExecuteContext,
): Promise<Outcome> {
  const { store, clock } = context;
  const { goal, kind } = operation;
  const record: ComponentRecord = store.record(goal.component) ?? {
    component: goal.component,
    stray: [],
    drift: { repaired: 0 },
  };
  const untouched = isBeforeTouch(step) || (step === 'version' && operation.adopting === true);
  const stray = untouched
    ? record.stray
    : [...new Set([...record.stray, ...(operation.files ?? []).map(({ path }) => path)])];
  if (kind === 'Repair' || kind === 'Rollback') {
    const failed = record.failed && {
      ...record.failed,
      message: `${record.failed.message}; going back failed at ${step}: ${message}`.slice(0, 512),
    };
    await store.saveRecord({ ...record, stray, ...(kind === 'Rollback' && failed ? { failed } : {}) });
    await store.dropOperation(goal.component);
    return { result: 'Failed', failure: failureOf(operation, step, message, record, clock.now()) };
  }
  const failure = failureOf(operation, step, message, record, clock.now());
  const back = record.applied;
  const goesBack = kind === 'Install' && !untouched && back !== undefined && back.goal.key !== goal.key;
  if (goesBack && goal.onFailure === 'Rollback') {
    const { retryAt: _never, ...final } = failure;
    await store.saveRecord({ ...record, failed: final, stray });
    await store.saveOperation(rollback(operation, back, message, clock.now()));
    return { result: 'RollBack', failure: final };
  }
  if (goesBack) {
    const { retryAt: _never, ...final } = failure;
    const applied = await describe(operation, undefined, context.host, clock.now());
    await store.saveRecord({
      ...record,
      applied,
      lastGood: record.lastGood ?? back,
      failed: final,
      stray: record.stray,
    });
    await store.dropOperation(goal.component);
    return { result: 'Failed', failure: final };
  }
  await store.saveRecord({ ...record, failed: failure, stray });
  await store.dropOperation(goal.component);
  return { result: 'Failed', failure };
}

/** The last good revision, applied again through the same steps. */
function rollback(failed: Operation, to: Applied, message: string, now: number): Operation {
  return {
    kind: 'Rollback',
    goal: to.goal,
    reason: `${failed.goal.revision} failed: ${message}`,
    startedAt: now,
    retryToken: failed.retryToken,
    done: [],
    files: to.files,
    ...(to.deb === undefined ? {} : { deb: to.deb }),
    owed: owedBy(failed),
    ...(failed.leave === undefined ? {} : { leave: failed.leave }),
    ...(failed.done.includes('reboot') || failed.mustReboot ? { mustReboot: true } : {}),
    ...(failed.goal.unit === undefined ? {} : { retires: failed.goal.unit.name }),
  };
}

function failureOf(
  operation: Operation,
  step: StepName,
  message: string,
  record: ComponentRecord,
  now: number,
): Failure {
  const { goal, retryToken } = operation;
  const last = record.failed;
  const again = last !== undefined && last.goalKey === goal.key && last.retryToken === retryToken;
  const attempts = again ? last.attempts + 1 : 1;
  const most = record.applied === undefined ? retryMaxFirstMs : retryMaxMs;
  return {
    revision: goal.revision,
    goalKey: goal.key,
    retryToken,
    step,
    ...(operation.kind === 'Remove' ? { removal: true } : {}),
    attempts,
    at: now,
    message: message.slice(0, 512),
    retryAt: now + Math.min(retryBaseMs * 2 ** (attempts - 1), most),
  };
}
