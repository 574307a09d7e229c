interface Item {
  readonly at: number;
  readonly machine: string;
  readonly batch: number;
}

/** Machines by a time, earliest first: a heap, so that putting one in costs the same in a batch of ten and of ten thousand. */
export class Deadlines {
  readonly #heap: Item[] = [];

  push(item: Item): void {
    const heap = this.#heap;
    const { at } = item;
    let i = heap.length;
    heap.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#at(parent) <= at) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  peek(): Item | undefined {
    return this.#heap[0];
  }

  pop(): Item | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(least) >= last.at) break;
      this.#swap(i, least);
      i = least;
    }
    return first;
  }

  #at(i: number): number {
    return this.#heap[i]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}
