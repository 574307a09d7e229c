import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { AgentBinary } from '@kubenode/machine';
import { CommandError } from './command.ts';

export interface ServedAgents {
  readonly agents: Readonly<Record<string, AgentBinary>>;
  close(): void;
}

/**
 * Serves agents from files, so that a small set-up needs no file server of its own. Hosts prove what they get by its digest, so plain
 * http will do.
 *
 * @param files by architecture
 * @param listen address and port that hosts can reach
 */
export async function serveAgents(
  files: Readonly<Record<string, string>>,
  listen: { readonly host: string; readonly port: number },
): Promise<ServedAgents> {
  const served = new Map<string, { file: string; size: number }>();
  const digests: [string, string, string][] = [];
  for (const [arch, file] of Object.entries(files)) {
    const hash = createHash('sha256');
    const { size } = await stat(file).catch((cause: unknown) => {
      throw new CommandError(`the agent for ${arch}, ${file}, cannot be read`, { cause });
    });
    await pipeline(createReadStream(file), hash);
    const hex = hash.digest('hex');
    const path = `/agents/${hex.slice(0, 12)}/kubenode-agent-linux-${arch}`;
    served.set(path, { file, size });
    digests.push([arch, path, `sha256:${hex}`]);
  }
  const server = createServer((request, response) => {
    const found = served.get(request.url ?? '');
    if (found === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end('no such agent\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': found.size });
    if (request.method === 'HEAD') response.end();
    // Who hangs up half-way asks again.
    else pipeline(createReadStream(found.file), response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new CommandError(`agents cannot be served at ${listen.host}:${listen.port}: ${cause.message}`, {
          cause,
        }),
      ),
    );
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  const base = `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`;
  return {
    agents: Object.fromEntries(digests.map(([arch, path, digest]) => [arch, { url: base + path, digest }])),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
