import type { Clock } from '../clock.ts';
import type { Goal, GoalProbe } from '../plan/goal.ts';
import type { ServiceManager, UnitState } from '../ports.ts';
import { lastWordsOf } from '../words.ts';
import type { ExecuteContext, Step } from './context.ts';
import { findVersion } from './version-check.ts';

/** Between two looks at a unit that starts: most are up in a moment, and none is asked more than twice a second for long. */
const lookAgain = { firstMs: 50, mostMs: 500 };
/** A process that is still the same one after this time did not fall over at once. */
const settledMs = 1_000;
/** A version command may need its daemon, which may need a moment. */
const versionWaitMs = 15_000;

/** Asks the program for its version and holds it against the revision's. */
export const checkVersion: Step = async ({ goal, deadlineAt }, context, signal) => {
  const check = goal.versionCheck;
  if (check === undefined) return { foundVersion: '' };
  const until = Math.min(context.clock.now() + versionWaitMs, deadlineAt ?? Number.POSITIVE_INFINITY);
  for (let waitMs = lookAgain.firstMs; ; waitMs = longer(waitMs)) {
    const result = await findVersion(check, context.host.services);
    if (result.version === goal.version) return { foundVersion: result.version };
    if (context.clock.now() >= until) {
      const found = result.version === undefined ? result.problem : `it says ${result.version}`;
      throw new Error(
        `version check of ${goal.revision} does not find ${goal.version}: ${found}. Correct spec.version, spec.versionCheck or the artifact`,
      );
    }
    await context.clock.sleep(waitMs, signal);
  }
};

function longer(waitMs: number): number {
  return Math.min(waitMs * 2, lookAgain.mostMs);
}

/** Waits until the unit runs and every probe has succeeded, at most until the deadline. */
export const waitHealthy: Step = async (operation, context, signal) => {
  const { goal } = operation;
  const missing = new Map(goal.probes.map((probe) => [probe.name, probe]));
  let problem = await unitProblem(operation, context, signal);
  for (let waitMs = lookAgain.firstMs; ; waitMs = longer(waitMs)) {
    if (problem === undefined) problem = await probeOnce(missing, context);
    if (problem === undefined) return;
    if (context.clock.now() >= (operation.deadlineAt ?? 0)) {
      const unit = goal.unit?.name;
      const since = (operation.deadlineAt ?? context.clock.now()) - goal.deadlineMs;
      const end = unit === undefined ? '' : await lastWordsOf(context.host.services, unit, since);
      throw new Error(
        `not healthy within ${goal.deadlineMs / 1000} s (spec.progressDeadline): ${problem}${end}`,
      );
    }
    await context.clock.sleep(waitMs, signal);
    problem = await unitProblem(operation, context, signal);
  }
};

async function probeOnce(
  missing: Map<string, GoalProbe>,
  { host }: ExecuteContext,
): Promise<string | undefined> {
  for (const probe of missing.values()) {
    const { ok, message } = await host.probes.run(probe.request);
    if (!ok) return `probe ${probe.name}: ${message}`;
    missing.delete(probe.name);
  }
  return undefined;
}

/** Why the unit does not run as it should; a unit without probes must stay up for a moment to count. */
export async function unitProblem(
  { goal, adopting }: { readonly goal: Pick<Goal, 'unit' | 'probes'>; readonly adopting?: boolean },
  {
    host,
    clock,
  }: { readonly host: { readonly services: Pick<ServiceManager, 'states'> }; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = goal.unit?.name;
  if (name === undefined) return undefined;
  const first = (await host.services.states([name])).get(name);
  if (first?.activeState !== 'active') return notActive(name, first);
  // Running without a main process: nobody knows it (Type=forking), or it ended between two questions. Others (exited, listening) have none.
  const hasProcess = first.mainPID > 0 || first.subState === 'running';
  if (goal.probes.length > 0 || adopting === true || !hasProcess) return undefined;
  await clock.sleep(settledMs, signal);
  const second = (await host.services.states([name])).get(name);
  if (second?.activeState === 'active' && second.mainPID === first.mainPID) return undefined;
  return second?.activeState === 'active' ? `${name} starts again and again` : notActive(name, second);
}

function notActive(name: string, state: UnitState | undefined): string | undefined {
  if (state === undefined || state.loadState === 'not-found') return `unit ${name} does not exist`;
  if (state.activeState === 'inactive' && state.subState === 'exited') return undefined;
  const more = state.subState === state.activeState ? '' : ` (${state.subState})`;
  return `unit ${name} is ${state.activeState}${more}`;
}
