import type { ServerResponse } from 'node:http';
import type { KubeObject, Obj } from '../object.ts';
import type { Request } from '../registry/request.ts';
import { apiVersion } from '../registry/resource.ts';
import { inVersion, typeOpening } from '../registry/mutation.ts';
import { selection, type Selection } from '../registry/selectors.ts';
import { Compacted, parse, type Row, type Store } from '../store/store.ts';
import { partial, table } from '../tables/table.ts';
import type { Wanted } from './negotiate.ts';
import { listOptionsProblem } from './options.ts';
import { encode, send, sendJson, sendWarnings } from './respond.ts';
import { ApiError, badRequest, expired, tooLarge } from './status.ts';

interface Token {
  v: string;
  rv: number;
  start: string;
}

/** GET of a collection. */
export function serveList(store: Store, request: Request, wanted: Wanted, response: ServerResponse): void {
  const { query, resource, version } = request;
  const problem = listOptionsProblem(query, false);
  if (problem) throw problem;
  const chosen = selection(
    query.get('labelSelector') ?? undefined,
    query.get('fieldSelector') ?? undefined,
    version.fields,
  );
  const given = query.get('resourceVersion') ?? '';
  const token = query.get('continue');
  if (token && given && given !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const exact = query.get('resourceVersionMatch') === 'Exact';
  const rv = given === '' ? 0 : listVersion(given);
  if (rv > store.rv) throw tooLarge(rv, store.rv);
  let start: Token | undefined;
  if (token) start = readToken(token);
  // As the real server's watch cache: from "0" the whole list, whatever the limit.
  const limit = given === '0' ? 0 : Number(query.get('limit') ?? 0);
  const page = (() => {
    try {
      return store.list(resource.id, {
        ...within(request, chosen),
        after: start?.start,
        limit: chosen.everything && limit > 0 ? limit : undefined,
        at: start ? start.rv : exact ? rv : undefined,
      });
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      throw expired(
        start
          ? 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.'
          : 'The resourceVersion for the provided list is too old.',
      );
    }
  })();

  const meta: { resourceVersion: string; continue?: string; remainingItemCount?: number } = {
    resourceVersion: String(page.rv),
  };
  if (page.last !== undefined) {
    meta.continue = writeToken({ v: 'meta.k8s.io/v1', rv: page.rv, start: page.last });
    meta.remainingItemCount = page.remaining;
  }
  sendWarnings(response, request.warnings);
  const raw = chosen.everything && !resource.convert && version.name === resource.storageVersion;
  if (raw && !wanted.as) return sendRaw(response, page.rows, meta, request);

  const objects: KubeObject[] = [];
  let last: Row | undefined;
  let more = false;
  for (const row of page.rows) {
    const object = parse(row.body);
    if (!chosen.matches(object)) continue;
    if (!chosen.everything && limit > 0 && objects.length === limit) {
      more = true;
      break;
    }
    last = row;
    objects.push(inVersion(object, request));
  }
  if (more && last) {
    meta.continue = writeToken({
      v: 'meta.k8s.io/v1',
      rv: page.rv,
      start: `${last.namespace}\u0000${last.name}`,
    });
  }
  if (wanted.as === 'Table') return sendJson(response, 200, table(objects, request, meta));
  if (wanted.as) {
    return sendJson(response, 200, {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: meta,
      items: objects.map(partial),
    });
  }
  return sendJson(response, 200, {
    apiVersion: apiVersion(resource.group, version.name),
    items: resource.custom ? objects : objects.map(untyped),
    kind: resource.listKind,
    metadata: listMeta(meta, request),
  });
}

/** Where to look: one object, where the selector names one in a namespace or outside of all. */
export function within(request: Request, chosen: Selection): { namespace?: string; name?: string } {
  const { namespaced } = request.resource;
  const namespace = namespaced ? request.namespace || undefined : chosen.name === undefined ? undefined : '';
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(chosen.name === undefined ? {} : { name: chosen.name }),
  };
}

/** Lists of custom resources always say `continue`, as the real server's do. */
function listMeta(meta: object, request: Request): object {
  return request.resource.custom ? { continue: '', ...meta } : meta;
}

/** The items of a list of built-in objects don't say what they are: the list does. */
function untyped(object: KubeObject): Obj {
  const { apiVersion: _version, kind: _kind, ...rest } = object;
  return rest;
}

/** The stored bytes, joined: nothing is parsed. */
function sendRaw(response: ServerResponse, rows: Row[], meta: object, request: Request): void {
  const { resource, version } = request;
  const parts: Uint8Array[] = [
    Buffer.from(`{"apiVersion":${encode(apiVersion(resource.group, version.name))},"items":[`),
  ];
  const comma = Buffer.from(',');
  const brace = Buffer.from('{');
  // What a stored object begins with; see `stored` in registry/mutation.ts.
  const type = resource.custom ? '' : typeOpening(apiVersion(resource.group, version.name), resource.kind);
  rows.forEach((row, i) => {
    if (i > 0) parts.push(comma);
    if (type !== '') parts.push(brace, row.body.subarray(type.length));
    else parts.push(row.body);
  });
  const tail = encode(listMeta(meta, request));
  parts.push(Buffer.from(`],"kind":${encode(resource.listKind)},"metadata":${tail}}\n`));
  send(response, 200, Buffer.concat(parts));
}

/** @throws ApiError 500 with Go's words for what is no number, as the real server does. */
export function resourceVersion(given: string): number {
  if (/^\d+$/.test(given)) return Number(given);
  throw new ApiError(
    500,
    '',
    `resourceVersion: Invalid value: ${JSON.stringify(given)}: strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`,
  );
}

/** @throws ApiError 400: a list wraps what a watch gives as it is. */
function listVersion(given: string): number {
  try {
    return resourceVersion(given);
  } catch (error) {
    throw badRequest(`invalid resource version: ${error instanceof Error ? error.message : given}`);
  }
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function readToken(source: string): Token {
  const bytes = Buffer.from(source, 'base64url');
  try {
    const token = JSON.parse(bytes.toString('utf8')) as Partial<Token>;
    if (typeof token.rv === 'number' && typeof token.start === 'string') return token as Token;
  } catch {
    // Falls through to the one answer for every token that is none of ours.
  }
  const first = bytes[0] ?? 0;
  const printable = first >= 0x20 && (first < 0x7f || first > 0xa0);
  const shown = printable ? String.fromCharCode(first) : `\\u00${first.toString(16).padStart(2, '0')}`;
  throw badRequest(
    `invalid continue token: continue key is not valid: invalid character '${shown}' looking for beginning of value`,
  );
}
