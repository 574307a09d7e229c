import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import { Duration, Optional, Timestamp, Uint } from '../values.ts';

/** Optional values. */
export function addOptional(library: Library): void {
  library.add('optional.none(): optional<dyn>', () => Optional.none);
  library.add('optional.of(A): optional<A>', (v: unknown) => new Optional(v));
  library.add('optional.ofNonZeroValue(A): optional<A>', (v: unknown) =>
    isZero(v) ? Optional.none : new Optional(v),
  );
  library.add('optional<A>.hasValue(): bool', (o: Optional) => o.present);
  library.add('optional<A>.value(): A', (o: Optional) =>
    o.present ? o.value : fail('optional.none() dereference'),
  );
  library.add('optional<A>.or(optional<A>): optional<A>', (o: Optional, other: Optional) =>
    o.present ? o : other,
  );
  library.add('optional<A>.orValue(A): A', (o: Optional, other: unknown) => (o.present ? o.value : other));
  const unwrap = (l: Optional[]): unknown[] => l.filter((o) => o.present).map((o) => o.value);
  library.add('optional.unwrap(list<optional<A>>): list<A>', unwrap);
  library.add('list<optional<A>>.unwrapOpt(): list<A>', unwrap);
}

function isZero(value: unknown): boolean {
  if (value === null || value === '' || value === 0 || value === 0n || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  return value instanceof Timestamp && value.nanos === -62135596800n * 1_000_000_000n;
}
