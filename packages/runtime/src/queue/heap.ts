/** A binary heap: the least first. */
export interface Heap<T> {
  readonly size: number;
  peek(): T | undefined;
  push(item: T): void;
  pop(): T | undefined;
  clear(): void;
}

export function heap<T>(less: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  const at = (index: number): T => items[index] as T;
  const swap = (a: number, b: number): void => {
    const kept = at(a);
    items[a] = at(b);
    items[b] = kept;
  };
  const up = (from: number): void => {
    let child = from;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!less(at(child), at(parent))) return;
      swap(child, parent);
      child = parent;
    }
  };
  const down = (): void => {
    let parent = 0;
    for (;;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < items.length && less(at(child), at(least))) least = child;
      }
      if (least === parent) return;
      swap(parent, least);
      parent = least;
    }
  };
  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    push(item) {
      items.push(item);
      up(items.length - 1);
    },
    pop() {
      const [first] = items;
      const last = items.pop();
      if (items.length > 0 && last !== undefined) {
        items[0] = last;
        down();
      }
      return first;
    },
    clear() {
      items.length = 0;
    },
  };
}
