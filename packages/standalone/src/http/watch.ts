import type { ServerResponse } from 'node:http';
import type { KubeObject, Obj } from '../object.ts';
import { inVersion } from '../registry/mutation.ts';
import type { Request } from '../registry/request.ts';
import { apiVersion } from '../registry/resource.ts';
import { selection, type Selection } from '../registry/selectors.ts';
import type { Change } from '../store/change.ts';
import { Compacted, parse, type Store } from '../store/store.ts';
import { viewOf, type WatchEvent, type WatchHub, type Watcher } from '../store/watch.ts';
import { partial, table } from '../tables/table.ts';
import { resourceVersion, within } from './list.ts';
import type { Wanted } from './negotiate.ts';
import { listOptionsProblem } from './options.ts';
import { encode } from './respond.ts';
import { ApiError, tooLarge } from './status.ts';

/** A watcher that has not read this much (bytes) is cut off; it will list again or resume. */
const SLOW = 32 * 1024 * 1024;
/** Bookmarks come this often (ms), as from the real server. */
const BOOKMARK = 60_000;
/** A watch that names no timeout ends after this long, plus up to as much again (ms). */
const LIFETIME = 30 * 60_000;
/** How long a watch or read of a version yet to come is waited for (ms). */
const FUTURE = 3_000;

/** Encoded events, shared by all watchers that see the same: one buffer per change and form. */
const encoded = new WeakMap<Change, Map<string, Buffer>>();

/** GET with `watch=true`: resolves when the watch has ended. */
export async function serveWatch(
  store: Store,
  hub: WatchHub,
  request: Request,
  wanted: Wanted,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const { query, version } = request;
  const problem = listOptionsProblem(query, true);
  if (problem) throw problem;
  const chosen = selection(
    query.get('labelSelector') ?? undefined,
    query.get('fieldSelector') ?? undefined,
    version.fields,
  );
  const given = query.get('resourceVersion') ?? '';
  const rv = given === '' ? 0 : resourceVersion(given);
  const watch = new Watch(request, wanted, chosen, response);
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'transfer-encoding': 'chunked',
  });
  response.flushHeaders();

  if (rv > store.rv && !(await reached(store, rv, response))) {
    watch.error(tooLarge(rv, store.rv));
    return;
  }
  const initial = query.get('sendInitialEvents');
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const fromNow = initial === 'true' || (initial === null && rv === 0);
  if (fromNow) {
    watch.everything(store);
    if (bookmarks) watch.bookmark(store.rv, initial === 'true' || initial === null);
  } else if (rv > 0) {
    try {
      for (const change of store.since(request.resource.id, rv)) watch.offer(change);
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      watch.error(new ApiError(410, 'Expired', `too old resource version: ${rv} (${error.oldest})`));
      return;
    }
  }
  const remove = hub.add(watch.watcher);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const lifetime = seconds > 0 ? seconds * 1000 : LIFETIME * (1 + Math.random());
  await new Promise<void>((resolve) => {
    const beat = bookmarks ? setInterval(() => watch.bookmark(store.rv, false), BOOKMARK) : undefined;
    const end = setTimeout(done, Math.min(lifetime, 2 ** 31 - 1));
    function done(): void {
      clearInterval(beat);
      clearTimeout(end);
      stopping.removeEventListener('abort', done);
      remove();
      resolve();
    }
    stopping.addEventListener('abort', done);
    response.on('close', done);
    if (stopping.aborted || response.destroyed) done();
  });
  if (!response.destroyed) response.end();
}

async function reached(store: Store, rv: number, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(false), FUTURE);
    const unsubscribe = store.subscribe((change) => {
      if (change.rv >= rv) finish(true);
    });
    function finish(found: boolean): void {
      clearTimeout(timer);
      unsubscribe();
      response.off('close', gone);
      resolve(found);
    }
    const gone = (): void => finish(false);
    response.on('close', gone);
  });
}

class Watch {
  readonly #request: Request;
  readonly #wanted: Wanted;
  readonly #response: ServerResponse;
  readonly #chosen: Selection;
  /** Events with the same form are the same bytes. */
  readonly #form: string;
  #first = true;
  readonly watcher: Watcher;

