import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { startKubernetes } from '@kubenode/lab';
import { loadKubeconfig } from '@kubenode/runtime';
import { operatorStories } from '../operator/stories.ts';

describe('the machine operator on the real control plane', () => {
  operatorStories(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kubenode-operator-'));
    const kubernetes = await startKubernetes({
      dir,
      progress: (line) => process.stderr.write(`  ${line}\n`),
    });
    return {
      connection: await loadKubeconfig(kubernetes.kubeconfig),
      async stop() {
        await kubernetes.stop();
        await rm(dir, { recursive: true, force: true });
      },
    };
  });
});
