import type { ServerResponse } from 'node:http';
import { stringify } from 'yaml';
import type { KubeObject, Obj } from '../object.ts';
import type { Request } from '../registry/request.ts';
import { stringifyJson } from '../schema/index.ts';
import { partial, table } from '../tables/table.ts';
import type { Wanted } from './negotiate.ts';
import { ApiError } from './status.ts';

/** JSON, also with integers beyond 2^53. */
export function encode(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return stringifyJson(value);
  }
}

export function sendJson(response: ServerResponse, code: number, value: unknown): void {
  send(response, code, `${encode(value)}\n`);
}

export function send(
  response: ServerResponse,
  code: number,
  body: string | Uint8Array,
  type = 'application/json',
): void {
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, private',
  });
  response.end(body);
}

/** One `Warning` header per message; client-go prints them. */
export function sendWarnings(response: ServerResponse, warnings: string[]): void {
  if (warnings.length === 0) return;
  response.setHeader(
    'warning',
    [...new Set(warnings)].map((text) => `299 - ${JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, '?'))}`),
  );
}

/** An object as the client asked to see it. */
export function sendObject(
  response: ServerResponse,
  code: number,
  object: KubeObject,
  request: Request,
  wanted: Wanted,
): void {
  sendWarnings(response, request.warnings);
  if (wanted.as === 'Table') sendJson(response, code, table([object], request, object.metadata));
  else if (wanted.as === 'PartialObjectMetadata') sendJson(response, code, partial(object));
  else if (wanted.yaml) send(response, code, stringify(object, { sortMapEntries: true }), 'application/yaml');
  else sendJson(response, code, object);
}

/** Any failure as a Status. What was not foreseen is 500, and is told to `log`. */
export function sendError(response: ServerResponse, error: unknown, log: (error: unknown) => void): void {
  let failure: ApiError;
  if (error instanceof ApiError) failure = error;
  else {
    log(error);
    const message = error instanceof Error ? error.message : String(error);
    failure = new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
      causes: [{ message }],
    });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const retry = (failure.details as Obj | undefined)?.['retryAfterSeconds'];
  if (typeof retry === 'number') response.setHeader('retry-after', String(retry));
  if (failure.code === 413) response.setHeader('connection', 'close');
  sendJson(response, failure.code, failure.status);
}
