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

/** Ends everything noted in a folder and in the folders right below it, the last started first. */
export async function endServices(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  const below = await readdir(dir, { withFileTypes: true });
  for (const folder of [
    dir,
    ...below.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name)),
  ]) {
    for (const service of (await readList(folder)).reverse()) await end(service, 2000);
    await rm(join(folder, listFile), { force: true });
  }
}

async function readList(dir: string): Promise<Array<ProcessId & { name: string }>> {
  const text = await readFile(join(dir, listFile), 'utf8').catch(() => '[]');
  return JSON.parse(text) as Array<ProcessId & { name: string }>;
}

async function writeList(dir: string, list: ReadonlyArray<ProcessId & { name: string }>): Promise<void> {
  await writeFile(join(dir, `${listFile}.tmp`), JSON.stringify(list, null, 2));
  await rename(join(dir, `${listFile}.tmp`), join(dir, listFile));
}
