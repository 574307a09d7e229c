import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join, normalize } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from './digest.ts';

/** How a file server is started. */
export interface FileServerOptions {
  /** The folder whose files are served. */
  dir: string;
  /** Default 127.0.0.1; a lab's `address` for its hosts, who know it as artifacts.lab. */
  address?: string;
  /** Default 0: any free one. The committed examples name no port, so the server for them listens on 80. */
  port?: number;
}

/** What a server does wrong with a path, until told otherwise (or for so many `times`). */
export type Misbehaviour = (
  | { kind: 'status'; code: number }
  /** Promises the whole file, sends so many bytes, and breaks the connection. */
  | { kind: 'truncate'; bytes: number }
  | { kind: 'slow'; bytesPerSecond: number }
  /** Takes the request and never answers. */
  | { kind: 'hang' }
  /** Sends something else as if it were the file. */
  | { kind: 'replace'; content: Uint8Array | string }
) & { times?: number };

/** An HTTP server of files that understands ranges and can be told to misbehave. */
export interface FileServer {
  /** `http://ADDRESS:PORT` (no port where it is 80). */
  url: string;
  dir: string;
  /** What was asked for so far: `GET /path` or `GET /path bytes=5-`. */
  requests: string[];
  /** From now on, does this wrong for a path such as `/debs/x.deb`. */
  misbehave(path: string, how: Misbehaviour): void;
  /** Does everything right again: for one path, or for all. */
  behave(path?: string): void;
  /** Writes a file into the folder. @returns its digest, `sha256:...`. */
  put(path: string, content: Uint8Array | string): Promise<string>;
  /** Stops listening and breaks what is under way: "the address does not answer". */
  close(): Promise<void>;
}

/** Starts a file server in this process. @throws Error where the address or port can't be listened on. */
export async function startFileServer(options: FileServerOptions): Promise<FileServer> {
  const address = options.address ?? '127.0.0.1';
  const wrong = new Map<string, Misbehaviour>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    answer(options.dir, wrong, requests, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, address, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The file server has no port.');
  return {
    url: `http://${address}${bound.port === 80 ? '' : `:${bound.port}`}`,
    dir: options.dir,
    requests,
    misbehave: (path, how) => void wrong.set(path, how),
    behave: (path) => (path === undefined ? wrong.clear() : void wrong.delete(path)),
    put: async (path, content) => {
      const file = inside(options.dir, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return digestOf(content);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  dir: string,
  wrong: Map<string, Misbehaviour>,
  requests: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://files').pathname);
  const { range } = request.headers;
  requests.push(`${request.method} ${path}${range === undefined ? '' : ` ${range}`}`);
  const how = takeMisbehaviour(wrong, path);
  if (how?.kind === 'hang') return;
  if (how?.kind === 'status') return void response.writeHead(how.code).end();
  if (how?.kind === 'replace') return void response.writeHead(200).end(how.content);
  const file = inside(dir, path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return void response.writeHead(404).end('no such file\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
  const part = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  const start = part === null ? 0 : Number(part[1]);
  const end = part?.[2] ? Math.min(Number(part[2]), found.size - 1) : found.size - 1;
  if (part !== null && start >= found.size)
    return void response.writeHead(416, { 'content-range': `bytes */${found.size}` }).end();
  response.writeHead(part === null ? 200 : 206, {
    'accept-ranges': 'bytes',
    'content-length': end - start + 1,
    'content-type': 'application/octet-stream',
    ...(part === null ? {} : { 'content-range': `bytes ${start}-${end}/${found.size}` }),
  });
  if (request.method === 'HEAD') return void response.end();
  if (how?.kind === 'truncate') {
    const content = await readFile(file);
    response.write(content.subarray(start, Math.min(start + how.bytes, end + 1)), () => response.destroy());
    return;
  }
  if (how?.kind === 'slow')
    return await trickle(response, (await readFile(file)).subarray(start, end + 1), how.bytesPerSecond);
  createReadStream(file, { start, end: Math.max(end, start) })
    .on('error', () => response.destroy())
    .pipe(response);
}

function takeMisbehaviour(wrong: Map<string, Misbehaviour>, path: string): Misbehaviour | undefined {
  const how = wrong.get(path);
  if (how?.times === undefined) return how;
  if (how.times <= 1) wrong.delete(path);
  else wrong.set(path, { ...how, times: how.times - 1 });
  return how;
}

/** Sends ten pieces a second for as long as the other side takes them. */
async function trickle(response: ServerResponse, content: Buffer, bytesPerSecond: number): Promise<void> {
  const piece = Math.max(1, Math.floor(bytesPerSecond / 10));
  for (let sent = 0; sent < content.length && !response.destroyed; sent += piece) {
    response.write(content.subarray(sent, sent + piece));
    await delay(100);
  }
  response.end();
}

/** The file of a path, never one outside of the folder. */
function inside(dir: string, path: string): string {
  return join(dir, normalize(join('/', path)));
}
