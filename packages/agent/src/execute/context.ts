import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Operation } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import type { OriginalsStore } from '../state/originals.ts';
import type { StateStore } from '../state/store.ts';
import type { Leaves } from './leaves.ts';

/** How the agent stands with the API server; for its own upgrade, and to tell a bad address from a host that reaches nothing. */
export interface Telling {
  /** The API server took what it was told last. */
  readonly isOnline: boolean;
  /** Whether this process has told the API server anything; where it has nothing new to tell, it tells again what is known. */
  confirm(): boolean;
  /** Asks the API server for a word: true where none comes. Left out: there is no server to ask, and so no way to tell. */
  isCutOff?(signal: AbortSignal): Promise<boolean>;
}

/** What the steps of an operation work with. */
export interface ExecuteContext {
  readonly host: Host;
  readonly store: StateStore;
  readonly originals: OriginalsStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when a step is begun; for the status. */
  readonly progress: (operation: Operation) => void;
  readonly telling: Telling;
  readonly leaves: Leaves;
  /** Runs downloads a few at a time. */
  readonly downloading: <T>(work: () => Promise<T>) => Promise<T>;
}
/** What a step has found out, merged into the journalled operation. */
export type StepResult = Partial<
  Pick<Operation, 'files' | 'deb' | 'changes' | 'adopting' | 'deadlineAt' | 'foundVersion' | 'asks' | 'leave'>
>;
export type Step = (
  operation: Operation,
  context: ExecuteContext,
  signal: AbortSignal,
) => Promise<StepResult | void>;
