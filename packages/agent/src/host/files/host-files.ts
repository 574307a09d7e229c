import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { chmod, lchown, lstat, open, readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';

import type { FileState, HostFiles } from '../../ports.ts';
import { HostFileError } from '../errors.ts';
import {
  type Filling,
  nearestFolder,
  removeDurably,
  renameDurably,
  replaceFile,
  replaceLink,
  syncFile,
  writeAll,
} from './atomic.ts';
import { DigestCache } from './digests.ts';
import type { Owner } from './owners.ts';
import { parseOwner } from './owners.ts';
import type { RootedPaths } from './rooted-paths.ts';
import { hasCode, isMissing } from './rooted-paths.ts';
import { ParentWatch } from './watch.ts';

/** Each turn costs two calls through the thread pool, 70 µs of processor time each. */
const copyChunk = 1024 * 1024;

/** The files of this machine, or of a folder that plays a host. */
export class LocalFiles implements HostFiles {
  readonly #paths: RootedPaths;
  readonly #digests: DigestCache;
  /** An unprivileged local host cannot give files away, so its own files count as root's, as under fakeroot. */
  readonly #ownIsRoot: boolean;

  constructor(paths: RootedPaths, digests: DigestCache = new DigestCache()) {
    this.#paths = paths;
    this.#digests = digests;
    this.#ownIsRoot = paths.root !== '' && process.geteuid?.() !== 0;
  }

  async state(hostPath: string): Promise<FileState | undefined> {
    const real = await this.#paths.entry(hostPath);
    try {
      // Not through the thread pool: there a look costs 70 µs of processor time and not 3, and a full check looks at hundreds of files.
      const stat = lstatSync(real, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      const common = { mode: Number(stat.mode & 0o7777n), ...this.#owner(stat), size: Number(stat.size) };
      if (stat.isFile()) return { kind: 'file', ...common, digest: await this.#digests.digest(real, stat) };
      if (stat.isSymbolicLink()) return { kind: 'symlink', ...common, target: readlinkSync(real) };
      return { kind: stat.isDirectory() ? 'directory' : 'other', ...common };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async read(hostPath: string): Promise<Buffer> {
    return await readFile(await this.#paths.target(hostPath));
  }

  async write(
    hostPath: string,
    content: Buffer | string,
    options: { mode: number; owner?: string },
  ): Promise<void> {
    await this.#replace(hostPath, options, content);
  }

  async install(from: string, to: string, options: { mode: number; owner?: string }): Promise<void> {
    const source = await open(await this.#paths.target(from), 'r');
    try {
      await this.#replace(to, options, async (fd) => {
        const buffer = Buffer.allocUnsafe(Math.min(copyChunk, (await source.stat()).size + 1));
        for (let position = 0; ; ) {
          const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
          if (bytesRead === 0) return;
          await writeAll(fd, buffer.subarray(0, bytesRead));
          position += bytesRead;
        }
      });
    } finally {
      await source.close();
    }
  }

  async symlink(target: string, hostPath: string): Promise<void> {
    await replaceLink(target, await this.#paths.entry(hostPath));
  }

  async move(from: string, to: string): Promise<boolean> {
    return await renameDurably(await this.#paths.entry(from), await this.#paths.entry(to));
  }

  async remove(hostPath: string): Promise<void> {
    const clean = path.resolve('/', hostPath);
    if (clean.split('/').length < 3) {
      throw new HostFileError(
        hostPath,
        `refused to remove '${hostPath}': a top-level folder of the host is never a component's own`,
      );
    }
    const real = await this.#paths.entry(hostPath);
    await removeDurably(real);
  }

  async list(hostPath: string): Promise<readonly string[]> {
    try {
      return (await readdir(await this.#paths.target(hostPath))).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async setMode(hostPath: string, mode: number, owner?: string): Promise<void> {
    const real = await this.#paths.entry(hostPath);
    const stat = await lstat(real);
    if (stat.isSymbolicLink()) {
      throw new HostFileError(
        hostPath,
        `'${hostPath}' is a link, which has no mode: put the file itself back first`,
      );
    }
    const to = owner === undefined ? undefined : await this.#parseOwner(owner);
    if (to !== undefined) await lchown(real, to.uid, to.gid);
    // After the owner: chown takes setuid bits away.
    await chmod(real, mode);
    await syncFile(real);
  }

  watch(paths: () => readonly string[], changed: (path: string) => void): Disposable & { refresh(): void } {
    let resolved: ReadonlyMap<string, string> = new Map();
    let disposed = false;
    const watch = new ParentWatch(() => resolved, changed);
    const refresh = async (): Promise<void> => {
      const next = new Map<string, string>();
      for (const hostPath of paths()) next.set(hostPath, await this.#paths.entry(hostPath));
      resolved = next;
      if (!disposed) watch.refresh();
    };
    // A path that cannot be resolved is not watched; the periodic full check reports it.
    const start = (): void => void refresh().catch(() => undefined);
    start();
    return {
      refresh: start,
      [Symbol.dispose]: () => {
        disposed = true;
        watch.close();
      },
    };
  }

  async free(hostPath: string): Promise<number> {
    const stat = await statfs(await nearestFolder(await this.#paths.target(hostPath)));
    return stat.bavail * stat.bsize;
  }

  forgetDigests(hostPath?: string): void {
    if (hostPath === undefined || this.#paths.root !== '') return this.#digests.forget();
    const stat = lstatSync(hostPath, { bigint: true, throwIfNoEntry: false });
    if (stat !== undefined) this.#digests.forget(stat);
  }

  async #replace(
    hostPath: string,
    options: { mode: number; owner?: string },
    filling: Filling,
  ): Promise<void> {
    const owner = options.owner === undefined ? undefined : await this.#parseOwner(options.owner);
    try {
      await replaceFile(await this.#paths.entry(hostPath), { mode: options.mode, owner }, filling);
    } catch (error) {
      const why = unwritable(error);
      if (why === undefined) throw error;
      throw new HostFileError(hostPath, `'${hostPath}' cannot be written: ${why}`, { cause: error });
    }
  }

  async #parseOwner(owner: string): Promise<Owner | undefined> {
    const parsed = await parseOwner(this.#paths, owner);
    return this.#ownIsRoot ? undefined : parsed;
  }

  #owner(stat: BigIntStats): Owner {
    const uid = Number(stat.uid);
    const gid = Number(stat.gid);
    if (this.#ownIsRoot && uid === process.geteuid?.()) return { uid: 0, gid: 0 };
    return { uid, gid };
  }
}

/** What a person does about it; undefined where the error says enough, or something else. */
function unwritable(error: unknown): string | undefined {
  if (hasCode(error, 'ENOSPC')) return 'its file system is full; make room there';
  if (hasCode(error, 'EDQUOT')) return 'the quota of its file system is used up; raise it or make room there';
  if (hasCode(error, 'EROFS')) return 'its file system is read-only; mount it writable';
  return undefined;
}
