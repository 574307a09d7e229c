import type { Clock } from '../clock.ts';
import { agentUnit } from '../config.ts';
import type { Logger } from '../log.ts';
import type { UnitState } from '../ports.ts';
import { armedGuard, firedGuard, giveUp, type GuardFailure, type GuardHost, restore } from './guard.ts';
import { logEnds } from '../words.ts';

const lookEveryMs = 1_000;
/** A unit that does not stay up for so long is not merely being restarted. */
const downMs = 10_000;
/** Nor is one that was started so often. */
const mostStarts = 6;
/** After a boot in the middle the agent gets at least so long, however long the host was away. */
const resumeGraceMs = 60_000;
/** For the agent to end by itself; one that hangs is killed by systemd when it is started anew. */
const stopMs = 15_000;
const startMs = 120_000;

export interface WatchOverOptions {
  readonly host: GuardHost;
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The watchdog over an upgrade of the agent: a process of the agent before. Ends when the new one is good; brings the old one back when that
 * does not come up, says so itself, or isn't good in time. Everything it does may be interrupted and done again.
 */
export async function watchOver(options: WatchOverOptions, signal: AbortSignal): Promise<void> {
  const { host, stateFolder, log } = options;
  const failure = await waitForFailure(options, signal);
  if (failure !== undefined && !(await giveUp(host, stateFolder, failure))) return;
  const guard = await firedGuard(host, stateFolder);
  if (guard === undefined) return log.info('the new agent is good: there is nothing to watch over any more');
  log.warn('the agent before is brought back', { revision: guard.revision, ...guard.failure });
  // Nothing of the new one may be written while the old is put back. Where it does not end, its restart does it.
  await host.services.stop(agentUnit, stopMs).catch(() => undefined);
  await restore(host, guard);
  await host.services.restart(agentUnit, startMs);
  log.info('the agent before runs again');
}

/** Resolves with why the new agent is to be given up; undefined where that is decided already: it is good, or was given up. */
async function waitForFailure(
  { host, stateFolder, clock }: WatchOverOptions,
  signal: AbortSignal,
): Promise<GuardFailure | undefined> {
  const begunAt = clock.now();
  const starts = new Starts();
  for (;;) {
    const guard = await armedGuard(host, stateFolder);
    if (guard === undefined) return undefined;
    const { patienceMs, armedAt } = guard;
    const grace = Math.min(resumeGraceMs, patienceMs);
    // A clock that was set back must not make it wait for ever.
    const deadline = begunAt + Math.min(Math.max(armedAt + patienceMs - begunAt, grace), patienceMs);
    const state = (await host.services.states([agentUnit])).get(agentUnit);
    const problem =
      starts.problem(state, clock.now()) ??
      (clock.now() >= deadline ? `it did not report within ${patienceMs / 1000} s` : undefined);
    if (problem !== undefined) {
      // What the agent before has said is no cause.
      const said = await host.services.lastWords?.(agentUnit, state?.startedAt ?? armedAt);
      const message = `the new agent is not good: ${problem}${logEnds(agentUnit, said)}`;
      return { step: 'watchdog', message: message.slice(0, 512) };
    }
    await clock.sleep(lookEveryMs, signal);
  }
}

/** Whether a unit that is to run stays up. One that was stopped on purpose, as by a shutdown, is no failure. */
class Starts {
  readonly #seen = new Set<string>();
  #downSince: number | undefined;

  problem(state: UnitState | undefined, now: number): string | undefined {
    if (state === undefined) return undefined;
    if (state.activeState !== 'failed' && state.activeState !== 'activating') this.#downSince = undefined;
    else this.#downSince ??= now;
    if (state.mainPID !== 0) this.#seen.add(`${state.mainPID} ${state.startedAt ?? 0}`);
    const isDown = this.#downSince !== undefined && now - this.#downSince >= downMs;
    return isDown || this.#seen.size >= mostStarts ? `${agentUnit} does not stay up` : undefined;
  }
}
