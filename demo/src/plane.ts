/** The control plane of the demo: the embedded API server, what KubeNode needs in it, and the operator, in this process. */
import { createWriteStream, type WriteStream, writeFileSync } from 'node:fs';
import { type AgentBinary, install, runOperator } from '@kubenode/machine';
import { type Client, createClient, jsonLogger, parseKubeconfig } from '@kubenode/runtime';
import { type ApiServer, startApiServer } from '@kubenode/standalone';
import type { StateFolder } from './state-folder.ts';

export interface Plane {
  readonly client: Client;
  /** As hosts reach it. */
  readonly url: string;
  readonly caPem: string;
  readonly port: number;
  /** Starts the operator; it runs until the plane stops. */
  operate(agents: Readonly<Record<string, AgentBinary>>): void;
  /** Rejects when the operator fails. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/**
 * @param address as which hosts reach this machine; 127.0.0.1 for local hosts
 * @param port 0 at the first start
 */
export async function startPlane(folder: StateFolder, address: string, port: number): Promise<Plane> {
  const log = createWriteStream(folder.at('operator.log'), { flags: 'a' });
  const server = await startApiServer({
    dataDir: folder.at('apiserver'),
    port,
    host: address === '127.0.0.1' ? address : '0.0.0.0',
    advertise: [address],
    log: (error) => void log.write(`${String(error)}\n`),
  });
  writeFileSync(folder.at('kubeconfig'), server.kubeconfig, { mode: 0o600 });
  const client = createClient(parseKubeconfig(server.kubeconfig, folder.path));
  await install(client, AbortSignal.timeout(60_000));
  return plane(server, client, address, log);
}

function plane(server: ApiServer, client: Client, address: string, log: WriteStream): Plane {
  const stop = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let operator: Promise<void> = Promise.resolve();
  const url = `https://${address}:${server.port}`;
  return {
    client,
    url,
    caPem: server.caPem,
    port: server.port,
    failed: failure.promise,
    operate(agents) {
      operator = runOperator({
        client,
        log: jsonLogger({ write: (line) => void log.write(line) }),
        leaderElection: false,
        signal: stop.signal,
        imports: { agents, server: { url, ca: server.caPem } },
      });
      operator.catch((error: unknown) => {
        if (!stop.signal.aborted) failure.reject(error);
      });
    },
    async stop() {
      stop.abort(new Error('the demo ends'));
      await operator.catch(() => undefined);
      client.close();
      await server.stop();
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}
