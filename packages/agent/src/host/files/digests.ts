import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

import { isSettled } from './settled.ts';

/** Big enough that reading costs little, small enough to be nothing beside the agent's memory goal. */
const chunkSize = 128 * 1024;
/** Components own tens to hundreds of files; the bound only keeps a mistake from growing without end. */
const maxEntries = 10_000;

/** sha256 of files, remembered by inode for as long as no field that the kernel keeps of them changes: one file is read once by all its names. */
export class DigestCache {
  readonly #entries = new Map<string, { readonly key: string; readonly digest: string }>();
  readonly #now: () => number;

  /** `now` in epoch milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** `sha256:<hex>` of the plain file's content. Rejects as open() does. */
  async digest(path: string, stat: BigIntStats): Promise<string> {
    const inode = inodeOf(stat);
    const key = statKey(stat);
    const known = this.#entries.get(inode);
    if (known !== undefined && known.key === key) return known.digest;
    const file = await open(path, 'r');
    try {
      const before = statKey(await file.stat({ bigint: true }));
      const digest = await hashHandle(file, Number(stat.size));
      const after = await file.stat({ bigint: true });
      if (before === key && statKey(after) === key && isSettled(after, this.#now()))
        this.#remember(inode, key, digest);
      return digest;
    } finally {
      await file.close();
    }
  }

  /** Has the file, or every one, read again when it is asked for next. */
  forget(stat?: BigIntStats): void {
    if (stat === undefined) this.#entries.clear();
    else this.#entries.delete(inodeOf(stat));
  }

  #remember(inode: string, key: string, digest: string): void {
    this.#entries.delete(inode);
    this.#entries.set(inode, { key, digest });
    if (this.#entries.size <= maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}

/** Tells one file from another that is there at the same time. */
export function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Differs after every change of a file, once it is settled. */
export function statKey(s: BigIntStats): string {
  return `${s.size}:${s.mtimeNs}:${s.ctimeNs}:${s.mode}:${s.uid}:${s.gid}`;
}

/** `sha256:<hex>` of an open file from its beginning. The size is a hint: most files are small, and a full buffer for each is garbage. */
async function hashHandle(file: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(chunkSize, size + 1));
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return `sha256:${hash.digest('hex')}`;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** `sha256:<hex>` of the file that stands at a path of this machine. */
export async function hashFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return await hashHandle(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}
