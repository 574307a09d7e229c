import type { KubeObject } from '../object.ts';
import type { Change, ChangeType } from './change.ts';

/** A change as one watcher sees it: leaving its selection is DELETED, entering it is ADDED. */
export interface WatchEvent {
  type: ChangeType;
  change: Change;
  /** True when the selection was left: the object to show is the previous one, with the change's version. */
  left: boolean;
}

export interface Watcher {
  resource: string;
  /** Undefined: all namespaces. */
  namespace: string | undefined;
  matches: (object: KubeObject) => boolean;
  /** Where given, the watcher costs nothing to changes of objects whose field has another value. */
  index: { field: string; value: string; read: (object: KubeObject) => string } | undefined;
  send(event: WatchEvent): void;
}

interface Fields {
  read: (object: KubeObject) => string;
  values: Map<string, Set<Watcher>>;
}

/** What `watcher` sees of `change`, or undefined. */
export function viewOf(
  watcher: Pick<Watcher, 'namespace' | 'matches'>,
  change: Change,
): WatchEvent | undefined {
  if (watcher.namespace !== undefined && watcher.namespace !== change.namespace) return undefined;
  const before = change.previous !== undefined && watcher.matches(change.previous);
  const after = change.type !== 'DELETED' && watcher.matches(change.object);
  if (change.type === 'DELETED') return before ? { type: 'DELETED', change, left: false } : undefined;
  if (before && after) return { type: 'MODIFIED', change, left: false };
  if (after) return { type: 'ADDED', change, left: false };
  return before ? { type: 'DELETED', change, left: true } : undefined;
}

/** Hands each committed change to the watchers that may want it. */
export class WatchHub {
  readonly #all = new Map<string, Set<Watcher>>();
  readonly #indexed = new Map<string, Map<string, Fields>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns what ends the watch. */
  add(watcher: Watcher): () => void {
    const set = this.#home(watcher);
    set.add(watcher);
    this.#size++;
    return () => {
      if (!set.delete(watcher)) return;
      this.#size--;
      const index = watcher.index;
      if (index && set.size === 0) {
        const fields = this.#indexed.get(watcher.resource);
        const field = fields?.get(index.field);
        if (field?.values.get(index.value) === set) field.values.delete(index.value);
      }
    };
  }

  #home(watcher: Watcher): Set<Watcher> {
    if (!watcher.index) {
      const set = this.#all.get(watcher.resource) ?? new Set();
      this.#all.set(watcher.resource, set);
      return set;
    }
    const fields = this.#indexed.get(watcher.resource) ?? new Map<string, Fields>();
    this.#indexed.set(watcher.resource, fields);
    const field = fields.get(watcher.index.field) ?? { read: watcher.index.read, values: new Map() };
    fields.set(watcher.index.field, field);
    const set = field.values.get(watcher.index.value) ?? new Set();
    field.values.set(watcher.index.value, set);
    return set;
  }

  publish(change: Change): void {
    for (const watcher of this.#all.get(change.resource) ?? []) offer(watcher, change);
    for (const { read, values } of this.#indexed.get(change.resource)?.values() ?? []) {
      if (values.size === 0) continue;
      const now = read(change.object);
      for (const watcher of values.get(now) ?? []) offer(watcher, change);
      const before = change.previous && read(change.previous);
      if (before === undefined || before === now) continue;
      for (const watcher of values.get(before) ?? []) offer(watcher, change);
    }
  }
}

function offer(watcher: Watcher, change: Change): void {
  const event = viewOf(watcher, change);
  if (event) watcher.send(event);
}
