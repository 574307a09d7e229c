import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';

import { ArtifactError } from '../errors.ts';
import type { Source, Sources } from './sources.ts';

const maxRedirects = 5;
/** No byte for so long means the connection is dead; a slow link still sends some. */
export const defaultStallMs = 30_000;

export interface HttpOptions {
  readonly sources: Sources;
  /** Resolves a host path (a CA file) to a path of this machine. */
  readonly resolve: (hostPath: string) => Promise<string>;
  /** Milliseconds without a byte after which a connection counts as dead. */
  readonly stallMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  /** Where it came from in the end. */
  readonly url: string;
}

/** A failure of the network, worth another try. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/**
 * GET with the source's credentials, CA and proxy. Follows redirects; credentials never go to another origin, and https never leads to
 * http. The caller must consume or destroy the body. Rejects with NetworkError, or ArtifactError where trying again is no use.
 */
export async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const first = parseAddress(url);
  let address = first;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const source = options.sources.find(address.href);
    const sent = {
      ...(address.origin === first.origin ? headers : withoutSecrets(headers)),
      ...credentials(source, headers),
    };
    const body = await send(address, sent, source, options, signal);
    const status = body.statusCode ?? 0;
    const location = body.headers.location;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
      return { status, headers: body.headers, body, url: address.href };
    }
    body.destroy();
    const next = parseAddress(new URL(location, address).href);
    if (address.protocol === 'https:' && next.protocol !== 'https:') {
      throw new ArtifactError(
        display(url),
        'Unsafe',
        `${display(url)} redirects from https to http (${display(next.href)}): refused; give the final address`,
      );
    }
    address = next;
  }
  throw new ArtifactError(
    display(url),
    'Malformed',
    `${display(url)} redirects more than ${maxRedirects} times: give the final address`,
  );
}

/** The address as it may stand in a log: without user, password and query (signed addresses carry secrets there). */
export function display(url: string): string {
  if (!URL.canParse(url)) return url.slice(0, 200);
  const parsed = new URL(url);
  return `${parsed.origin}${parsed.pathname}`;
}

function parseAddress(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    throw new ArtifactError(
      display(url),
      'Invalid',
      `address '${display(url)}' is not one of http:// or https://`,
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new ArtifactError(
      display(url),
      'Invalid',
      `address ${display(url)} carries a password: put it into sources.json on the host instead`,
    );
  }
  return parsed;
}

function credentials(
  source: Source | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  if (source === undefined || headers['authorization'] !== undefined) return {};
  if (source.token !== undefined) return { authorization: `Bearer ${source.token}` };
  if (source.username === undefined) return {};
  return { authorization: basic(source.username, source.password ?? '') };
}

/** The value of an Authorization header. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization: _secret, ...rest } = headers;
  return rest;
}

async function send(
  address: URL,
  headers: Readonly<Record<string, string>>,
  source: Source | undefined,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const stallMs = options.stallMs ?? defaultStallMs;
  const secure = address.protocol === 'https:';
  const base: RequestOptions = {
    method: 'GET',
    agent: false,
    signal,
    headers: {
      'user-agent': 'kubenode-agent',
      'accept-encoding': 'identity',
      ...headers,
      host: address.host,
    },
  };
  const proxy = source?.proxy === undefined ? undefined : parseAddress(source.proxy);
  // Loaded where needed: TLS costs megabytes that a host with plain mirrors never pays.
  const start = secure ? (await import('node:https')).request : httpRequest;
  const via =
    proxy === undefined
      ? {}
      : secure
        ? { createConnection: await tunnel(address, proxy, options, source, signal) }
        : plainProxy(address, proxy);
  const ca =
    secure && proxy === undefined && source?.caFile !== undefined
      ? { ca: await trusted(source.caFile, options) }
      : {};
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const request = start(address, { ...base, ...ca, ...via });
    request.setTimeout(stallMs, () => request.destroy(new Error(`no answer for ${stallMs / 1000} s`)));
    request.on('error', (error) =>
      reject(
        signal.aborted
          ? error
          : new NetworkError(`${display(address.href)}: ${error.message}`, { cause: error }),
      ),
    );
    request.on('response', resolve);
    request.end();
  });
}

function plainProxy(address: URL, proxy: URL): RequestOptions {
  return { hostname: proxy.hostname, port: proxy.port, path: address.href };
}

/** Opens a CONNECT tunnel through the proxy and TLS inside it. */
async function tunnel(
  address: URL,
  proxy: URL,
  options: HttpOptions,
  source: Source | undefined,
  signal: AbortSignal,
): Promise<() => Socket> {
  const target = `${address.hostname}:${address.port === '' ? 443 : address.port}`;
  const socket = await new Promise<Socket>((resolve, reject) => {
    const connect = httpRequest({
      host: proxy.hostname,
      port: proxy.port,
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      agent: false,
      signal,
    });
    const fail = (why: string): void =>
      reject(new NetworkError(`proxy ${proxy.host}, asked for ${target}: ${why}`));
    connect.setTimeout(options.stallMs ?? defaultStallMs, () => connect.destroy(new Error('no answer')));
    connect.on('connect', (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket);
      socket.destroy();
      fail(`answered ${answer.statusCode ?? 0}`);
    });
    connect.on('error', (error) => fail(error.message));
    connect.end();
  });
  const { connect: connectTls } = await import('node:tls');
  const ca = source?.caFile === undefined ? {} : { ca: await trusted(source.caFile, options) };
  return () => connectTls({ socket, servername: address.hostname, ...ca });
}

/** The system's authorities and the source's own. */
async function trusted(caFile: string, options: HttpOptions): Promise<string[]> {
  const { getCACertificates } = await import('node:tls');
  return [...getCACertificates('default'), await readFile(await options.resolve(caFile), 'utf8')];
}
