import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../system/cache.ts';
import { withLock } from '../system/lock.ts';
import type { Progress } from '../system/progress.ts';
import { run } from '../system/run.ts';
import { debVersions, ensureDeb } from './debs.ts';

/**
 * A program out of a Debian package, unpacked into the cache: nothing is installed on this machine.
 * @param path inside the package, such as usr/bin/prometheus. @returns its file. @throws Error where Debian does not offer the package
 */
export async function ensureDebProgram(name: string, path: string, progress: Progress): Promise<string> {
  const [version] = await debVersions(name);
  if (version === undefined) throw new Error(`Debian offers no ${name} here.`);
  const folder = join(await cacheFolder('programs', name), version.replaceAll(':', '%3a'));
  const program = join(folder, path);
  if (existsSync(program)) return program;
  await withLock(`${folder}.lock`, progress, async () => {
    if (existsSync(program)) return;
    const deb = await ensureDeb(name, version, progress);
    await rm(`${folder}.tmp`, { recursive: true, force: true });
    await run(['dpkg-deb', '-x', deb.file, `${folder}.tmp`]);
    await rename(`${folder}.tmp`, folder);
  });
  return program;
}
