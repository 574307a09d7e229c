import { readdir } from 'node:fs/promises';
import path from 'node:path';

import type { RunResult } from '../../ports.ts';

/** What the package brought and what the caller answers for. */
export interface PackageConfiguration {
  readonly name: string;
  /** Every path that dpkg lists for it. */
  readonly files: readonly string[];
  /** Paths that the caller takes away itself. */
  readonly ours: readonly string[];
}

/**
 * Configuration that a purge would take away and that somebody changed or put there: files of the package that are other than it brought
 * them, and files that nobody knows in folders of /etc that are the package's alone.
 */
export async function changedConfiguration(
  { name, files, ours }: PackageConfiguration,
  ask: (command: readonly string[]) => Promise<RunResult>,
): Promise<readonly string[]> {
  const known = new Set([...files, ...ours]);
  const { output } = await ask(['dpkg', '--verify', name]);
  const changed = output.split('\n').flatMap((line) => {
    const file = /^[?.0-9A-Z]{9}\s+c\s+(\/.*)$/.exec(line)?.[1];
    return file === undefined || ours.includes(file) ? [] : [file];
  });
  const folders = files.filter((file) => file.startsWith('/etc/'));
  if (folders.length === 0) return changed;
  const owners = await ask(['dpkg-query', '--search', ...folders]);
  for (const line of owners.output.split('\n')) {
    const [, packages = '', folder] = /^(.*?): (\/.*)$/.exec(line) ?? [];
    if (folder === undefined || packages.includes(',') || !folders.includes(folder)) continue;
    changed.push(...(await strangers(folder, known)));
  }
  return [...new Set(changed)];
}

/** Files right in a folder that nobody knows; folders in it that nobody knows count as one. */
async function strangers(folder: string, known: ReadonlySet<string>): Promise<readonly string[]> {
  try {
    return (await readdir(folder))
      .map((name) => path.join(folder, name))
      .filter((entry) => !known.has(entry));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file of the package, or one that is gone.
    if (code === 'ENOTDIR' || code === 'ENOENT') return [];
    throw error;
  }
}
