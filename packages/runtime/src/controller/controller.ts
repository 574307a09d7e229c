import type { Change, Informer } from '../cache/informer.ts';
import type { AnyMeta, Kind } from '../client/object.ts';
import type { BackoffOptions, Random } from '../clock/backoff.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import { scope } from '../clock/scope.ts';
import { isConflict } from '../client/errors.ts';
import type { Logger } from '../log/log.ts';
import type { Registry } from '../metrics/registry.ts';
import { controllerKey } from '../object/owners.ts';
import { type AddOptions, queue } from '../queue/queue.ts';
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

const defaultBackoff: BackoffOptions = { baseMs: 500, maxMs: 300_000 };
/** Keys of the first list wait behind those that changed. */
const initialPriority = -100;

export function controller(options: ControllerOptions): Controller {
  const { name, reconcile } = options;
  const clock = options.clock ?? systemClock;
  const log = options.log.with({ controller: name });
  const timeoutMs = options.timeoutMs ?? 120_000;
  const keys = queue({
    clock,
    backoff: options.backoff ?? defaultBackoff,
    ...(options.random === undefined ? {} : { random: options.random }),
  });
  const sources: { readonly informer: Informer<unknown>; readonly attach: () => Disposable }[] = [];
  let running = false;
  const measure = measures(options.metrics, name, keys);

  const watch = <P>(informer: Informer<P>, keysOf: (change: Change<P>) => Iterable<string>): Controller => {
    if (running) throw new Error(`controller ${name}: its sources must be named before it runs`);
    const attach = (): Disposable =>
      informer.on((change) => {
        for (const key of keysOf(change)) keys.add(key, { priority: change.initial ? initialPriority : 0 });
      });
    sources.push({ informer, attach });
    return self;
  };

  /** One key, once. Never rejects. */
  const once = async (key: string, signal: AbortSignal): Promise<void> => {
    const keyLog = log.with({ key });
    const started = clock.monotonic();
    using limit = scope({
      parent: signal,
      clock,
      timeoutMs,
      timeout: () => {
        keyLog.warn('reconcile takes longer than it may; it was asked to stop', { timeoutMs });
        return new Error(`reconcile of ${key} by ${name} not done within ${timeoutMs} ms`);
      },
    });
    const failures = keys.failures(key);
    let outcome = 'done';
    try {
      const result = await reconcile(key, { signal: limit.signal, log: keyLog, failures });
      keys.forget(key);
      if (result?.afterMs !== undefined) {
        outcome = 'later';
        keys.add(key, { afterMs: result.afterMs, priority: result.priority ?? 0 });
      }
    } catch (error) {
      if (signal.aborted) return;
      outcome = isConflict(error) ? 'conflict' : 'error';
      keys.add(key, { rateLimited: true });
      // Somebody wrote in between: part of normal life, and read again at once.
      if (outcome === 'conflict') keyLog.debug('written in between; again', { error });
      else keyLog.error('reconcile failed; again later', { error, failures: failures + 1 });
    } finally {
      measure(outcome, (clock.monotonic() - started) / 1000);
    }
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      let key: string;
      try {
        key = await keys.get(signal);
      } catch {
        return;
      }
      try {
        await once(key, signal);
      } finally {
        keys.done(key);
      }
    }
  };

  const self: Controller = {
    name: `controller/${name}`,
    needsLeader: options.needsLeader ?? true,
    for: (informer, when) =>
      watch(informer, (change) => (when === undefined || when(change) ? [change.key] : [])),
    owns: (informer, owner) =>
      watch(informer, (change) =>
        [change.old, change.new].flatMap((owned) => {
          const key = owned === undefined ? undefined : controllerKey(owned.metadata, owner);
          return key === undefined ? [] : [key];
        }),
      ),
    watches: (informer, map) =>
      watch(informer, function* (change) {
        if (change.old !== undefined) yield* map(change.old, change);
        if (change.new !== undefined) yield* map(change.new, change);
      }),
    enqueue: (key, add) => keys.add(key, add),
    async run(signal) {
      running = true;
      const attached: Disposable[] = [];
      try {
        await Promise.all(sources.map(({ informer }) => informer.synced(signal)));
        for (const { attach } of sources) attached.push(attach());
        log.debug('controller started', { workers: options.workers ?? 4, keys: keys.length });
        await Promise.all(Array.from({ length: options.workers ?? 4 }, () => work(signal)));
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        for (const one of attached) one[Symbol.dispose]();
        keys.close();
      }
    },
  };
  return self;
}

type Measure = (outcome: string, seconds: number) => void;

function measures(
  metrics: Registry | undefined,
  name: string,
  keys: { readonly length: number; readonly delayed: number; readonly active: number },
): Measure {
  const labels = { controller: name };
  metrics
    ?.gauge('kube_controller_queue_length', 'Keys ready to be reconciled.')
    .collect(() => keys.length, labels);
  metrics
    ?.gauge('kube_controller_queue_delayed', 'Keys waiting for their time.')
    .collect(() => keys.delayed, labels);
  metrics?.gauge('kube_controller_active', 'Keys being reconciled.').collect(() => keys.active, labels);
  const total = metrics?.counter(
    'kube_controller_reconciles_total',
    'Reconciles, by outcome (done, later, conflict, error).',
  );
  const seconds = metrics?.histogram('kube_controller_reconcile_seconds', 'How long reconciles took.');
  return (outcome, took) => {
    total?.inc({ controller: name, outcome });
    seconds?.observe(took, labels);
  };
}
