import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import { compareValues, Duration, equals, int64, Optional, Uint } from '../values.ts';

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const ZERO: Record<string, () => unknown> = {
  int: () => 0n,
  uint: () => new Uint(0n),
  double: () => 0,
  duration: () => new Duration(0n),
};

const compare = (a: unknown, b: unknown): number =>
  compareValues(a, b) ?? fail('list elements must be comparable');
const contains = (items: readonly unknown[], value: unknown): boolean => items.some((x) => equals(x, value));

/** Lists, maps and sets. */
export function addLists(library: Library): void {
  library.add('size(list<A>): int', (l: unknown[]) => BigInt(l.length));
  library.add('list<A>.size(): int', (l: unknown[]) => BigInt(l.length));
  library.add('size(map<A, B>): int', (m: Map<unknown, unknown>) => BigInt(m.size));
  library.add('map<A, B>.size(): int', (m: Map<unknown, unknown>) => BigInt(m.size));
  for (const type of COMPARABLE) {
    library.add(`list<${type}>.isSorted(): bool`, (l: unknown[]) =>
      l.every((x, i) => i === 0 || compare(l[i - 1], x) <= 0),
    );
    library.add(`list<${type}>.min(): ${type}`, (l: unknown[]) => best(l, 'min', -1));
    library.add(`list<${type}>.max(): ${type}`, (l: unknown[]) => best(l, 'max', 1));
    library.add(`list<${type}>.sort(): list<${type}>`, (l: unknown[]) => [...l].sort(compare));
  }
  for (const [type, zero] of Object.entries(ZERO))
    library.add(`list<${type}>.sum(): ${type}`, (l: unknown[]) => (l.length === 0 ? zero() : l.reduce(plus)));
  library.add('list<A>.indexOf(A): int', (l: unknown[], v: unknown) =>
    BigInt(l.findIndex((x) => equals(x, v))),
  );
  library.add('list<A>.lastIndexOf(A): int', (l: unknown[], v: unknown) =>
    BigInt(l.findLastIndex((x) => equals(x, v))),
  );
  library.add('list<A>.distinct(): list<A>', (l: unknown[]) =>
    l.filter((x, i) => l.findIndex((y) => equals(x, y)) === i),
  );
  library.add('list<A>.reverse(): list<A>', (l: unknown[]) => [...l].reverse());
  library.add('list<A>.slice(int, int): list<A>', slice);
  library.add('list<A>.flatten(): list<dyn>', (l: unknown[]) => l.flat());
  library.add('list<A>.flatten(int): list<dyn>', (l: unknown[], depth: bigint) =>
    depth < 0n ? fail('level must be non-negative') : (l.flat(Number(depth)) as unknown[]),
  );
  library.add('list<A>.first(): optional<A>', (l: unknown[]) =>
    l.length === 0 ? Optional.none : new Optional(l[0]),
  );
  library.add('list<A>.last(): optional<A>', (l: unknown[]) =>
    l.length === 0 ? Optional.none : new Optional(l.at(-1)),
  );
  library.add('lists.range(int): list<int>', (n: bigint) =>
    n > 1_000_000n
      ? fail('operation cancelled: actual cost limit exceeded')
      : Array.from({ length: Number(n) }, (_, i) => BigInt(i)),
  );
  library.add('sets.contains(list<A>, list<A>): bool', (a: unknown[], b: unknown[]) =>
    b.every((x) => contains(a, x)),
  );
  library.add(
    'sets.equivalent(list<A>, list<A>): bool',
    (a: unknown[], b: unknown[]) => b.every((x) => contains(a, x)) && a.every((x) => contains(b, x)),
  );
  library.add('sets.intersects(list<A>, list<A>): bool', (a: unknown[], b: unknown[]) =>
    a.some((x) => contains(b, x)),
  );
}

function best(items: readonly unknown[], name: string, sign: number): unknown {
  if (items.length === 0) return fail(`${name} called on empty list`);
  return items.reduce((a, b) => (compare(b, a) * sign > 0 ? b : a));
}

function plus(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof Uint && b instanceof Uint) return new Uint(a.value + b.value);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos);
  return fail('no such overload');
}

function slice(items: unknown[], start: bigint, end: bigint): unknown[] {
  if (start < 0n || end < 0n) return fail(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end)
    return fail(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(items.length))
    return fail(`cannot slice(${start}, ${end}), list is length ${items.length}`);
  return items.slice(Number(start), Number(end));
}
