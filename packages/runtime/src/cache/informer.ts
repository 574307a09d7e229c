import type { Client, Selection } from '../client/client.ts';
import { type KeyLike, type Kind, keyOf, keyString, type KubeObject } from '../client/object.ts';
import { isOlder } from '../client/watch.ts';
import type { Runnable } from '../controller/manager.ts';
import { type Logger, silentLogger } from '../log/log.ts';
import { describeError } from '../log/redact.ts';
import type { Registry } from '../metrics/registry.ts';
import { projections } from './projections.ts';
import { waiters } from './waiters.ts';

/** What happened to one key. `initial`: part of a list and no news, so it may wait behind news. */
export interface Change<P> {
  readonly key: string;
  /** undefined: it wasn't there. */
  readonly old: P | undefined;
  /** undefined: it is gone. */
  readonly new: P | undefined;
  readonly initial: boolean;
}

export interface InformerOptions<T extends KubeObject, P> extends Selection {
  readonly client: Client;
  readonly kind: Kind<T>;
  /**
   * What to keep of an object; the rest is dropped. A pure function. Throwing keeps the last good projection and is logged.
   */
  readonly project: (object: T) => P;
  /** Index name -> the values under which a projection is found. */
  readonly indexes?: Readonly<Record<string, (projection: P) => readonly string[]>>;
  /** When an update changed nothing in the projection, handlers aren't called. @default never equal */
  readonly equal?: (a: P, b: P) => boolean;
  readonly log?: Logger;
  readonly metrics?: Registry;
}

/** A local copy, kept up to date, of what is needed of all objects of a kind. What is in it is shared: never change it. */
export interface Informer<P> extends Runnable {
  readonly kind: Kind;
  readonly size: number;
  /** True from the first complete list on. */
  readonly hasSynced: boolean;
  get(key: KeyLike): P | undefined;
  keys(): IterableIterator<string>;
  values(): IterableIterator<P>;
  entries(): IterableIterator<[string, P]>;
  /** What the index of that name has under the value. Throws for an index that wasn't declared. */
  by(index: string, value: string): readonly P[];
  /** The keys of what `by` returns, in the same order. */
  keysBy(index: string, value: string): readonly string[];
  /** Resolves when the first complete list is in. Rejects with the signal's reason. */
  synced(signal?: AbortSignal): Promise<void>;
  /**
   * Read your writes: resolves when the cache has seen this key at this resourceVersion or later, or has got past it. `rv` is what the
   * write returned. Rejects with the signal's reason, so give it one with a deadline.
   */
  atLeast(key: KeyLike, rv: string, signal?: AbortSignal): Promise<void>;
  /** Called at each change, in order, synchronously. A new handler first gets all there is, as initial. Errors are logged. */
  on(handler: (change: Change<P>) => void): Disposable;
}

