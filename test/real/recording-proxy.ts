/** Stands between the operator and Prometheus and notes what was asked and answered, so that a story need not believe the operator. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  /** Epoch milliseconds: when the question came, and when its answer was given. */
  readonly at: number;
  readonly answeredAt: number;
  readonly query: string;
  /** The one number; undefined where there was none. */
  readonly value: number | undefined;
}

export interface RecordingProxy {
  readonly url: string;
  /** Oldest first. */
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** @param target address of a Prometheus */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const at = Date.now();
    const url = new URL(request.url ?? '', target);
    void fetch(url)
      .then(async (answer) => {
        const body = await answer.text();
        asked.push({
          at,
          answeredAt: Date.now(),
          query: url.searchParams.get('query') ?? '',
          value: numberIn(body),
        });
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
      })
      .catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function numberIn(body: string): number | undefined {
  const { data } = JSON.parse(body) as { data?: { result?: { value?: [number, string] }[] } };
  return data?.result?.length === 1 ? Number(data.result[0]?.value?.[1]) : undefined;
}
