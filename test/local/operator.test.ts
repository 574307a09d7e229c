import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { parseKubeconfig } from '@kubenode/runtime';
import { startApiServer } from '@kubenode/standalone';
import { operatorStories } from '../operator/stories.ts';

describe('the machine operator on the embedded control plane', () => {
  operatorStories(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kubenode-operator-'));
    const server = await startApiServer({ dataDir: dir });
    return {
      connection: parseKubeconfig(server.kubeconfig, dir),
      async stop() {
        await server.stop();
        await rm(dir, { recursive: true, force: true });
      },
    };
  });
});
