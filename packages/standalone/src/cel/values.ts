import { equalJson } from '../schema/index.ts';
import { CelError, fail } from './errors.ts';
import type { ObjectType } from './types.ts';

/** uint64. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) fail('unsigned integer overflow');
    this.value = value;
  }
}

/** Nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    if (nanos > 0x7fff_ffff_ffff_ffffn || nanos < -0x8000_0000_0000_0000n) fail('duration overflow');
    this.nanos = nanos;
  }
}

/** Nanoseconds since 1970, within years 1 to 9999. */
export class Timestamp {
  readonly nanos: bigint;
  /** The zone it was written in (`+01:00`), which its text keeps. */
  readonly zone: string;
  constructor(nanos: bigint, zone = 'Z') {
    this.zone = zone;
    if (nanos < -62135596800n * SECOND || nanos >= 253402300800n * SECOND) fail('timestamp overflow');
    this.nanos = nanos;
  }
}

export const SECOND = 1_000_000_000n;

/** A type as a value: what `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that may be absent. */
export class Optional {
  static readonly none = new Optional(undefined);
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
  get present(): boolean {
    return this.value !== undefined;
  }
}

/** An object of a schema; fields are converted when they are asked for. */
export class ObjectValue {
  readonly type: ObjectType;
  readonly data: Record<string, unknown>;
  constructor(type: ObjectType, data: Record<string, unknown>) {
    this.type = type;
    this.data = data;
  }
  /** The value of a field, undefined where it isn't set. */
  get(name: string): unknown {
    const field = this.type.fields.get(name);
    if (field === undefined || !Object.hasOwn(this.data, field.key)) return undefined;
    const value = this.data[field.key];
    // A null is as good as not set, also where the schema allows it.
    return value === undefined || value === null ? undefined : field.convert(value);
  }
}

/** A list whose entries have an identity: equality and `+` are those of x-kubernetes-list-type set and map. */
export class KeyedList extends Array<unknown> {
  /** Names of the keys; none for a set. */
  keys_: readonly string[] = [];
  static of_(items: readonly unknown[], keys: readonly string[]): KeyedList {
    const out = new KeyedList();
    out.keys_ = keys;
    for (const item of items) out.push(item);
    return out;
  }
  /** filter, map and slice give plain lists. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** A value of a type of the library (URL, quantity, IP): knows its name and how to compare. */
export interface Opaque {
  readonly opaqueType: string;
  equals(other: Opaque): boolean;
}

/** Whether a value is of a library's type. */
export function isOpaque(value: unknown): value is Opaque {
  return typeof value === 'object' && value !== null && 'opaqueType' in value;
}

/** The name of a value's type. */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'object':
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
  }
  if (value === null) return 'null_type';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'map';
  if (value instanceof ObjectValue) return value.type.name;
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  return isOpaque(value) ? value.opaqueType : 'unknown';
}

const isNumber = (value: unknown): value is number | bigint | Uint =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
const plain = (value: number | bigint | Uint): number | bigint =>
  value instanceof Uint ? value.value : value;

/** Equality over all values; of different types false, numbers by value. */
export function equals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // oxlint-disable-next-line eqeqeq -- loose comparison is exact between bigint and number
  if (isNumber(a) && isNumber(b)) return plain(a) == plain(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b);
  if (a instanceof Map) return b instanceof Map && mapsEqual(a, b);
  if (a instanceof ObjectValue) return b instanceof ObjectValue && objectsEqual(a, b);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional)
    return b instanceof Optional && a.present === b.present && (!a.present || equals(a.value, b.value));
  return isOpaque(a) && isOpaque(b) && a.opaqueType === b.opaqueType && a.equals(b);
}

function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  if (!(a instanceof KeyedList)) return a.every((x, i) => equals(x, b[i]));
  return a.every((x) => b.some((y) => equals(x, y)));
}

function mapsEqual(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !equals(value, b.get(key))) return false;
  return true;
}

function objectsEqual(a: ObjectValue, b: ObjectValue): boolean {
  const keys = Object.keys(a.data);
  if (keys.length !== Object.keys(b.data).length) return false;
  for (const [name, { key }] of a.type.fields) {
    const left = a.get(name);
    const right = Object.hasOwn(a.data, key) ? b.get(name) : undefined;
    if ((left === undefined) !== (right === undefined) || (left !== undefined && !equals(left, right)))
      return false;
  }
  // Fields that expressions can't name still tell objects apart.
  const named = new Set([...a.type.fields.values()].map((f) => f.key));
  return keys.every(
    (key) => named.has(key) || !Object.hasOwn(b.data, key) || equalJson(a.data[key], b.data[key]),
  );
}

/** -1, 0 or 1 for values that have an order; undefined for others (and for NaN). */
export function compareValues(a: unknown, b: unknown): number | undefined {
  if (isNumber(a) && isNumber(b)) {
    const x = plain(a);
    const y = plain(b);
    // oxlint-disable-next-line eqeqeq -- loose comparison is exact between bigint and number
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : undefined;
  }
  if (typeof a === 'string' && typeof b === 'string') return sign(compareText(a, b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return sign(Number(a) - Number(b));
  if (a instanceof Timestamp && b instanceof Timestamp)
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Duration && b instanceof Duration)
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return undefined;
}

const sign = (n: number): number => (n < 0 ? -1 : n > 0 ? 1 : 0);

/** By code points, as UTF-8 bytes compare. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The key under which a map holds a value: whole numbers of all types are one. */
export function mapKey(value: unknown): unknown {
  if (value instanceof Uint) return value.value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  return value;
}

/** int64 or an error. */
export function int64(value: bigint): bigint {
  if (value > 0x7fff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n)
    throw new CelError('integer overflow');
  return value;
}
