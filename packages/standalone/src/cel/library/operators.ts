import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import {
  compareValues,
  equals,
  int64,
  KeyedList,
  mapKey,
  ObjectValue,
  TypeValue,
  typeName,
  Uint,
} from '../values.ts';

/** Arithmetic, order, membership, conversions and types. */
export function addOperators(library: Library): void {
  integers(library);
  library.add('_+_(double, double): double', (a: number, b: number) => a + b);
  library.add('_-_(double, double): double', (a: number, b: number) => a - b);
  library.add('_*_(double, double): double', (a: number, b: number) => a * b);
  library.add('_/_(double, double): double', (a: number, b: number) => a / b);
  library.add('-_(double): double', (a: number) => -a);
  library.add('_+_(string, string): string', (a: string, b: string) => a + b);
  library.add('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => new Uint8Array([...a, ...b]));
  library.add('_+_(list<A>, list<A>): list<A>', concat);
  library.add('!_(bool): bool', (a: boolean) => !a);
  library.add('@in(A, list<A>): bool', (a: unknown, items: unknown[]) => items.some((x) => equals(x, a)));
  library.add('@in(A, map<A, B>): bool', (a: unknown, m: Map<unknown, unknown>) => m.has(mapKey(a)));
  order(library);
  conversions(library);
}

function integers(library: Library): void {
  const divide = (a: bigint, b: bigint): bigint => (b === 0n ? fail('division by zero') : int64(a / b));
  const modulo = (a: bigint, b: bigint): bigint => (b === 0n ? fail('modulus by zero') : a % b);
  library.add('_+_(int, int): int', (a: bigint, b: bigint) => int64(a + b));
  library.add('_-_(int, int): int', (a: bigint, b: bigint) => int64(a - b));
  library.add('_*_(int, int): int', (a: bigint, b: bigint) => int64(a * b));
  library.add('_/_(int, int): int', divide);
  library.add('_%_(int, int): int', modulo);
  library.add('-_(int): int', (a: bigint) => int64(-a));
  library.add('_+_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(a.value + b.value));
  library.add('_-_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(a.value - b.value));
  library.add('_*_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(a.value * b.value));
  library.add(
    '_/_(uint, uint): uint',
    (a: Uint, b: Uint) => new Uint(b.value === 0n ? fail('division by zero') : a.value / b.value),
  );
  library.add(
    '_%_(uint, uint): uint',
    (a: Uint, b: Uint) => new Uint(b.value === 0n ? fail('modulus by zero') : a.value % b.value),
  );
}

/** Lists join; sets and keyed lists take over what is new and, by key, what is changed (apiserver, cel/common/values.go). */
function concat(a: unknown[], b: unknown[]): unknown[] {
  if (!(a instanceof KeyedList)) return [...a, ...b];
  const out = [...a];
  for (const item of b) {
    const at =
      a.keys_.length === 0
        ? out.findIndex((x) => equals(x, item))
        : out.findIndex((x) => sameKeys(x, item, a.keys_));
    if (at < 0) out.push(item);
    else out[at] = item;
  }
  return KeyedList.of_(out, a.keys_);
}

function sameKeys(a: unknown, b: unknown, keys: readonly string[]): boolean {
  const get = (v: unknown, key: string): unknown =>
    v instanceof ObjectValue
      ? v.get(key)
      : v instanceof Map
        ? (v as Map<unknown, unknown>).get(key)
        : undefined;
  return keys.every((key) => equals(get(a, key) ?? null, get(b, key) ?? null));
}

function order(library: Library): void {
  const compare = (a: unknown, b: unknown): number => compareValues(a, b) ?? Number.NaN;
  const types = ['bool', 'string', 'bytes', 'timestamp', 'duration'].map((t) => [t, t]);
  for (const a of ['int', 'uint', 'double']) for (const b of ['int', 'uint', 'double']) types.push([a, b]);
  for (const [a, b] of types) {
    library.add(`_<_(${a}, ${b}): bool`, (x: unknown, y: unknown) => compare(x, y) < 0);
    library.add(`_<=_(${a}, ${b}): bool`, (x: unknown, y: unknown) => compare(x, y) <= 0);
    library.add(`_>_(${a}, ${b}): bool`, (x: unknown, y: unknown) => compare(x, y) > 0);
    library.add(`_>=_(${a}, ${b}): bool`, (x: unknown, y: unknown) => compare(x, y) >= 0);
  }
  // Known for their names; the compiler types them itself.
  library.add('_==_(A, A): bool', equals);
  library.add('_!=_(A, A): bool', (a: unknown, b: unknown) => !equals(a, b));
}

const TYPES: Record<string, string> = {
  int: 'int',
  uint: 'uint',
  double: 'double',
  bool: 'bool',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  null_type: 'null_type',
  type: 'type',
  optional_type: 'optional_type',
  'google.protobuf.Timestamp': 'google.protobuf.Timestamp',
  'google.protobuf.Duration': 'google.protobuf.Duration',
  'net.IP': 'net.IP',
  'net.CIDR': 'net.CIDR',
  'kubernetes.URL': 'kubernetes.URL',
  'kubernetes.Quantity': 'kubernetes.Quantity',
  'kubernetes.Semver': 'kubernetes.Semver',
  'kubernetes.NamedFormat': 'kubernetes.NamedFormat',
};

function conversions(library: Library): void {
  for (const [name, type] of Object.entries(TYPES)) {
    const value = new TypeValue(type);
    library.add(`@const.${name}(): type<${TYPE_OF[name] ?? name}>`, () => value);
  }
  library.add('type(dyn): type<dyn>', (v: unknown) => new TypeValue(typeName(v)));
  library.add('dyn(dyn): dyn', (v: unknown) => v);
  library.add('int(int): int', (v: bigint) => v);
  library.add('int(uint): int', (v: Uint) => int64(v.value));
  library.add('int(double): int', (v: number) =>
    Math.abs(v) < 2 ** 63 ? BigInt(Math.trunc(v)) : fail('integer overflow'),
  );
  library.add('int(string): int', (v: string) =>
    /^[+-]?\d+$/.test(v) ? int64(BigInt(v)) : fail(`strconv.ParseInt: parsing "${v}": invalid syntax`),
  );
  library.add('uint(uint): uint', (v: Uint) => v);
  library.add('uint(int): uint', (v: bigint) => new Uint(v));
  library.add('uint(double): uint', (v: number) => new Uint(BigInt(Math.trunc(v))));
  library.add('uint(string): uint', (v: string) =>
    /^\d+$/.test(v) ? new Uint(BigInt(v)) : fail(`strconv.ParseUint: parsing "${v}": invalid syntax`),
  );
  library.add('double(double): double', (v: number) => v);
  library.add('double(int): double', Number);
  library.add('double(uint): double', (v: Uint) => Number(v.value));
  library.add('double(string): double', (v: string) =>
    v.trim() !== '' && !Number.isNaN(Number(v))
      ? Number(v)
      : fail(`strconv.ParseFloat: parsing "${v}": invalid syntax`),
  );
  library.add('bool(bool): bool', (v: boolean) => v);
  library.add('bool(string): bool', toBool);
  library.add('string(string): string', (v: string) => v);
  library.add('string(int): string', String);
  library.add('string(uint): string', (v: Uint) => v.value.toString());
  library.add('string(double): string', String);
  library.add('string(bool): string', String);
  library.add('string(bytes): string', (v: Uint8Array) => Buffer.from(v).toString());
  library.add('bytes(string): bytes', (v: string) => new Uint8Array(Buffer.from(v)));
  library.add('bytes(bytes): bytes', (v: Uint8Array) => v);
}

const TYPE_OF: Record<string, string> = {
  null_type: 'null',
  type: 'type<dyn>',
  optional_type: 'optional<dyn>',
  'google.protobuf.Timestamp': 'timestamp',
  'google.protobuf.Duration': 'duration',
};

function toBool(value: string): boolean {
  if (['1', 't', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'false', 'FALSE', 'False'].includes(value)) return false;
  return fail(`strconv.ParseBool: parsing "${value}": invalid syntax`);
}
