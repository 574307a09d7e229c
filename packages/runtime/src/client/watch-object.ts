import type { Client, WatchOptions } from './client.ts';
import type { KeyLike, Kind, KubeObject } from './object.ts';

export type WatchObjectOptions = Pick<WatchOptions, 'signal' | 'inactivityMs' | 'onError'>;

/**
 * One object, now and at each change; undefined when the server says that it isn't there. A consumer that is slow gets the newest
 * state and not each one. Ends with the signal, without an error. Costs one connection and one object of memory.
 */
export declare function watchObject<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  key: KeyLike,
  options: WatchObjectOptions,
): AsyncIterable<T | undefined>;
