import { agentUnit } from '../config.ts';
import type { ExecuteContext, Step } from '../execute/context.ts';
import { unitFolder } from '../plan/goal.ts';
import type { Operation } from '../plan/operation.ts';
import { arm, armedGuard, giveUp, release, save } from './guard.ts';
import { agentExecutable, watchdogUnit } from './own.ts';

/** Beyond the revision's deadline, for the new agent to say itself what is wrong; a short deadline is not more than doubled by it. */
const graceMs = 30_000;
/** An agent that has nobody to report to must have run for so long. */
const stableMs = 60_000;
const lookAgainMs = 500;
/** For the watchdog to end this process, after which it is asked again. */
const endedMs = 15_000;

/** The way back is made, and watched over by a process of its own, before anything of the agent is replaced. */
export const armWatchdog: Step = async ({ goal, changes, retryToken }, context) => {
  const { host, store, clock } = context;
  if (host.services.kind !== 'systemd')
    throw new Error(
      'the agent of this host runs without systemd, so it cannot be upgraded as a component: import the host again with the new one',
    );
  const touched = [...(changes?.writes.map(({ path }) => path) ?? []), ...(changes?.removals ?? [])];
  const paths = new Set([agentExecutable, `${unitFolder}/${agentUnit}`, ...touched]);
  // An upgrade that did not end was replaced by this one: what was good stands in its guard, and not on the host.
  const before = await armedGuard(host, store.folder);
  const known = before?.files ?? [];
  for (const { path } of known) paths.delete(path);
  const files = [...known, ...(await save(host, [...paths], known.length))];
  const record = before === undefined ? store.record(goal.component) : before.record;
  await arm(host, store.folder, {
    component: goal.component,
    revision: goal.revision,
    goalKey: goal.key,
    retryToken,
    armedAt: clock.now(),
    patienceMs: goal.deadlineMs + Math.min(graceMs, goal.deadlineMs),
    online: before?.online ?? context.telling.isOnline,
    files,
    ...(record === undefined ? {} : { record }),
  });
};

/** Restarts the agent's own unit. This process does not see the end of it: the next one, another process than journalled, goes on. */
export async function restartSelf(
  operation: Operation,
  { host, store }: ExecuteContext,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const state = (await host.services.states([agentUnit])).get(agentUnit);
  const { bootID } = await host.facts();
  const process = `${bootID} ${state?.mainPID ?? 0} ${state?.startedAt ?? 0}`;
  const { restarts } = operation;
  if (restarts !== undefined && restarts !== process && state?.activeState === 'active') return;
  await store.saveOperation({ ...operation, restarts: process });
  await Promise.race([host.services.restart(agentUnit, timeoutMs), aborted(signal)]);
}

/** The new agent has told the API server how it is; or, where the one before had nobody to tell either, it runs on. */
export const awaitReport: Step = async ({ deadlineAt, goal }, context, signal) => {
  const { host, store, clock, telling } = context;
  const guard = await armedGuard(host, store.folder);
  const stable = Math.min(stableMs, goal.deadlineMs / 2);
  while (!telling.confirm()) {
    const startedAt = (await host.services.states([agentUnit])).get(agentUnit)?.startedAt ?? clock.now();
    if (guard?.online === false && clock.now() - startedAt >= stable) return;
    if (clock.now() >= (deadlineAt ?? 0))
      throw new Error(
        `the new agent could not report to the API server within ${goal.deadlineMs / 1000} s (spec.progressDeadline), and the one before could: see journalctl -u ${agentUnit}`,
      );
    await clock.sleep(lookAgainMs, signal);
  }
};

/** The new agent is good. @throws Error where the watchdog was faster. */
export async function releaseWatchdog({ host, store }: ExecuteContext): Promise<void> {
  await release(host, store.folder);
}

/** This agent, or its revision, is not good: the watchdog brings back the one before, which records why. */
export async function goBack(
  failure: { readonly step: string; readonly message: string },
  { host, store, clock }: ExecuteContext,
  signal: AbortSignal,
): Promise<void> {
  await giveUp(host, store.folder, failure);
  await host.services.start(watchdogUnit, endedMs);
  await clock.sleep(endedMs, signal).catch(() => undefined);
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
