import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import type { Opaque } from '../values.ts';

/** Powers of ten and of two of a suffix. */
const SUFFIXES: Record<string, readonly [number, number]> = {
  n: [-9, 0],
  u: [-6, 0],
  m: [-3, 0],
  '': [0, 0],
  k: [3, 0],
  M: [6, 0],
  G: [9, 0],
  T: [12, 0],
  P: [15, 0],
  E: [18, 0],
  Ki: [0, 10],
  Mi: [0, 20],
  Gi: [0, 30],
  Ti: [0, 40],
  Pi: [0, 50],
  Ei: [0, 60],
};

/** A resource quantity: `units / 10^scale`. */
export class Quantity implements Opaque {
  readonly opaqueType = 'kubernetes.Quantity';
  readonly units: bigint;
  readonly scale: number;
  constructor(units: bigint, scale: number) {
    this.units = units;
    this.scale = scale;
  }

  /** Reads `1.5Gi`, `100m`, `1e3`; undefined for what is none. */
  static parse(text: string): Quantity | undefined {
    const parts = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/.exec(text);
    if (parts === null) return undefined;
    const [integer = '', fraction = ''] = (parts[2] ?? '').split('.');
    const [ten, two] = SUFFIXES[parts[3] ?? ''] ?? [0, 0];
    const exponent = parts[4] === undefined ? ten : Number(parts[4]);
    let units = BigInt(integer + fraction || '0') << BigInt(two);
    let scale = fraction.length - exponent;
    if (scale < 0) {
      units *= 10n ** BigInt(-scale);
      scale = 0;
    }
    return new Quantity(parts[1] === '-' ? -units : units, scale);
  }

  compare(other: Quantity): number {
    const scale = Math.max(this.scale, other.scale);
    const a = this.at(scale);
    const b = other.at(scale);
    return a < b ? -1 : a > b ? 1 : 0;
  }

  equals(other: Opaque): boolean {
    return other instanceof Quantity && this.compare(other) === 0;
  }

  plus(other: Quantity, sign: bigint): Quantity {
    const scale = Math.max(this.scale, other.scale);
    return new Quantity(this.at(scale) + sign * other.at(scale), scale);
  }

  /** The value where it is a whole int64. */
  integer(): bigint | undefined {
    const one = 10n ** BigInt(this.scale);
    const value = this.units / one;
    return this.units % one === 0n && BigInt.asIntN(64, value) === value ? value : undefined;
  }

  private at(scale: number): bigint {
    return this.units * 10n ** BigInt(scale - this.scale);
  }
}

/** `quantity()` and what can be asked of one. */
export function addQuantity(library: Library): void {
  const type = 'kubernetes.Quantity';
  const message =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  library.add(`quantity(string): ${type}`, (s: string) => Quantity.parse(s) ?? fail(message));
  library.add('isQuantity(string): bool', (s: string) => Quantity.parse(s) !== undefined);
  library.add(`${type}.sign(): int`, (q: Quantity) => (q.units > 0n ? 1n : q.units < 0n ? -1n : 0n));
  library.add(`${type}.isInteger(): bool`, (q: Quantity) => q.integer() !== undefined);
  library.add(
    `${type}.asInteger(): int`,
    (q: Quantity) => q.integer() ?? fail('cannot convert value to integer'),
  );
  library.add(`${type}.asApproximateFloat(): double`, (q: Quantity) => Number(q.units) / 10 ** q.scale);
  library.add(`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => a.compare(b) > 0);
  library.add(`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => a.compare(b) < 0);
  library.add(`${type}.compareTo(${type}): int`, (a: Quantity, b: Quantity) => BigInt(a.compare(b)));
  for (const [name, sign] of [
    ['add', 1n],
    ['sub', -1n],
  ] as const) {
    library.add(`${type}.${name}(${type}): ${type}`, (a: Quantity, b: Quantity) => a.plus(b, sign));
    library.add(`${type}.${name}(int): ${type}`, (a: Quantity, b: bigint) =>
      a.plus(new Quantity(b, 0), sign),
    );
  }
}
