import { type Clock, systemClock } from '../clock/clock.ts';
import { scope } from '../clock/scope.ts';
import type { Election } from '../election/election.ts';
import type { Logger } from '../log/log.ts';

/** Something that runs until its signal. */
export interface Runnable {
  readonly name: string;
  /** Resolves after a clean stop once the signal is aborted. Rejecting, or ending before that, stops the whole manager. */
  run(signal: AbortSignal): Promise<void>;
  /** Why it isn't ready, undefined when it is. */
  notReady?(): string | undefined;
  /** Only while this process leads. @default false */
  readonly needsLeader?: boolean;
}

export interface ManagerOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Without one, whatever needs a leader runs at once. */
  readonly election?: Election;
  /** How long a stop waits for what runs, in milliseconds. @default 20_000 */
  readonly drainMs?: number;
}

/** Starts what was added, and stops it in good order. */
export interface Manager {
  /** Before `run` or while it runs. */
  add(...runnables: Runnable[]): Manager;
  /**
   * Resolves after a clean stop. Rejects when a part failed, leadership was lost, or something did not stop in time: exit the
   * process then.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Empty when all is ready; otherwise one line per part that isn't. */
  notReady(): readonly string[];
}

/** One generation of runnables: started together, stopped together. */
interface Group {
  start(runnable: Runnable): void;
  /** Ends them and resolves when all have ended, or rejects naming those that did not in time. */
  stop(reason: unknown): Promise<void>;
}

export function manager(options: ManagerOptions): Manager {
  const { log, election } = options;
  const clock = options.clock ?? systemClock;
  const drainMs = options.drainMs ?? 20_000;
  const added: Runnable[] = [];
  let base: Group | undefined;
  let leading: Group | undefined;

  const place = (runnable: Runnable): void =>
    (runnable.needsLeader === true ? leading : base)?.start(runnable);

  const self: Manager = {
    add(...runnables) {
      for (const runnable of runnables) {
        added.push(runnable);
        place(runnable);
      }
      return self;
    },
    notReady() {
      if (base === undefined) return ['not started'];
      return added
        .filter((runnable) => runnable.needsLeader !== true || leading !== undefined)
        .flatMap((runnable) => runnable.notReady?.() ?? []);
    },
    async run(signal) {
      if (base !== undefined) throw new Error('the manager runs already');
      const failures: unknown[] = [];
      using stopping = scope({ parent: signal });
      const fail = (error: unknown): void => {
        failures.push(error);
        stopping.abort(error);
      };
      const within = { log, clock, drainMs, fail };

      const lead = async (whileLeading: AbortSignal): Promise<void> => {
        const group = runGroup(within);
        leading = group;
        for (const runnable of added) if (runnable.needsLeader === true) group.start(runnable);
        await aborted(whileLeading);
        leading = undefined;
        await group.stop(whileLeading.reason);
      };

      // What everything else stands on starts first and ends last: caches, servers, events.
      const standing = runGroup(within);
      base = standing;
      for (const runnable of added) if (runnable.needsLeader !== true) standing.start(runnable);
      try {
        await (election === undefined ? lead(stopping.signal) : election.run(stopping.signal, lead));
      } catch (error) {
        failures.push(error);
      }
      try {
        await standing.stop(stopping.signal.aborted ? stopping.signal.reason : failures[0]);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length === 1) throw failures[0];
      if (failures.length > 1) throw new AggregateError(failures, 'the manager stopped for several reasons');
    },
  };
  return self;
}

interface Within {
  readonly log: Logger;
  readonly clock: Clock;
  readonly drainMs: number;
  readonly fail: (error: unknown) => void;
}

function runGroup({ log, clock, drainMs, fail }: Within): Group {
  const own = new AbortController();
  const running = new Map<Promise<void>, Runnable>();
  const guard = async (runnable: Runnable): Promise<void> => {
    try {
      await runnable.run(own.signal);
      if (!own.signal.aborted) fail(new Error(`${runnable.name} ended by itself`));
    } catch (error) {
      if (own.signal.aborted && error === own.signal.reason) return;
      log.error('a part failed; everything stops', { part: runnable.name, error });
      fail(new Error(`${runnable.name} failed`, { cause: error }));
    }
  };
  return {
    start(runnable) {
      const ended = guard(runnable);
      running.set(ended, runnable);
      void ended.finally(() => running.delete(ended));
    },
    async stop(reason) {
      own.abort(reason);
      using late = scope({ clock, timeoutMs: drainMs });
      await Promise.race([Promise.all(running.keys()), aborted(late.signal)]);
      if (running.size === 0) return;
      const names = [...running.values()].map(({ name }) => name).join(', ');
      throw new Error(`${names}: did not stop within ${drainMs} ms; end the process`);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
