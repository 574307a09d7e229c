import { type BackoffOptions, backoffMs } from '../clock/backoff.ts';
import type { Page, WatchEvent, WatchOptions } from './client.ts';
import { ApiError, ConnectionError, isGone } from './errors.ts';
import { linesOf } from './lines.ts';
import { apiVersionOf, type Kind, type KubeObject } from './object.ts';
import { collectionPath, selectionQuery, withQuery } from './paths.ts';
import type { Requests } from './requests.ts';
import { errorOfEvent } from './status.ts';

/** Between a failure and the next try; with many agents the spread matters more than the speed. */
const betweenTries: BackoffOptions = { baseMs: 250, maxMs: 30_000, jitter: 0.8 };
/** The server ends a watch after 5 to 10 minutes, as client-go asks it to, so that load moves to where there is room. */
const watchSeconds = { least: 300, spread: 300 };
const defaultInactivityMs = 180_000;
/** A watch that stood for so long did well, even when it brought nothing. */
const didWellMs = 5000;

type PagesOf<T> = (limit: number) => AsyncIterable<Page<T>>;
type Told<T> = Exclude<WatchEvent<T>, { type: 'RELIST' | 'LISTED' | 'SYNCED' }>;

/** See Client.watch. */
export async function* watchForever<T extends KubeObject>(
  requests: Requests,
  kind: Kind<T>,
  options: WatchOptions,
  pages: PagesOf<T>,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { signal } = options;
  const { clock } = requests;
  let version = options.resourceVersion;
  /** In a row, and of those how often the version was too old. */
  let failures = { all: 0, expired: 0 };
  const well = (): void => {
    failures = { all: 0, expired: 0 };
  };
  /** The continue token got too old on the way: the consumer is slow, so the next list comes in one piece. */
  let whole = false;
  while (!signal.aborted) {
    let watching: number | undefined;
    try {
      if (version === undefined) {
        yield { type: 'RELIST' };
        let listed = '';
        for await (const page of pages(whole ? 0 : (options.limit ?? 500))) {
          for (const object of page.items) yield { type: 'LISTED', object };
          listed = page.resourceVersion;
        }
        whole = false;
        version = listed;
        yield { type: 'SYNCED', resourceVersion: version };
      }
      watching = clock.monotonic();
      for await (const event of watchOnce(requests, kind, options, version)) {
        version = newer(version, event);
        well();
        yield event;
      }
      if (clock.monotonic() - watching < didWellMs) {
        throw new ConnectionError(
          `watch of ${kind.plural}: ${requests.server} ended it early`,
          'ENDED',
          false,
        );
      }
      well();
    } catch (error) {
      if (signal.aborted) return;
      if (watching !== undefined && clock.monotonic() - watching >= didWellMs) well();
      failures.all++;
      if (isGone(error)) {
        failures.expired++;
        if (version === undefined) whole = true;
        version = undefined;
      } else if (isAhead(error) && failures.all > 1) version = undefined;
      const wait = waitMs(error, isGone(error) ? failures.expired : failures.all, requests);
      options.onError?.(error, wait);
      try {
        await clock.sleep(wait, signal);
      } catch {
        return;
      }
    }
  }
}

/** The version after an event. Throws 410 where the server went back in time: a backup was restored. */
function newer<T extends KubeObject>(version: string, event: Told<T>): string {
  const seen =
    event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
  if (seen === '') return version;
  if (!isOlder(seen, version)) return seen;
  const message = `the server went back from resourceVersion ${version} to ${seen}`;
  throw new ApiError(410, { reason: 'Expired', message, causes: [] }, 'WATCH');
}

/** One watch request, until it ends or fails. */
async function* watchOnce<T extends KubeObject>(
  requests: Requests,
  kind: Kind<T>,
  options: WatchOptions,
  version: string,
): AsyncGenerator<Told<T>, void, undefined> {
  const seconds = Math.round(watchSeconds.least + requests.random() * watchSeconds.spread);
  const path = withQuery(collectionPath(kind, options.namespace), {
    ...selectionQuery(options),
    watch: '1',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: seconds,
  });
  const request = `WATCH ${path.split('?', 1)[0] ?? ''}`;
  using guard = watchdog(requests, request, options);
  const stream = await requests.stream(path, {}, guard.signal);
  try {
    for await (const line of linesOf(guard.see(stream.chunks))) {
      const event = parse(line, request);
      if (event.type === 'ERROR') throw errorOfEvent(event.object, request);
      const object = event.object as T;
      if (event.type === 'BOOKMARK') {
        yield { type: 'BOOKMARK', resourceVersion: object.metadata.resourceVersion ?? '' };
      } else if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED') {
        yield { type: event.type, object: typed(kind, object) };
      }
    }
  } finally {
    stream.close();
  }
}

interface Watchdog extends Disposable {
  readonly signal: AbortSignal;
  /** The chunks as they are, each noted as a sign of life. */
  see(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
}

/** Ends a watch on which nothing came for too long: its other end may be gone without a word. */
function watchdog({ clock, server }: Requests, request: string, options: WatchOptions): Watchdog {
  const limit = options.inactivityMs ?? defaultInactivityMs;
  const own = new AbortController();
  const follow = (): void => own.abort(options.signal.reason);
  if (options.signal.aborted) follow();
  else options.signal.addEventListener('abort', follow, { once: true });
  let last = clock.monotonic();
  // While the consumer works on what came, silence is ours and not the server's.
  let reading = true;
  let timer: Disposable;
  const arm = (ms: number): void => {
    timer = clock.after(ms, () => {
      const left = reading ? limit - (clock.monotonic() - last) : limit;
      if (left > 0) arm(left);
      else
        own.abort(
          new ConnectionError(`${request}: ${server}: nothing came for ${limit} ms`, 'INACTIVE', false),
        );
    });
  };
  arm(limit);
  return {
    signal: own.signal,
    async *see(chunks) {
      for await (const chunk of chunks) {
        reading = false;
        yield chunk;
        reading = true;
        last = clock.monotonic();
      }
    },
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      options.signal.removeEventListener('abort', follow);
    },
  };
}

function parse(line: string, request: string): { type: string; object: unknown } {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new ConnectionError(`${request}: a line that is no JSON came`, 'TRUNCATED', false);
  }
  if (typeof event !== 'object' || event === null || !('type' in event) || !('object' in event)) {
    throw new ConnectionError(`${request}: a line that is no watch event came`, 'TRUNCATED', false);
  }
  return { type: String(event.type), object: event.object };
}

/** Items of a list of a built-in kind carry no apiVersion and kind; ours always do. */
export function typed<T extends KubeObject>(kind: Kind<T>, object: T): T {
  const open = object as { apiVersion?: string; kind?: string };
  open.apiVersion ??= apiVersionOf(kind);
  open.kind ??= kind.kind;
  return object;
}

/**
 * The server asks for as long as it says; otherwise it grows with each failure. A version too old asks for a
 * list at once, the first time.
 */
function waitMs(error: unknown, failures: number, { random }: Requests): number {
  if (isGone(error) && failures === 1) return random() * 250;
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  return asked + backoffMs(betweenTries, failures, random);
}

/** The server is behind what we know: for a moment another replica, for long a restored backup. */
function isAhead(error: unknown): boolean {
  return (
    error instanceof ApiError && error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')
  );
}

/** resourceVersions of one kind are numbers that rise (KEP-5504); where they aren't numbers nothing is older. */
export function isOlder(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
