import type { Client, Selection } from '../client/client.ts';
import type { KeyLike, Kind, KubeObject } from '../client/object.ts';
import type { Clock } from '../clock/clock.ts';
import type { Runnable } from '../controller/manager.ts';
import type { Logger } from '../log/log.ts';
import type { Registry } from '../metrics/registry.ts';

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
  readonly clock?: Clock;
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
export declare function informer<T extends KubeObject, P>(options: InformerOptions<T, P>): Informer<P>;
