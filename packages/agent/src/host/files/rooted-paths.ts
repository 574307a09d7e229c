import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';

import { HostFileError } from '../errors.ts';

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;

/** Turns host paths into paths of this machine. */
export interface RootedPaths {
  /** '' or the folder of a local host. */
  readonly root: string;
  /** The path itself: a link that stands there is not followed, links on the way are. */
  entry(hostPath: string): Promise<string>;
  /** What the path leads to, its own link followed too. */
  target(hostPath: string): Promise<string>;
}

/** With '' every host path is what it is; with a folder, no path and no link inside leads out of it (as in a chroot). */
export function rootedPaths(root: string): RootedPaths {
  if (root === '') {
    const same = (hostPath: string): Promise<string> => Promise.resolve(absolute(hostPath));
    return { root, entry: same, target: same };
  }
  const base = path.resolve(root);
  const entry = async (hostPath: string): Promise<string> => {
    const clean = absolute(hostPath);
    if (clean === '/') return base;
    return path.join(await resolveInside(base, path.dirname(clean)), path.basename(clean));
  };
  return { root: base, entry, target: (hostPath) => resolveInside(base, absolute(hostPath)) };
}

function absolute(hostPath: string): string {
  if (!path.isAbsolute(hostPath) || hostPath.includes('\0')) {
    throw new HostFileError(
      hostPath,
      `path '${hostPath}' is not absolute: give the path from the host's root`,
    );
  }
  return path.resolve('/', hostPath);
}

/** Walks the path name by name; `..` stops at the root and absolute link targets start there again. */
async function resolveInside(base: string, hostPath: string): Promise<string> {
  let done: string[] = [];
  const todo = hostPath.split('/').filter((part) => part !== '');
  let links = 0;
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const link = await linkAt(path.join(base, ...done, part));
    if (link === undefined) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > maxLinks)
      throw new HostFileError(hostPath, `path '${hostPath}' goes through more than ${maxLinks} links`);
    if (link.startsWith('/')) done = [];
    todo.unshift(...link.split('/').filter((name) => name !== ''));
  }
  return path.join(base, ...done);
}

async function linkAt(real: string): Promise<string | undefined> {
  try {
    return (await lstat(real)).isSymbolicLink() ? await readlink(real) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** ENOENT, or ENOTDIR (something on the way is a file): there is nothing at that path. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
}

/** Whether it is a system error with that code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
