/** Keys ready to be taken: higher priority first, within one in the order they came. */
export interface Ready {
  readonly size: number;
  has(key: string): boolean;
  /** A key that is in already keeps its place, or moves up to a higher priority. */
  add(key: string, priority: number): void;
  take(): string | undefined;
  clear(): void;
}

export function ready(): Ready {
  const priorities = new Map<string, number>();
  /** Few levels, highest first. Sets keep the order of insertion and forget in constant time. */
  let levels: { readonly priority: number; readonly keys: Set<string> }[] = [];

  const level = (priority: number): Set<string> => {
    const found = levels.find((one) => one.priority === priority);
    if (found !== undefined) return found.keys;
    const keys = new Set<string>();
    levels = [...levels, { priority, keys }].sort((a, b) => b.priority - a.priority);
    return keys;
  };
  const leave = (key: string, priority: number): void => {
    const keys = level(priority);
    keys.delete(key);
    if (keys.size === 0) levels = levels.filter((one) => one.priority !== priority);
  };

  return {
    get size() {
      return priorities.size;
    },
    has: (key) => priorities.has(key),
    add(key, priority) {
      const old = priorities.get(key);
      if (old !== undefined) {
        if (old >= priority) return;
        leave(key, old);
      }
      priorities.set(key, priority);
      level(priority).add(key);
    },
    take() {
      const [highest] = levels;
      if (highest === undefined) return undefined;
      const [key] = highest.keys;
      if (key === undefined) return undefined;
      leave(key, highest.priority);
      priorities.delete(key);
      return key;
    },
    clear() {
      priorities.clear();
      levels = [];
    },
  };
}
