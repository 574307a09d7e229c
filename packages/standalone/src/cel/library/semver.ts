import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import type { Opaque } from '../values.ts';

/** A semantic version 2.0. */
export class Semver implements Opaque {
  readonly opaqueType = 'kubernetes.Semver';
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
  private constructor(numbers: readonly bigint[], pre: readonly string[]) {
    this.numbers = numbers;
    this.pre = pre;
  }

  static parse(text: string): Semver | undefined {
    const parts =
      /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/.exec(text);
    if (parts === null) return undefined;
    const pre = parts[4]?.split('.') ?? [];
    if (pre.some((p) => p === '' || /^0\d+$/.test(p))) return undefined;
    return new Semver(
      [parts[1], parts[2], parts[3]].map((n) => BigInt(n ?? '0')),
      pre,
    );
  }

  /** Adds what is missing of `v1.2` and takes off leading zeros, as the normalizing form of `semver()` does. */
  static normalize(text: string): string {
    const bare = text.replace(/^v/, '');
    const [core = '', ...rest] = bare.split(/(?=[-+])/);
    const numbers = core.split('.').map((n) => n.replace(/^0+(?=\d)/, ''));
    while (numbers.length < 3) numbers.push('0');
    return numbers.join('.') + rest.join('');
  }

  compare(other: Semver): number {
    for (const [i, n] of this.numbers.entries()) {
      const m = other.numbers[i] ?? 0n;
      if (n !== m) return n < m ? -1 : 1;
    }
    if (this.pre.length === 0 || other.pre.length === 0)
      return Number(this.pre.length === 0) - Number(other.pre.length === 0);
    const length = Math.max(this.pre.length, other.pre.length);
    for (let i = 0; i < length; i++) {
      const result = comparePre(this.pre[i], other.pre[i]);
      if (result !== 0) return result;
    }
    return 0;
  }

  equals(other: Opaque): boolean {
    return other instanceof Semver && this.compare(other) === 0;
  }
}

function comparePre(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const numeric = (s: string): boolean => /^\d+$/.test(s);
  if (numeric(a) && numeric(b)) return BigInt(a) < BigInt(b) ? -1 : 1;
  if (numeric(a) !== numeric(b)) return numeric(a) ? -1 : 1;
  return a < b ? -1 : 1;
}

/** `semver()`. */
export function addSemver(library: Library): void {
  const type = 'kubernetes.Semver';
  const read = (s: string): Semver => Semver.parse(s) ?? fail(`No Major.Minor.Patch elements found`);
  const form = (s: string, normalize: boolean): string => (normalize ? Semver.normalize(s) : s);
  library.add(`semver(string): ${type}`, read);
  library.add(`semver(string, bool): ${type}`, (s: string, n: boolean) => read(form(s, n)));
  library.add('isSemver(string): bool', (s: string) => Semver.parse(s) !== undefined);
  library.add(
    'isSemver(string, bool): bool',
    (s: string, n: boolean) => Semver.parse(form(s, n)) !== undefined,
  );
  for (const [i, name] of ['major', 'minor', 'patch'].entries())
    library.add(`${type}.${name}(): int`, (v: Semver) => v.numbers[i]);
  library.add(`${type}.isGreaterThan(${type}): bool`, (a: Semver, b: Semver) => a.compare(b) > 0);
  library.add(`${type}.isLessThan(${type}): bool`, (a: Semver, b: Semver) => a.compare(b) < 0);
  library.add(`${type}.compareTo(${type}): int`, (a: Semver, b: Semver) => BigInt(a.compare(b)));
}
