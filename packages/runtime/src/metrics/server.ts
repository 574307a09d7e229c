import http from 'node:http';
import type { Runnable } from '../controller/manager.ts';
import type { Registry } from './registry.ts';

export interface HealthServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any free one; see `address`. */
  readonly port: number;
  readonly metrics?: Registry;
  /** One line per thing that is wrong; empty is well. @default always well while it answers */
  readonly healthz?: () => readonly string[];
  readonly readyz?: () => readonly string[];
}

/** Serves /metrics, /healthz and /readyz (200, or 503 with what is wrong). */
export interface HealthServer extends Runnable {
  /** Where it listens; rejects when it can't. Resolves only after `run` was called. */
  address(): Promise<{ readonly host: string; readonly port: number }>;
}

export function healthServer(options: HealthServerOptions): HealthServer {
  const listening = Promise.withResolvers<{ readonly host: string; readonly port: number }>();
  // Who doesn't ask for the address must not be troubled by the same error that `run` rejects with.
  listening.promise.catch(() => undefined);

  const answer = (path: string): { status: number; type: string; body: string } => {
    const plain = 'text/plain; charset=utf-8';
    switch (path) {
      case '/metrics':
        return {
          status: 200,
          type: 'text/plain; version=0.0.4; charset=utf-8',
          body: options.metrics?.text() ?? '',
        };
      case '/healthz':
      case '/livez':
        return health(options.healthz?.() ?? []);
      case '/readyz':
        return health(options.readyz?.() ?? []);
      default:
        return { status: 404, type: plain, body: 'there are /metrics, /healthz and /readyz\n' };
    }
  };

  return {
    name: 'health server',
    address: () => listening.promise,
    async run(signal) {
      const server = http.createServer((request, response) => {
        const { status, type, body } = answer((request.url ?? '/').split('?', 1)[0] ?? '/');
        response.writeHead(request.method === 'GET' || request.method === 'HEAD' ? status : 405, {
          'content-type': type,
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
      server.requestTimeout = 10_000;
      const ended = Promise.withResolvers<void>();
      server.on('error', (error) => {
        listening.reject(error);
        ended.reject(error);
      });
      server.on('close', () => ended.resolve());
      const stop = (): void => {
        server.close();
        server.closeAllConnections();
      };
      signal.addEventListener('abort', stop, { once: true });
      server.listen(options.port, options.host ?? '127.0.0.1', () => {
        const address = server.address();
        if (address !== null && typeof address === 'object')
          listening.resolve({ host: address.address, port: address.port });
        if (signal.aborted) stop();
      });
      try {
        await ended.promise;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

function health(wrong: readonly string[]): { status: number; type: string; body: string } {
  return {
    status: wrong.length === 0 ? 200 : 503,
    type: 'text/plain; charset=utf-8',
    body: wrong.length === 0 ? 'ok\n' : `${wrong.join('\n')}\n`,
  };
}
