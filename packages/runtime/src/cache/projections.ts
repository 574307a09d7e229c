export interface Entry<P> {
  readonly version: string;
  readonly projection: P;
}

/** Projections by key, with their indexes. */
export interface Projections<P> {
  readonly size: number;
  entry(key: string): Entry<P> | undefined;
  set(key: string, version: string, projection: P): void;
  delete(key: string): void;
  keys(): IterableIterator<string>;
  values(): IterableIterator<P>;
  entries(): IterableIterator<[string, P]>;
  by(index: string, value: string): readonly P[];
  keysBy(index: string, value: string): readonly string[];
}

type Indexer<P> = (projection: P) => readonly string[];

/** @param of what it holds, for messages. */
export function projections<P>(of: string, indexers: Readonly<Record<string, Indexer<P>>>): Projections<P> {
  const all = new Map<string, Entry<P>>();
  const indexes = new Map(
    Object.entries(indexers).map(([name, values]) => [
      name,
      { values, keys: new Map<string, Set<string>>() },
    ]),
  );

  const reindex = (key: string, old: P | undefined, next: P | undefined): void => {
    for (const { values, keys } of indexes.values()) {
      const before = old === undefined ? [] : values(old);
      const after = next === undefined ? [] : values(next);
      for (const value of before) {
        if (after.includes(value)) continue;
        const under = keys.get(value);
        under?.delete(key);
        if (under?.size === 0) keys.delete(value);
      }
      for (const value of after) {
        const under = keys.get(value);
        if (under === undefined) keys.set(value, new Set([key]));
        else under.add(key);
      }
    }
  };
  const under = (index: string, value: string): ReadonlySet<string> => {
    const found = indexes.get(index);
    if (found === undefined)
      throw new RangeError(`the informer of ${of} has no index ${JSON.stringify(index)}`);
    return found.keys.get(value) ?? none;
  };

  return {
    get size() {
      return all.size;
    },
    entry: (key) => all.get(key),
    set(key, version, projection) {
      reindex(key, all.get(key)?.projection, projection);
      all.set(key, { version, projection });
    },
    delete(key) {
      reindex(key, all.get(key)?.projection, undefined);
      all.delete(key);
    },
    keys: () => all.keys(),
    *values() {
      for (const { projection } of all.values()) yield projection;
    },
    *entries() {
      for (const [key, { projection }] of all) yield [key, projection];
    },
    by(index, value) {
      const found: P[] = [];
      for (const key of under(index, value)) {
        const entry = all.get(key);
        if (entry !== undefined) found.push(entry.projection);
      }
      return found;
    },
    keysBy: (index, value) => [...under(index, value)],
  };
}

const none: ReadonlySet<string> = new Set();
