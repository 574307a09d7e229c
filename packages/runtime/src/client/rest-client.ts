import type { Connection } from '../auth/credentials.ts';
import type { Random } from '../clock/backoff.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Registry } from '../metrics/registry.ts';
import { httpTransport } from '../transport/http.ts';
import type { Transport } from '../transport/transport.ts';
import type { CallOptions, Client, ListOptions, Page, WriteOptions } from './client.ts';
import { ApiError, isGone, isNotFound } from './errors.ts';
import { apiVersionOf, type Kind, keyOf, type KubeObject, parseKey } from './object.ts';
import { collectionPath, needNamespace, objectPath, selectionQuery, withQuery } from './paths.ts';
import { type Call, makeRequests } from './requests.ts';
import { typed, watchForever } from './watch.ts';

export interface ClientOptions extends Connection {
  /** @default 'kubenode' */
  readonly userAgent?: string;
  /** Requests at once, watches apart; more wait. @default 32 */
  readonly maxConnections?: number;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Instead of HTTP. */
  readonly transport?: Transport;
}

interface RawList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: T[] | null;
}

const json = { 'content-type': 'application/json' };
const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** A client of one API server. It opens no connection before the first call. */
export function createClient(options: ClientOptions): Client {
  const requests = makeRequests({
    transport: options.transport ?? httpTransport(options, options),
    userAgent: options.userAgent ?? 'kubenode',
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    requests: options.metrics?.counter(
      'kube_client_requests_total',
      'Requests sent to the API server, by method and status code.',
    ),
    seconds: options.metrics?.histogram(
      'kube_client_request_seconds',
      'Time until the whole answer was there, by method.',
    ),
  });

  const object = async <T extends KubeObject>(kind: Kind<T>, call: Call): Promise<T> =>
    typed(kind, parseBody((await requests.call(call)).body, call) as T);

  async function* pages<T extends KubeObject>(
    kind: Kind<T>,
    list: ListOptions = {},
  ): AsyncGenerator<Page<T>, void, undefined> {
    const limit = list.limit ?? 500;
    let next: string | undefined;
    do {
      const call: Call = {
        ...limits(list),
        method: 'GET',
        path: withQuery(collectionPath(kind, list.namespace), {
          ...selectionQuery(list),
          limit: limit === 0 ? undefined : limit,
          continue: next,
        }),
        idempotent: true,
      };
      const page = parseBody((await requests.call(call)).body, call) as RawList<T>;
      const items = page.items ?? [];
      for (const item of items) typed(kind, item);
      yield { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
      next = page.metadata?.continue === '' ? undefined : page.metadata?.continue;
    } while (next !== undefined);
  }

  const all = async <T extends KubeObject>(kind: Kind<T>, list: ListOptions): Promise<Page<T>> => {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of pages(kind, list)) {
      for (const item of page.items) items.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  };

  return {
    server: requests.server,
    async get(kind, key, get = {}) {
      try {
        return await object(kind, {
          ...limits(get),
          method: 'GET',
          path: objectPath(kind, key, get.subresource),
          idempotent: true,
        });
      } catch (error) {
        if (isNotFound(error) && error.object === parseKey(key).name) return undefined;
        throw error;
      }
    },
    pages,
    async list(kind, list = {}) {
      try {
        return await all(kind, list);
      } catch (error) {
        if (!isGone(error)) throw error;
        return all(kind, { ...list, limit: 0 });
      }
    },
    create: (kind, draft, write = {}) =>
      object(kind, {
        ...limits(write),
        method: 'POST',
        path: withQuery(
          write.subresource === undefined
            ? collectionPath(kind, needNamespace(kind, draft.metadata).namespace)
            : objectPath(kind, keyOf(draft), write.subresource),
          writeQuery(write),
        ),
        headers: json,
        body: JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...draft }),
        idempotent: false,
      }),
    update: (kind, whole, write = {}) =>
      object(kind, {
        ...limits(write),
        method: 'PUT',
        path: withQuery(objectPath(kind, keyOf(whole), write.subresource), writeQuery(write)),
        headers: json,
        body: JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...whole }),
        idempotent: false,
      }),
    async delete(kind, key, remove = {}) {
      const { uid, resourceVersion } = remove;
      const call: Call = {
        ...limits(remove),
        method: 'DELETE',
        path: objectPath(kind, key),
        headers: json,
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions:
            uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion },
          propagationPolicy: remove.propagation,
          gracePeriodSeconds: remove.gracePeriodSeconds,
        }),
        idempotent: true,
      };
      try {
        await requests.call(call);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    apply: (kind, applied, write) =>
      object(kind, {
        ...limits(write),
        method: 'PATCH',
        path: withQuery(objectPath(kind, keyOf(applied), write.subresource), {
          ...writeQuery(write),
          force: write.force === true ? 'true' : undefined,
        }),
        headers: { 'content-type': patchTypes.apply },
        body: JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...applied }),
        idempotent: true,
      }),
    patch: (kind, key, patch, write = {}) =>
      object(kind, {
        ...limits(write),
        method: 'PATCH',
        path: withQuery(objectPath(kind, key, write.subresource), writeQuery(write)),
        headers: { 'content-type': patchTypes[patch.type] },
        body: JSON.stringify(patch.body),
        // A JSON patch may add to a list: done twice it isn't the same.
        idempotent: patch.type !== 'json',
      }),
    watch: (kind, watch) =>
      watchForever(requests, kind, watch, (limit) => pages(kind, { ...watch, limit, signal: watch.signal })),
    async raw(method, path, body, raw = {}) {
      const content =
        body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      return requests.call({
        ...limits(raw),
        method,
        path,
        headers: {
          ...(content === undefined ? {} : { 'content-type': raw.contentType ?? 'application/json' }),
          ...(raw.accept === undefined ? {} : { accept: raw.accept }),
        },
        ...(content === undefined ? {} : { body: content }),
        idempotent: raw.idempotent ?? (method === 'GET' || method === 'HEAD'),
      });
    },
    close: () => requests.close(),
  };
}

function limits({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

function writeQuery(write: WriteOptions): Record<string, string | undefined> {
  return {
    fieldManager: write.fieldManager,
    dryRun: write.dryRun === true ? 'All' : undefined,
    fieldValidation: write.fieldValidation,
  };
}

function parseBody(body: Buffer, call: Call): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    const request = `${call.method} ${call.path.split('?', 1)[0] ?? ''}`;
    const start = body.toString('utf8', 0, 100);
    const error = new ApiError(
      502,
      {
        reason: 'NotJSON',
        message: `the answer is no JSON: is that an API server? It begins: ${start}`,
        causes: [],
      },
      request,
    );
    error.cause = cause;
    throw error;
  }
}
