import type { Clock } from '../clock.ts';
import { agentUnit } from '../config.ts';
import { dropOldStaging } from '../execute/commit.ts';
import type { Logger } from '../log.ts';
import type { ComponentRecord, Failure } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import type { StateStore } from '../state/store.ts';
import { disarm, firedGuard, type Guard, isRestored } from './guard.ts';
import { agentExecutable, isAgent } from './own.ts';

export interface SettleOptions {
  readonly host: Host;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * After an upgrade of the agent: the one that was brought back takes note of why, and the watchdog goes when there is no upgrade any more.
 * To be called when the agent starts, and when an operation on it has ended. May be interrupted and done again.
 * @returns the failure, where this agent was brought back.
 */
export async function settle(options: SettleOptions): Promise<Failure | undefined> {
  const { host, store, clock, log } = options;
  const guard = await firedGuard(host, store.folder);
  if (guard === undefined) {
    if (![...store.operations().values()].some(({ goal }) => isAgent(goal))) await disarm(host, store.folder);
    return undefined;
  }
  if (!(await isBack(guard, host))) {
    log.warn('this agent was given up; the watchdog brings back the one before', { ...guard.failure });
    return undefined;
  }
  const { component, revision, goalKey, retryToken } = guard;
  const { step, message } = guard.failure ?? { step: 'watchdog', message: 'the new agent did not come up' };
  const failed: Failure = { revision, goalKey, retryToken, step, attempts: 1, at: clock.now(), message };
  const before: ComponentRecord = guard.record ?? { component, stray: [], drift: { repaired: 0 } };
  // What the new one wrote of it may be of another format, and is about files that are no longer there.
  const record = { ...before, failed };
  await store.saveRecord(record);
  await store.dropOperation(component);
  await dropOldStaging(record, { host, store });
  await disarm(host, store.folder);
  log.warn('the upgrade of the agent failed, this is the one before', { revision, step, error: message });
  return failed;
}

/** Whether this process is the agent before, and not the one that is being replaced. */
async function isBack(guard: Guard, host: Host): Promise<boolean> {
  if (!(await isRestored(host, guard))) return false;
  const pid = (await host.services.states([agentUnit])).get(agentUnit)?.mainPID ?? 0;
  const executable = guard.files.find(({ path }) => path === agentExecutable)?.digest;
  return pid === 0 || (await host.executableDigest(pid)) === executable;
}
