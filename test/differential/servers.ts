/** Both API servers, fresh, for the suite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKubernetes } from '@kubenode/lab';
import { type Connection, loadKubeconfig, parseKubeconfig } from '@kubenode/runtime';
import { type ApiServer, startApiServer } from '@kubenode/standalone';
import type { Server } from './exchange.ts';

export interface Pair {
  readonly embedded: Server;
  readonly real: Server;
  stop(): Promise<void>;
}

/** Starts the embedded server, and etcd, kube-apiserver and controller manager (built on first use). */
export async function startPair(): Promise<Pair> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-differential-'));
  const undo: (() => Promise<void>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const embedded = await startAged(join(dir, 'embedded'));
    undo.push(() => embedded.stop());
    const real = await startKubernetes({
      dir: join(dir, 'kubernetes'),
      progress: (line) => process.stderr.write(`  ${line}\n`),
    });
    undo.push(() => real.stop());
    return {
      embedded: await server('embedded', parseKubeconfig(embedded.kubeconfig, dir)),
      real: await server('real', await loadKubeconfig(real.kubeconfig)),
      stop,
    };
  } catch (error) {
    // What was started and is left would keep the test from ending, and its error from being seen.
    await stop();
    throw error;
  }
}

const hourMs = 3_600_000;

/** An embedded server that has forgotten its first changes, as the real one has when it begins to serve. */
async function startAged(dataDir: string): Promise<ApiServer> {
  const first = await startApiServer({ dataDir, clock: () => Date.now() - hourMs });
  await first.stop();
  return startApiServer({ dataDir });
}

async function server(name: string, connection: Connection): Promise<Server> {
  const { cert, key } = (await connection.credentials?.identity()) ?? {};
  if (!connection.ca || !cert || !key) throw new Error(`${name}: the kubeconfig has no certificates`);
  return { name, url: connection.server, ca: connection.ca, cert, key };
}
