import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';

import type { Owner } from './owners.ts';
import { hasCode, isMissing } from './rooted-paths.ts';

const newFileMode = 0o600;

/**
 * Puts a file in place so that after any crash the old one or the new one stands there whole: temporary file beside it, owner and mode
 * before data, fsync, rename, fsync of the directory. One agent writes a path at a time, so the temporary name is fixed and what a
 * crash left of it is taken away by the next try. All paths are paths of this machine.
 */
export async function replaceFile(
  real: string,
  options: { readonly mode: number; readonly owner: Owner | undefined },
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(real);
  const file = await createFile(temporary);
  try {
    try {
      if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
      if (options.mode !== newFileMode) await file.chmod(options.mode);
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, real);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(real));
}

/** Most often the folder is there and nothing was left behind, so that is tried first: each call costs, and every step writes its journal. */
async function createFile(temporary: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'wx', newFileMode);
  } catch (error) {
    if (isMissing(error)) await makeFolders(path.dirname(temporary));
    else if (hasCode(error, 'EEXIST')) await rm(temporary, { force: true });
    else throw error;
    return await open(temporary, 'wx', newFileMode);
  }
}

/** Puts a symlink in place in one step, over a file or link that stands there. */
export async function replaceLink(target: string, real: string): Promise<void> {
  await makeFolders(path.dirname(real));
  const temporary = temporaryName(real);
  await rm(temporary, { force: true });
  try {
    await symlink(target, temporary);
    await rename(temporary, real);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(real));
}

/** Gives a file another name in the same folder; false where there is none. */
export async function renameDurably(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
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
  const first = await mkdir(real, { recursive: true, mode: 0o755 });
  if (first === undefined) return;
  for (let folder = path.dirname(real); ; folder = path.dirname(folder)) {
    await syncFolder(folder);
    if (folder === path.dirname(first) || folder === path.dirname(folder)) return;
  }
}

/** Contents, owner and mode of a file survive a power loss afterwards. */
export async function syncFile(real: string): Promise<void> {
  await using file = await open(real, 'r');
  await file.sync();
}

/** Names made, changed or removed in the folder survive a power loss afterwards. */
export async function syncFolder(real: string): Promise<void> {
  const folder = await open(real, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some network and FUSE file systems know no fsync of a folder; there is nothing more to be had from them.
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'ENOTSUP')) throw error;
  } finally {
    await folder.close();
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
