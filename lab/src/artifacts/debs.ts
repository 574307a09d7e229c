import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../system/cache.ts';
import { type Progress, silent } from '../system/progress.ts';
import { run } from '../system/run.ts';
import { digestOfFile } from './digest.ts';

/** A Debian package as a file of this machine. */
export interface DebArtifact {
  name: string;
  version: string;
  file: string;
  /** `sha256:...` of the .deb. */
  digest: string;
}

/** The versions of a package that this machine's apt offers, the one it would install first. @throws Error where it knows none. */
export async function debVersions(name: string): Promise<string[]> {
  const offered = await madison(name);
  if (offered.length > 0) return offered;
  // A machine whose package lists were never fetched knows no package at all.
  if (process.getuid?.() === 0) await run(['apt-get', 'update', '-qq']).catch(() => {});
  const afterwards = await madison(name);
  if (afterwards.length === 0)
    throw new Error(`This machine's apt knows no package ${name}. Run: apt-get update`);
  return afterwards;
}

/** A package's .deb, from the cache or downloaded through apt (whose lists hold its digest). */
export async function ensureDeb(
  name: string,
  version: string,
  progress: Progress = silent,
): Promise<DebArtifact> {
  const folder = await cacheFolder('debs', `${name}_${version.replaceAll(':', '%3a')}`);
  if ((await debIn(folder)) === undefined) {
    progress(`Downloading the Debian package ${name} ${version} ...`);
    await debVersions(name);
    const temporary = await mkdtemp(join(tmpdir(), 'kubenode-deb-'));
    try {
      await run(['apt-get', '-o', 'APT::Sandbox::User=root', 'download', '-qq', `${name}=${version}`], {
        cwd: temporary,
      });
      const downloaded = await debIn(temporary);
      if (downloaded === undefined) throw new Error(`apt-get downloaded nothing for ${name}=${version}.`);
      // The cache may be on another file system: a copy under a temporary name, then a rename.
      await run(['cp', join(temporary, downloaded), join(folder, `${downloaded}.tmp`)]);
      await rename(join(folder, `${downloaded}.tmp`), join(folder, downloaded));
    } finally {
      await rm(temporary, { recursive: true });
    }
  }
  const found = await debIn(folder);
  if (found === undefined) throw new Error(`The package ${name} ${version} is not in ${folder}.`);
  const file = join(folder, found);
  return { name, version, file, digest: await digestOfFile(file) };
}

async function debIn(folder: string): Promise<string | undefined> {
  return existsSync(folder) ? (await readdir(folder)).find((name) => name.endsWith('.deb')) : undefined;
}

async function madison(name: string): Promise<string[]> {
  const table = await run(['apt-cache', 'madison', name]).catch(() => '');
  const versions = table.split('\n').flatMap((line) => line.split('|')[1]?.trim() ?? []);
  return [...new Set(versions)];
}