  constructor(request: Request, wanted: Wanted, chosen: Selection, response: ServerResponse) {
    this.#request = request;
    this.#wanted = wanted;
    this.#response = response;
    this.#chosen = chosen;
    const { resource, version, query } = request;
    this.#form = [resource.group, version.name, wanted.as ?? '', query.get('includeObject') ?? ''].join(' ');
    this.watcher = {
      resource: resource.id,
      namespace: resource.namespaced ? request.namespace || undefined : undefined,
      index: chosen.index,
      matches: chosen.matches,
      send: (event) => this.#send(event),
    };
  }

  /** The state as it is, as ADDED events. */
  everything(store: Store): void {
    const { resource, version } = this.#request;
    const raw = !this.#wanted.as && !resource.convert && version.name === resource.storageVersion;
    const { rows } = store.list(resource.id, within(this.#request, this.#chosen));
    for (const row of rows) {
      const object = parse(row.body);
      if (!this.watcher.matches(object)) continue;
      if (raw) this.#write(line('ADDED', row.body));
      else this.#write(Buffer.from(this.#encode('ADDED', object)));
    }
  }

  offer(change: Change): void {
    const event = viewOf(this.watcher, change);
    if (event) this.#send(event);
  }

  #send(event: WatchEvent): void {
    const forms = encoded.get(event.change) ?? new Map<string, Buffer>();
    encoded.set(event.change, forms);
    const { resource, version } = this.#request;
    const key = `${event.type} ${event.left} ${this.#first && this.#wanted.as === 'Table'} ${this.#form}`;
    let buffer = forms.get(key);
    if (!buffer) {
      const raw =
        !this.#wanted.as && !resource.convert && version.name === resource.storageVersion && !event.left;
      buffer = raw
        ? line(event.type, event.change.body)
        : Buffer.from(this.#encode(event.type, shownObject(event)));
      forms.set(key, buffer);
    }
    this.#first = false;
    this.#write(buffer);
  }

  #encode(type: string, stored: KubeObject): string {
    const object = inVersion({ ...stored, metadata: { ...stored.metadata } }, this.#request);
    let shown: Obj = object;
    if (this.#wanted.as === 'Table') {
      shown = table([object], { ...this.#request, now: Date.now() }, object.metadata, this.#first);
      this.#first = false;
    } else if (this.#wanted.as) shown = partial(object);
    return `${encode({ type, object: shown })}\n`;
  }

  /** A point from which to resume; `end` marks the end of the initial events. */
  bookmark(rv: number, end: boolean): void {
    const { resource, version } = this.#request;
    const annotations = end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { ...annotations, resourceVersion: String(rv) };
    let object: Obj;
    if (this.#wanted.as === 'Table') {
      object = {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { resourceVersion: String(rv) },
        columnDefinitions: null,
        rows: [],
      };
      if (end) {
        const inner = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
        // The cells of an object that has nothing but this mark.
        const nothing = { apiVersion: '', kind: '', metadata: { name: '' } };
        const cells = version.columns.map((column) => column.cell(nothing, Date.now()));
        object['rows'] = [{ cells, object: inner }];
      }
    } else if (this.#wanted.as) {
      object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    } else {
      // Of a built-in kind Go shows what is there before anybody sets it.
      const { name, zero } = version;
      object = { apiVersion: apiVersion(resource.group, name), kind: resource.kind, metadata, ...zero };
    }
    this.#write(Buffer.from(`${encode({ type: 'BOOKMARK', object })}\n`));
  }

  error(error: ApiError): void {
    this.#response.end(`${encode({ type: 'ERROR', object: error.status })}\n`);
  }

  #write(buffer: Buffer): void {
    if (this.#response.destroyed) return;
    this.#response.write(buffer);
    if (this.#response.writableLength > SLOW) this.#response.destroy();
  }
}

const TAIL = Buffer.from('}\n');

function line(type: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), body, TAIL]);
}

/** Of an object that left the selection: its last selected state, with the version of the change. */
function shownObject(event: WatchEvent): KubeObject {
  const { object, previous } = event.change;
  if (!event.left || !previous) return object;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.change.rv) } };
}