/** Makes an informer; `run` (or a manager) starts it. */
export function informer<T extends KubeObject, P>(options: InformerOptions<T, P>): Informer<P> {
  const { kind, project, equal } = options;
  const log = (options.log ?? silentLogger).with({ informer: kind.plural });
  const store = projections<P>(kind.plural, options.indexes ?? {});
  const handlers = new Set<(change: Change<P>) => void>();
  const forSync = waiters<undefined>();
  const forVersion = waiters<{ readonly key: string; readonly version: string }>();
  let hasSynced = false;
  /** Everything up to here has been seen, whatever its key. */
  let reached: string | undefined;
  let lastError: unknown;

  const labels = { kind: kind.plural };
  options.metrics
    ?.gauge('kube_informer_objects', 'Objects in the local copy, by kind.')
    .collect(() => store.size, labels);
  const counted = options.metrics?.counter(
    'kube_informer_events_total',
    'Watch events taken in, by kind and type.',
  );
  const failed = options.metrics?.counter(
    'kube_informer_failures_total',
    'Broken lists and watches, by kind.',
  );

  const tell = (change: Change<P>): void => {
    for (const handler of handlers) call(handler, change);
  };
  const call = (handler: (change: Change<P>) => void, change: Change<P>): void => {
    try {
      handler(change);
    } catch (error) {
      log.error('a handler of an informer failed', { key: change.key, error });
    }
  };

  const put = (key: string, object: T, initial: boolean): void => {
    const version = object.metadata.resourceVersion ?? '';
    const before = store.entry(key);
    if (before !== undefined && before.version === version && version !== '') return;
    let next: P;
    try {
      next = project(object);
    } catch (error) {
      log.error('an object could not be taken in; what was known of it stays', { key, error });
      return;
    }
    const old = before?.projection;
    store.set(key, version, next);
    if (before !== undefined && equal?.(before.projection, next) === true) return;
    tell({ key, old, new: next, initial });
  };
  const drop = (key: string): void => {
    const before = store.entry(key);
    if (before === undefined) return;
    store.delete(key);
    tell({ key, old: before.projection, new: undefined, initial: false });
  };

  const hasSeen = (key: string, version: string): boolean => {
    if (reached !== undefined && !isOlder(reached, version)) return true;
    const held = store.entry(key)?.version;
    return held !== undefined && held !== '' && !isOlder(held, version);
  };
  const wake = (): void => {
    if (forVersion.size > 0) forVersion.release(({ key, version }) => hasSeen(key, version));
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let listed = new Set<string>();
    const events = options.client.watch(kind, {
      signal,
      ...selection(options),
      onError: (error, retryMs) => {
        lastError = error;
        failed?.inc(labels);
        log.warn('watch failed', { error, retryMs: Math.round(retryMs) });
      },
    });
    for await (const event of events) {
      counted?.inc({ kind: kind.plural, type: event.type });
      switch (event.type) {
        case 'RELIST':
          listed = new Set();
          break;
        case 'LISTED': {
          const key = keyOf(event.object);
          listed.add(key);
          put(key, event.object, !hasSynced);
          break;
        }
        case 'SYNCED': {
          for (const key of store.keys()) if (!listed.has(key)) drop(key);
          listed = new Set();
          hasSynced = true;
          lastError = undefined;
          // Set, not raised: after a restored backup the numbers begin lower.
          reached = event.resourceVersion;
          forSync.release(() => true);
          break;
        }
        case 'ADDED':
        case 'MODIFIED':
          put(keyOf(event.object), event.object, false);
          reached = event.object.metadata.resourceVersion ?? reached;
          break;
        case 'DELETED':
          drop(keyOf(event.object));
          reached = event.object.metadata.resourceVersion ?? reached;
          break;
        case 'BOOKMARK':
          reached = event.resourceVersion;
          break;
      }
      wake();
    }
  };

  return {
    name: `informer/${kind.plural}`,
    kind,
    run,
    get size() {
      return store.size;
    },
    get hasSynced() {
      return hasSynced;
    },
    notReady: () =>
      hasSynced
        ? undefined
        : `${kind.plural} not listed yet${lastError === undefined ? '' : `: ${describeError(lastError)}`}`,
    get: (key) => store.entry(keyString(key))?.projection,
    keys: () => store.keys(),
    values: () => store.values(),
    entries: () => store.entries(),
    by: (index, value) => store.by(index, value),
    keysBy: (index, value) => store.keysBy(index, value),
    synced: (signal) => (hasSynced ? Promise.resolve() : forSync.wait(undefined, signal)),
    atLeast(key, version, signal) {
      const text = keyString(key);
      return hasSeen(text, version) ? Promise.resolve() : forVersion.wait({ key: text, version }, signal);
    },
    on(handler) {
      // A function of its own for each call, so that the same handler given twice is two.
      const own = (change: Change<P>): void => handler(change);
      for (const [key, projection] of store.entries())
        call(own, { key, old: undefined, new: projection, initial: true });
      handlers.add(own);
      return { [Symbol.dispose]: () => void handlers.delete(own) };
    },
  };
}

function selection({ namespace, labelSelector, fieldSelector }: Selection): Selection {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}
