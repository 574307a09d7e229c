import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** Big enough that reading costs little, small enough to be nothing beside the agent's memory goal. */
const chunkSize = 128 * 1024;
/** A file changed within the last second may change again with the same ctime (the kernel's clock tick), so it is never remembered. */
const settledAfterMs = 1_000;
/** Components own tens to hundreds of files; the bound only keeps a mistake from growing without end. */
const maxEntries = 10_000;

/** sha256 of files, remembered for as long as no field that the kernel keeps of them changes. */
export class DigestCache {
  readonly #entries = new Map<string, { readonly key: string; readonly digest: string }>();
  readonly #now: () => number;

  /** `now` in epoch milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** `sha256:<hex>` of the plain file's content. Rejects as open() does. */
  async digest(path: string, stat: BigIntStats): Promise<string> {
    const key = statKey(stat);
    const known = this.#entries.get(path);
    if (known !== undefined && known.key === key) return known.digest;
    const file = await open(path, 'r');
    try {
      const before = statKey(await file.stat({ bigint: true }));
      const digest = await hashHandle(file, Number(stat.size));
      const after = await file.stat({ bigint: true });
      const settled = this.#now() - Number(after.ctimeMs) >= settledAfterMs;
      if (settled && before === key && statKey(after) === key) this.#remember(path, key, digest);
      return digest;
    } finally {
      await file.close();
    }
  }

  forget(path?: string): void {
    if (path === undefined) this.#entries.clear();
    else this.#entries.delete(path);
  }

  #remember(path: string, key: string, digest: string): void {
    this.#entries.delete(path);
    this.#entries.set(path, { key, digest });
    if (this.#entries.size <= maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}

function statKey(s: BigIntStats): string {
  return `${s.dev}:${s.ino}:${s.size}:${s.mtimeNs}:${s.ctimeNs}:${s.mode}:${s.uid}:${s.gid}`;
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
