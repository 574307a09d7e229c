import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../object.ts';
import type { Request } from '../registry/request.ts';
import { apiVersion } from '../registry/resource.ts';
import { inVersion } from '../registry/mutation.ts';
import { selection } from '../registry/selectors.ts';
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
  const rv = given === '' ? 0 : resourceVersion(given);
  if (rv > store.rv) throw tooLarge(rv, store.rv);
  let start: Token | undefined;
  if (token) start = readToken(token);
  // As the real server's watch cache: from "0" the whole list, whatever the limit.
  const limit = given === '0' ? 0 : Number(query.get('limit') ?? 0);
  const page = (() => {
    try {
      return store.list(resource.id, {
        namespace: resource.namespaced ? request.namespace || undefined : undefined,
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
    items: objects,
    kind: resource.listKind,
    metadata: meta,
  });
}

/** The stored bytes, joined: nothing is parsed. */
function sendRaw(response: ServerResponse, rows: Row[], meta: object, request: Request): void {
  const { resource, version } = request;
  const parts: Uint8Array[] = [
    Buffer.from(`{"apiVersion":${encode(apiVersion(resource.group, version.name))},"items":[`),
  ];
  const comma = Buffer.from(',');
  rows.forEach((row, i) => {
    if (i > 0) parts.push(comma);
    parts.push(row.body);
  });
  parts.push(Buffer.from(`],"kind":${encode(resource.listKind)},"metadata":${encode(meta)}}\n`));
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

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function readToken(source: string): Token {
  try {
    const token = JSON.parse(Buffer.from(source, 'base64url').toString('utf8')) as Partial<Token>;
    if (typeof token.rv === 'number' && typeof token.start === 'string') return token as Token;
  } catch {
    // Falls through to the one answer for every token that is none of ours.
  }
  throw badRequest('invalid continue token: continue key is not valid: invalid character in the token');
}
