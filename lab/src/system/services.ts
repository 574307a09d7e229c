import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { end, identify, type ProcessId, startDetached } from './processes.ts';

/**
 * Names a service's folder in its environment. So whoever cleans up finds every service of a folder, also one that was started
 * in the very moment before the starter was killed: there is no list that could be behind.
 */
const marker = 'KUBENODE_LAB_SERVICE';

/** Starts a program that outlives this process and belongs to a folder. Its output goes to `NAME.log` there. `endServices` ends it. */
export async function startService(
  dir: string,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<ProcessId> {
  return await startDetached(command, {
    logFile: join(dir, `${name}.log`),
    env: { ...env, [marker]: resolve(dir) },
  });
}

/** Ends every service of a folder and of those below it, the last started first. */
export async function endServices(dir: string): Promise<void> {
  for (const service of servicesOf(resolve(dir))) await end(service, 2000);
}

function servicesOf(dir: string): ProcessId[] {
  const found: ProcessId[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const entry = readFileSync(`/proc/${name}/environ`, 'utf8')
        .split('\0')
        .find((variable) => variable.startsWith(`${marker}=`));
      const folder = entry?.slice(marker.length + 1);
      const id = folder === dir || folder?.startsWith(`${dir}/`) ? identify(Number(name)) : undefined;
      if (id !== undefined) found.push(id);
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found.sort((a, b) => Number(b.startedAt) - Number(a.startedAt));
}
