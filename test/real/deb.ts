/** Debian packages of a few files, made by dpkg-deb. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface DebFile {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly content: string | Buffer;
  /** Default 0644. */
  readonly mode?: number;
  /** dpkg asks before it replaces one that somebody changed. Default false. */
  readonly isConfiguration?: boolean;
}

/** Packs a package for every architecture, without maintainer scripts. `work` is for its files. @throws Error where dpkg-deb fails. */
export async function packDeb(
  work: string,
  name: string,
  version: string,
  files: readonly DebFile[],
): Promise<Buffer> {
  const tree = join(work, 'tree');
  await rm(tree, { recursive: true, force: true });
  const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody\nDescription: is installed in a test\n`;
  const configuration = files.filter((file) => file.isConfiguration).map(({ path }) => `/${path}\n`);
  const all: readonly DebFile[] = [
    { path: 'DEBIAN/control', content: control },
    { path: 'DEBIAN/conffiles', content: configuration.join('') },
    ...files,
  ];
  for (const { path, content, mode } of all) {
    await mkdir(join(tree, dirname(path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), content, { mode: mode ?? 0o644 });
  }
  const deb = join(work, `${name}.deb`);
  await promisify(execFile)('dpkg-deb', ['--root-owner-group', '--build', tree, deb]);
  return await readFile(deb);
}
