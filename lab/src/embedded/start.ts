import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, waitUntil } from '../system/processes.ts';
import { type Progress, timed } from '../system/progress.ts';
import { endServices, startService } from '../system/services.ts';

/** Starts the embedded control plane as a process of its own, from nothing. @returns the administrator's kubeconfig file. */
export async function startEmbedded(dir: string, address: string, progress: Progress): Promise<string> {
  await endServices(dir);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const kubeconfig = join(dir, 'kubeconfig');
  const program = fileURLToPath(new URL('./serve.ts', import.meta.url));
  return await timed(progress, 'Starting the embedded control plane', async () => {
    const command = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      program,
      join(dir, 'data'),
      address,
      kubeconfig,
    ];
    const id = await startService(dir, 'embedded', command);
    await waitUntil(() => existsSync(kubeconfig) || !isAlive(id), 30_000);
    if (existsSync(kubeconfig)) return kubeconfig;
    await endServices(dir);
    const log = await readFile(join(dir, 'embedded.log'), 'utf8');
    throw new Error(
      `The embedded control plane doesn't start:\n${log.trim().split('\n').slice(-10).join('\n')}`,
    );
  });
}
