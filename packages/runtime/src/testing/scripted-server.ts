import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

/** One request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  /** Parsed JSON; undefined where there was none. */
  readonly body: unknown;
  /** Common name of the client's certificate. */
  readonly clientName: string | undefined;
}

/** Answers one request. */
export type Answer = (request: Seen, response: ServerResponse) => void | Promise<void>;

/** A server that does, request by request, what the test says. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Connections that were ever accepted. */
  readonly connections: number;
  /** Answers of the next requests in order; when they are used up `otherwise` answers. */
  next(...answers: Answer[]): void;
  otherwise(answer: Answer): void;
  /** Breaks all connections. */
  reset(): void;
}

export async function scriptedServer(tls?: https.ServerOptions): Promise<ScriptedServer> {
  const script: Answer[] = [];
  const seen: Seen[] = [];
  let connections = 0;
  let fallback: Answer = (request, response) => {
    response.writeHead(500).end(`unexpected ${request.method} ${request.path}?${request.query.toString()}`);
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const chunk of request) parts.push(chunk as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://server');
    const peer: unknown =
      'getPeerCertificate' in request.socket && typeof request.socket.getPeerCertificate === 'function'
        ? request.socket.getPeerCertificate()
        : undefined;
    const one: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
      clientName: (peer as { subject?: { CN?: string } } | undefined)?.subject?.CN,
    };
    seen.push(one);
    await (script.shift() ?? fallback)(one, response);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.on(tls === undefined ? 'connection' : 'secureConnection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get connections() {
      return connections;
    },
    next: (...answers) => void script.push(...answers),
    otherwise(answer) {
      fallback = answer;
    },
    reset: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** JSON with a status. */
export function reply(body: unknown, status = 200, headers: http.OutgoingHttpHeaders = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** An error as the API server gives it. */
export function refuse(
  code: number,
  reason: string,
  more: { headers?: http.OutgoingHttpHeaders; details?: object } = {},
): Answer {
  return reply(status(code, reason, more.details), code, more.headers);
}

export function status(code: number, reason: string, details?: object): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `it is ${reason}`,
    details,
  };
}

/** The connection is cut before an answer. */
export const cut: Answer = (_, response) => void response.socket?.destroy();

/** A list with one page. */
export function list(resourceVersion: string, items: readonly object[], token?: string): Answer {
  return reply({
    kind: 'List',
    metadata: { resourceVersion, ...(token === undefined ? {} : { continue: token }) },
    items,
  });
}

/** A watch: says these events, and then goes on as `after` says. */
export function events(
  lines: readonly object[],
  after: 'end' | 'stay' | 'cut' | 'cut in a line' = 'end',
): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    switch (after) {
      case 'end':
        response.end(text);
        break;
      case 'stay':
        response.write(text);
        break;
      case 'cut':
        response.write(text, () => response.socket?.destroy());
        break;
      case 'cut in a line':
        response.write(`${text}{"type":"ADDED","object":{"meta`, () => response.socket?.destroy());
        break;
    }
  };
}

export function event(type: string, name: string, resourceVersion: string, more: object = {}): object {
  return { type, object: thing(name, resourceVersion, more) };
}

export function thing(name: string, resourceVersion: string, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, resourceVersion, ...more } };
}
