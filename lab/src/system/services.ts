import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { end, type ProcessId, startDetached } from './processes.ts';

/** What runs in a folder: written down as soon as it is started, so that whoever cleans up finds it, also after a SIGKILL. */
const listFile = 'processes.json';

/**
 * Starts a program that outlives this process and notes it in its folder. Its output goes to `NAME.log` there.
 * @returns what it is known by; `endServices` ends it.
 */
export async function startService(
  dir: string,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<ProcessId> {
  const id = await startDetached(command, { logFile: join(dir, `${name}.log`), env });
  await writeList(dir, [...(await readList(dir)), { name, ...id }]);
  return id;
}

/** How deep below a folder services are looked for, and what is never looked into: hosts' whole file systems. */
const deepest = 3;
const notLookedInto: readonly string[] = ['hosts', 'data', 'files'];

/** Ends everything noted in a folder and in those below it, the last started first. */
export async function endServices(dir: string, depth = 0): Promise<void> {
  if (!existsSync(dir)) return;
  for (const service of (await readList(dir)).reverse()) await end(service, 2000);
  await rm(join(dir, listFile), { force: true });
  if (depth === deepest) return;
  for (const entry of await readdir(dir, { withFileTypes: true }))
    if (entry.isDirectory() && !notLookedInto.includes(entry.name))
      await endServices(join(dir, entry.name), depth + 1);
}

async function readList(dir: string): Promise<Array<ProcessId & { name: string }>> {
  const text = await readFile(join(dir, listFile), 'utf8').catch(() => '[]');
  return JSON.parse(text) as Array<ProcessId & { name: string }>;
}

async function writeList(dir: string, list: ReadonlyArray<ProcessId & { name: string }>): Promise<void> {
  await writeFile(join(dir, `${listFile}.tmp`), JSON.stringify(list, null, 2));
  await rename(join(dir, `${listFile}.tmp`), join(dir, listFile));
}
