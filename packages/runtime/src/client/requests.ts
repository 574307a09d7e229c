import { type Scope, scope } from '../clock/scope.ts';
import type { Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';
import type { Counter, Histogram } from '../metrics/registry.ts';
import type { HttpAnswer, HttpStream, Transport } from '../transport/transport.ts';
import type { CallOptions } from './client.ts';
import { ApiError, ConnectionError } from './errors.ts';
import { retryMs } from './retry.ts';
import { errorOf } from './status.ts';

export interface Call extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly idempotent: boolean;
}

export interface RequestsOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly requests?: Counter | undefined;
  readonly seconds?: Histogram | undefined;
}

/** For the whole of a call, its retries included. */
const defaultTimeoutMs = 30_000;
/** A try that may be repeated gets half of the call's time, but not less than this. */
const leastTryMs = 5000;

/** HTTP with errors as errors, deadlines and retries. */
export interface Requests {
  readonly server: string;
  readonly clock: Clock;
  readonly random: Random;
  call(call: Call): Promise<HttpAnswer>;
  /** An answer that goes on; its head must come within 30 s. Not retried. */
  stream(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpStream>;
  close(): void;
}

export function makeRequests(options: RequestsOptions): Requests {
  const { transport, clock, random } = options;
  const common = { 'user-agent': options.userAgent, accept: 'application/json' };

  const attempt = async (call: Call, timeoutMs: number): Promise<HttpAnswer> => {
    const name = label(call.method, call.path);
    using tried = scopeFor(name, transport.server, clock, call.signal, timeoutMs);
    const started = clock.monotonic();
    let code = 'error';
    try {
      const answer = await transport.send({
        method: call.method,
        path: call.path,
        headers: { ...common, ...call.headers },
        signal: tried.signal,
        ...(call.body === undefined ? {} : { body: call.body }),
      });
      code = String(answer.status);
      if (answer.status >= 400) throw errorOf(answer, name, clock.now());
      return answer;
    } finally {
      options.requests?.inc({ method: call.method, code });
      options.seconds?.observe((clock.monotonic() - started) / 1000, { method: call.method });
    }
  };

  return {
    server: transport.server,
    clock,
    random,
    async call(call) {
      const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
      const end = clock.monotonic() + timeoutMs;
      let renewed = false;
      for (let tried = 1; ; tried++) {
        const left = Math.max(1, end - clock.monotonic());
        try {
          return await attempt(
            call,
            call.idempotent ? Math.min(left, Math.max(leastTryMs, timeoutMs / 2)) : left,
          );
        } catch (error) {
          call.signal?.throwIfAborted();
          if (error instanceof ApiError && error.status === 401 && !renewed && transport.rejected()) {
            renewed = true;
            continue;
          }
          const wait = retryMs(error, tried, call.idempotent, random);
          if (wait === undefined || clock.monotonic() + wait >= end) throw error;
          await clock.sleep(wait, call.signal);
        }
      }
    },
    async stream(path, headers, signal) {
      const name = label('GET', path);
      let opened: HttpStream | undefined;
      using head = scopeFor(name, transport.server, clock, signal, defaultTimeoutMs);
      // The answer's body must outlive the deadline of its head, so the transport gets the caller's signal and a race decides.
      const body = scope({ parent: signal });
      const late = (): void => body.abort(head.signal.reason);
      head.signal.addEventListener('abort', late, { once: true });
      try {
        opened = await transport.open({
          method: 'GET',
          path,
          headers: { ...common, ...headers },
          signal: body.signal,
        });
      } catch (error) {
        body[Symbol.dispose]();
        throw error;
      } finally {
        head.signal.removeEventListener('abort', late);
      }
      const stream = opened;
      options.requests?.inc({ method: 'WATCH', code: String(stream.status) });
      if (stream.status < 400) {
        return {
          ...stream,
          close() {
            body[Symbol.dispose]();
            stream.close();
          },
        };
      }
      try {
        if (stream.status === 401) transport.rejected();
        throw errorOf({ ...stream, body: await firstBytes(stream.chunks) }, name, clock.now());
      } finally {
        body[Symbol.dispose]();
        stream.close();
      }
    },
    close: () => transport.close(),
  };
}

function scopeFor(
  name: string,
  server: string,
  clock: Clock,
  parent: AbortSignal | undefined,
  timeoutMs: number,
): Scope {
  return scope({
    parent,
    clock,
    timeoutMs,
    timeout: () =>
      new ConnectionError(
        `${name}: ${server}: no answer within ${Math.round(timeoutMs)} ms`,
        'TIMEOUT',
        false,
      ),
  });
}

function label(method: string, path: string): string {
  return `${method} ${path.split('?', 1)[0] ?? ''}`;
}

/** A Status is small; of anything else the beginning is enough. */
async function firstBytes(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > 65_536) break;
  }
  return Buffer.concat(parts);
}
