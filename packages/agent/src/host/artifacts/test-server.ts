import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** `METHOD path range` of each request, in order. */
  readonly requests: string[];
}

/** An HTTP server on a free port of this machine, closed after the test. */
export async function serve(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(
      [request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(' '),
    );
    handle(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests };
}

/** Serves a body as a file server does, ranges included. */
export function sendFile(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) {
    response.writeHead(200, { 'content-length': body.length }).end(body);
  } else if (from >= body.length) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
  } else {
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    response
      .writeHead(206, { 'content-length': body.length - from, 'content-range': range })
      .end(body.subarray(from));
  }
}

export function sha256(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
