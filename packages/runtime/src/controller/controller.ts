import type { Change, Informer } from '../cache/informer.ts';
import type { AnyMeta, Kind } from '../client/object.ts';
import type { BackoffOptions, Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import type { Registry } from '../metrics/registry.ts';
import type { AddOptions } from '../queue/queue.ts';
import type { Runnable } from './manager.ts';

/** What a reconcile wants next. Nothing: it waits for the next change. */
export interface Result {
  /** Come again after so many milliseconds, whatever happens. */
  readonly afterMs?: number;
  readonly priority?: number;
}

export interface ReconcileContext {
  /** Aborted at the timeout, at a stop, and when leadership is lost. */
  readonly signal: AbortSignal;
  /** Carries controller and key. */
  readonly log: Logger;
  /** Failures in a row before this one. */
  readonly failures: number;
}

/** Brings one key to where it belongs. Rejecting means: again, after a wait that grows with each failure. */
// oxlint-disable-next-line typescript/no-invalid-void-type
export type Reconcile = (key: string, context: ReconcileContext) => Promise<Result | void>;

export interface ControllerOptions {
  /** In logs and metrics. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many keys at once. @default 4 */
  readonly workers?: number;
  /** For one reconcile. @default 120_000 */
  readonly timeoutMs?: number;
  /** After failures. @default { baseMs: 500, maxMs: 300_000 } */
  readonly backoff?: BackoffOptions;
  /** @default true: only while this process leads */
  readonly needsLeader?: boolean;
  readonly log: Logger;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Something whose metadata names its owners: what an informer for `owns` keeps at least. */
export interface Owned {
  readonly metadata: Pick<AnyMeta, 'namespace' | 'ownerReferences'>;
}

/** Reconciles keys as their objects, and what belongs to them, change. Nothing is reconciled before all its informers synced. */
export interface Controller extends Runnable {
  /** The informer whose keys are reconciled. */
  for<P>(informer: Informer<P>, when?: (change: Change<P>) => boolean): Controller;
  /** Objects owned (controller reference) by what is reconciled: a change of one reconciles its owner. */
  owns<P extends Owned>(
    informer: Informer<P>,
    owner: Pick<Kind, 'group' | 'kind' | 'namespaced'>,
  ): Controller;
  /** Any other objects: `map` names the keys to reconcile, for the old and the new state. */
  watches<P>(informer: Informer<P>, map: (projection: P, change: Change<P>) => Iterable<string>): Controller;
  /** From outside: a timer, an event of the host. */
  enqueue(key: string, options?: AddOptions): void;
}

export declare function controller(options: ControllerOptions): Controller;
