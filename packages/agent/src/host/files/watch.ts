import type { FSWatcher } from 'node:fs';
import { statSync, watch } from 'node:fs';
import path from 'node:path';

import { Coalescer } from '../coalesce.ts';

/** One editor's save or one unpacked archive is many events; a few milliseconds make them one. */
const coalesceMs = 5;

interface WatchedFolder {
  /** The folder really watched: this one, or the nearest above it that exists. */
  armed: string;
  identity: string;
  watcher: FSWatcher;
  /** Watched entries by file name. */
  readonly names: Map<string, string[]>;
}

/**
 * Watches the parent folders of paths (watches on files go blind after a rename). A folder replaced or missing is watched again
 * as soon as its nearest existing parent says that something happened. Hints only: an mmap write or a mount gives no event at all.
 */
export class ParentWatch {
  readonly #resolve: () => ReadonlyMap<string, string>;
  readonly #hints: Coalescer;
  readonly #folders = new Map<string, WatchedFolder>();
  #closed = false;

  /** `resolve` answers host path -> path of this machine, read again at refresh(). */
  constructor(resolve: () => ReadonlyMap<string, string>, changed: (hostPath: string) => void) {
    this.#resolve = resolve;
    this.#hints = new Coalescer(coalesceMs, changed);
  }

  /** Takes up the paths as they are now; watches whose folder is still the same one stay. */
  refresh(): void {
    if (this.#closed) return;
    const wanted = new Map<string, Map<string, string[]>>();
    for (const [hostPath, real] of this.#resolve()) {
      const folder = path.dirname(real);
      const names = wanted.get(folder) ?? new Map<string, string[]>();
      wanted.set(folder, names);
      const name = path.basename(real);
      names.set(name, [...(names.get(name) ?? []), hostPath]);
    }
    for (const [folder, entry] of this.#folders) {
      if (wanted.has(folder)) continue;
      entry.watcher.close();
      this.#folders.delete(folder);
    }
    for (const [folder, names] of wanted) this.#arm(folder, names);
  }

  close(): void {
    this.#closed = true;
    this.#hints.close();
    for (const entry of this.#folders.values()) entry.watcher.close();
    this.#folders.clear();
  }

  #arm(folder: string, names: Map<string, string[]>): void {
    const before = this.#folders.get(folder);
    const [armed, identity] = nearest(folder);
    if (before !== undefined && before.armed === armed && before.identity === identity) {
      before.names.clear();
      for (const [name, paths] of names) before.names.set(name, paths);
      return;
    }
    before?.watcher.close();
    this.#folders.delete(folder);
    const watcher = watch(armed, { persistent: false }, (event, name) => this.#event(folder, event, name));
    watcher.on('error', () => this.#event(folder, 'rename', null));
    this.#folders.set(folder, { armed, identity, watcher, names });
    // Between the old watch and this one anything may have happened.
    if (before !== undefined) for (const paths of names.values()) this.#hints.add(paths);
  }

  #event(folder: string, event: string, name: string | null): void {
    const entry = this.#folders.get(folder);
    if (entry === undefined || this.#closed) return;
    const known = name === null || entry.armed !== folder ? undefined : entry.names.get(name);
    if (known !== undefined) return this.#hints.add(known);
    // What is only written to, or given another mode, makes no folder another one.
    if (event === 'change') return;
    // Not a moment later: a folder made anew may get the inode of the one removed.
    const [armed, identity] = nearest(folder);
    if (armed !== entry.armed || identity !== entry.identity) this.#arm(folder, new Map(entry.names));
  }
}

/** The nearest existing folder and what tells it from another of the same name. */
function nearest(folder: string): readonly [string, string] {
  for (let at = folder; ; at = path.dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false, bigint: true });
    if (stat?.isDirectory()) return [at, `${stat.dev}:${stat.ino}`];
    if (at === path.dirname(at)) return [at, ''];
  }
}
