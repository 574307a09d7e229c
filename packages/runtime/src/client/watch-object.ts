import type { Client, WatchOptions } from './client.ts';
import { type KeyLike, type Kind, type KubeObject, parseKey } from './object.ts';

export type WatchObjectOptions = Pick<WatchOptions, 'signal' | 'inactivityMs' | 'onError'>;

/**
 * One object, now and at each change; undefined when the server says that it isn't there. A consumer that is slow gets the newest
 * state and not each one. Ends with the signal, without an error. Costs one connection and one object of memory.
 */
export async function* watchObject<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  key: KeyLike,
  options: WatchObjectOptions,
): AsyncGenerator<T | undefined, void, undefined> {
  const { namespace, name } = parseKey(key);
  const stop = new AbortController();
  const follow = (): void => stop.abort(options.signal.reason);
  if (options.signal.aborted) follow();
  else options.signal.addEventListener('abort', follow, { once: true });

  let newest: T | undefined;
  let fresh = false;
  let failed: { readonly error: unknown } | undefined;
  let ended = false;
  let wake = (): void => undefined;
  const tell = (object: T | undefined): void => {
    newest = object;
    fresh = true;
    wake();
  };

  const read = async (): Promise<void> => {
    let listed: T | undefined;
    let known: T | undefined;
    let synced = false;
    const events = client.watch(kind, {
      ...options,
      signal: stop.signal,
      fieldSelector: `metadata.name=${name}`,
      ...(namespace === undefined ? {} : { namespace }),
    });
    for await (const event of events) {
      switch (event.type) {
        case 'RELIST':
          listed = undefined;
          break;
        case 'LISTED':
          listed = event.object;
          break;
        case 'SYNCED':
          // After a gap the same state is no news.
          if (!synced || !sameState(known, listed)) tell(listed);
          known = listed;
          synced = true;
          break;
        case 'ADDED':
        case 'MODIFIED':
          known = event.object;
          tell(known);
          break;
        case 'DELETED':
          known = undefined;
          tell(undefined);
          break;
        case 'BOOKMARK':
          break;
      }
    }
  };
  const reading = read().then(
    () => {
      ended = true;
      wake();
    },
    (error: unknown) => {
      failed = { error };
      wake();
    },
  );

  try {
    for (;;) {
      if (fresh) {
        fresh = false;
        const object = newest;
        newest = undefined;
        yield object;
      } else if (failed !== undefined) throw failed.error;
      else if (ended || stop.signal.aborted) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stop.abort();
    options.signal.removeEventListener('abort', follow);
    await reading;
  }
}

function sameState(a: KubeObject | undefined, b: KubeObject | undefined): boolean {
  return a?.metadata.uid === b?.metadata.uid && a?.metadata.resourceVersion === b?.metadata.resourceVersion;
}
