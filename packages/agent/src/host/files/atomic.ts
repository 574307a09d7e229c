import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  write,
  writeFileSync,
} from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Owner } from './owners.ts';
import { hasCode, isMissing } from './rooted-paths.ts';

const sync = promisify(fsync);
const writeSome = promisify(write);
const newFileMode = 0o600;
/** Written at once, without the thread pool. Bytes. */
const smallBytes = 64 * 1024;

/** What goes into a file: content, or whoever writes it to the open file. */
export type Filling = Buffer | string | ((fd: number) => Promise<void>);

/**
 * Puts a file in place so that after any crash the old one or the new one stands there whole: temporary file beside it, owner and mode
 * before data, fsync, rename, fsync of the directory. One agent writes a path at a time, so the temporary name is fixed and what a
 * crash left of it is taken away by the next try. All paths are paths of this machine.
 *
 * Only what waits for the disk goes through the thread pool: a call there costs 70 µs of processor time and not 3 to 10, and every step of an
 * operation writes its journal by this.
 */
export async function replaceFile(
  real: string,
  options: { readonly mode: number; readonly owner: Owner | undefined },
  filling: Filling,
): Promise<void> {
  const temporary = temporaryName(real);
  const fd = await createFile(temporary);
  try {
    try {
      if (options.owner !== undefined) fchownSync(fd, options.owner.uid, options.owner.gid);
      if (options.mode !== newFileMode) fchmodSync(fd, options.mode);
      await fill(fd, filling);
      await sync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, real);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(real));
}

/** Most often the folder is there and nothing was left behind, so that is tried first. */
async function createFile(temporary: string): Promise<number> {
  try {
    return openSync(temporary, 'wx', newFileMode);
  } catch (error) {
    if (isMissing(error)) await makeFolders(path.dirname(temporary));
    else if (hasCode(error, 'EEXIST')) rmSync(temporary, { force: true });
    else throw error;
  }
  return openSync(temporary, 'wx', newFileMode);
}

async function fill(fd: number, filling: Filling): Promise<void> {
  if (typeof filling === 'function') return await filling(fd);
  if (filling.length <= smallBytes) return writeFileSync(fd, filling);
  await writeAll(fd, Buffer.from(filling));
}

/** Appends all of it to an open file. */
export async function writeAll(fd: number, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await writeSome(fd, data, at)).bytesWritten;
}

/** Puts a symlink in place in one step, over a file or link that stands there. */
export async function replaceLink(target: string, real: string): Promise<void> {
  await makeFolders(path.dirname(real));
  const temporary = temporaryName(real);
  rmSync(temporary, { force: true });
  try {
    symlinkSync(target, temporary);
    renameSync(temporary, real);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(real));
}

/** Gives a file another name in the same folder; false where there is none. */
export async function renameDurably(from: string, to: string): Promise<boolean> {
  try {
    renameSync(from, to);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await syncFolder(path.dirname(to));
  return true;
}

/** Removes a file, link or folder with what is in it; nothing there is no error. */
export async function removeDurably(real: string): Promise<void> {
  await rm(real, { recursive: true, force: true });
  try {
    await syncFolder(path.dirname(real));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Makes a folder and those above it (0755), each one's entry on disk before the call resolves. */
export async function makeFolders(real: string): Promise<void> {
  const first = mkdirSync(real, { recursive: true, mode: 0o755 });
  if (first === undefined) return;
  for (let folder = path.dirname(real); ; folder = path.dirname(folder)) {
    await syncFolder(folder);
    if (folder === path.dirname(first) || folder === path.dirname(folder)) return;
  }
}

/** Contents, owner and mode of a file survive a power loss afterwards. */
export async function syncFile(real: string): Promise<void> {
  const fd = openSync(real, 'r');
  try {
    await sync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Names made, changed or removed in the folder survive a power loss afterwards. */
export async function syncFolder(real: string): Promise<void> {
  try {
    await syncFile(real);
  } catch (error) {
    // Some network and FUSE file systems know no fsync of a folder; there is nothing more to be had from them.
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'ENOTSUP')) throw error;
  }
}

/** The nearest folder that exists, the path itself included. */
export async function nearestFolder(real: string): Promise<string> {
  for (let folder = real; ; folder = path.dirname(folder)) {
    try {
      if ((await lstat(folder)).isDirectory()) return folder;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (folder === path.dirname(folder)) return folder;
  }
}

/** A leading dot keeps it out of what `*.d` folders are read for. */
function temporaryName(real: string): string {
  return path.join(path.dirname(real), `.${path.basename(real).slice(0, 200)}.kubenode-new`);
}
