import http from 'node:http';
import https from 'node:https';
import type { Connection, Identity } from '../auth/credentials.ts';
import { ConnectionError } from '../client/errors.ts';
import { describeError } from '../log/redact.ts';
import { slots } from './slots.ts';
import type { HttpAnswer, HttpRequest, HttpStream, Transport } from './transport.ts';

export interface TransportOptions {
  /** Requests at once, streams apart. @default 32 */
  readonly maxConnections?: number;
  /** An answer larger than this is refused: a limit against running out of memory. @default 268_435_456 (256 MiB) */
  readonly maxBodyBytes?: number;
}

/** Until the connection and its TLS stand. A host that is switched off answers nothing at all. */
const connectMs = 10_000;
/** Idle connections are closed after so long, before the load balancers in common use (60 s and up) do. */
const idleMs = 50_000;
/** First TCP keep-alive probe: finds connections whose other end is gone. */
const keepAliveMs = 30_000;

/** Keep-alive HTTP or HTTPS to the connection's server. */
export function httpTransport(connection: Connection, options: TransportOptions = {}): Transport {
  const base = new URL(connection.server);
  const secure = base.protocol === 'https:';
  if (!secure && base.protocol !== 'http:') {
    throw new TypeError(`server ${connection.server}: must begin with https:// or http://`);
  }
  const prefix = base.pathname.replace(/\/+$/, '');
  const connections = slots(options.maxConnections ?? 32);
  const maxBodyBytes = options.maxBodyBytes ?? 256 * 1024 * 1024;
  let agent: http.Agent | undefined;
  let shown: Identity = {};

  /** One pool per client certificate: a renewed one means a new pool; the old one's connections end with their requests. */
  const pool = (identity: Identity): http.Agent => {
    if (agent !== undefined && identity.cert === shown.cert && identity.key === shown.key) return agent;
    if (agent !== undefined) retire(agent);
    shown = identity;
    const common = {
      keepAlive: true,
      keepAliveMsecs: keepAliveMs,
      timeout: idleMs,
      scheduling: 'lifo',
    } as const;
    agent = secure
      ? new https.Agent({
          ...common,
          ...(connection.ca === undefined ? {} : { ca: connection.ca }),
          ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
          ...(connection.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
          ...(identity.cert === undefined ? {} : { cert: identity.cert }),
          ...(identity.key === undefined ? {} : { key: identity.key }),
        })
      : new http.Agent(common);
    return agent;
  };

  const start = async (request: HttpRequest): Promise<http.IncomingMessage> => {
    const identity = (await connection.credentials?.identity(request.signal)) ?? {};
    request.signal.throwIfAborted();
    const settings: https.RequestOptions = {
      agent: pool(identity),
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
      method: request.method,
      path: prefix + request.path,
      headers: {
        ...request.headers,
        ...(identity.token === undefined ? {} : { authorization: `Bearer ${identity.token}` }),
        ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
      },
    };
    return exchange(secure ? https.request : http.request, settings, request, connection.server);
  };

  return {
    server: connection.server,
    async send(request): Promise<HttpAnswer> {
      const giveBack = await connections.take(request.signal);
      try {
        const response = await start(request);
        const body = await readAll(response, request, connection.server, maxBodyBytes);
        return { status: response.statusCode ?? 0, headers: response.headers, body };
      } catch (error) {
        // After a timeout other idle connections are likely as dead as this one.
        if (request.signal.aborted && agent !== undefined) closeIdle(agent);
        throw error;
      } finally {
        giveBack();
      }
    },
    async open(request): Promise<HttpStream> {
      const response = await start(request);
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        chunks: chunksOf(response, request, connection.server),
        close: () => void response.destroy(),
      };
    },
    rejected() {
      connection.credentials?.rejected?.();
      return connection.credentials?.rejected !== undefined;
    },
    close() {
      if (agent !== undefined) closeIdle(agent);
    },
  };
}

/** Sends, and resolves with the answer's head. From then on the signal ends the body. */
function exchange(
  send: typeof https.request,
  settings: https.RequestOptions,
  request: HttpRequest,
  server: string,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    let connected = false;
    let late: NodeJS.Timeout | undefined;
    const fail = (error: unknown): void => {
      clearTimeout(late);
      request.signal.removeEventListener('abort', abort);
      reject(request.signal.aborted ? request.signal.reason : failure(request, server, error, !connected));
    };
    const abort = (): void => void outgoing?.destroy();
    let outgoing: http.ClientRequest | undefined;
    try {
      outgoing = send(settings);
    } catch (error) {
      // A certificate or key that can't be read throws here.
      fail(error);
      return;
    }
    const sent = outgoing;
    sent.on('socket', (socket) => {
      if (!socket.connecting) {
        connected = true;
        return;
      }
      late = setTimeout(
        () =>
          sent.destroy(
            Object.assign(new Error(`no connection within ${connectMs / 1000} s`), { code: 'ETIMEDOUT' }),
          ),
        connectMs,
      );
      socket.once(settings.agent instanceof https.Agent ? 'secureConnect' : 'connect', () => {
        clearTimeout(late);
        connected = true;
      });
    });
    sent.on('error', fail);
    sent.on('response', (response) => {
      clearTimeout(late);
      request.signal.removeEventListener('abort', abort);
      const stop = (): void => void response.destroy();
      request.signal.addEventListener('abort', stop, { once: true });
      response.once('close', () => request.signal.removeEventListener('abort', stop));
      resolve(response);
    });
    request.signal.addEventListener('abort', abort, { once: true });
    sent.end(request.body);
  });
}

async function* chunksOf(
  response: http.IncomingMessage,
  request: HttpRequest,
  server: string,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw request.signal.aborted ? request.signal.reason : failure(request, server, error, false);
  } finally {
    response.destroy();
  }
  request.signal.throwIfAborted();
  if (!response.complete) throw failure(request, server, undefined, false);
}

/** Without async iteration: half the cost for the small answers that are most of them, and the connection stays in the pool. */
function readAll(
  response: http.IncomingMessage,
  request: HttpRequest,
  server: string,
  limit: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (error?: unknown): void => {
      reject(request.signal.aborted ? request.signal.reason : failure(request, server, error, false));
    };
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        response.destroy(
          Object.assign(new Error(`the answer is larger than ${limit} bytes; ask for less at once`), {
            code: 'TOO_LARGE',
          }),
        );
      } else chunks.push(chunk);
    });
    response.on('end', () => (response.complete ? resolve(Buffer.concat(chunks, size)) : fail()));
    response.on('error', fail);
    response.on('close', () => {
      if (!response.complete) fail();
    });
  });
}

/** The cause's text and code are in it; the cause itself is not, since Node's holds whole certificates. */
function failure(request: HttpRequest, server: string, cause: unknown, neverSent: boolean): ConnectionError {
  const code = codeOf(cause) ?? 'TRUNCATED';
  const path = request.path.split('?', 1)[0] ?? '';
  const what = cause === undefined ? 'the answer broke off' : describeError(cause);
  return new ConnectionError(`${request.method} ${path}: ${server}: ${what}`, code, neverSent);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

/** Its idle connections end now, those in use when they become idle. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  closeIdle(agent);
}
