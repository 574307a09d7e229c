import type { Clock } from '../clock/clock.ts';
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

export declare function manager(options: ManagerOptions): Manager;
