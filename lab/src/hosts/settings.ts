/** Settings of the whole machine that labs change, and the last one down puts back. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { registryFolder } from './state.ts';

/** What hosts with a way out need. */
export const forwarding = { name: 'ip_forward', file: '/proc/sys/net/ipv4/ip_forward' } as const;
/** Root of all hosts is one user to the kernel, and each host's systemd and its services watch seven things or so; 128 in all is usual. */
export const watches = { name: 'inotify', file: '/proc/sys/fs/inotify/max_user_instances' } as const;

const settings = [forwarding, watches];

const noteOf = (name: string): string => join(registryFolder, `${name}-before`);

/** Raises a setting to a value, unless it is there. What it was is noted first, so whoever sees the new value finds the note. */
export async function raise({ name, file }: (typeof settings)[number], value: number): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (Number(before) >= value) return;
  await mkdir(registryFolder, { recursive: true });
  await writeFile(noteOf(name), before, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await writeFile(file, String(value));
}

/** Puts all settings back to what was noted. Called under the lock of the registry, when no lab is left. */
export async function restoreSettings(): Promise<void> {
  for (const { name, file } of settings) {
    if (!existsSync(noteOf(name))) continue;
    await writeFile(file, await readFile(noteOf(name)));
    await rm(noteOf(name));
  }
}
