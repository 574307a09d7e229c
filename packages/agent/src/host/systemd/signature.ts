/** A value of a type that the signature names only when it is sent or read. */
export class Variant {
  readonly signature: string;
  readonly value: DBusValue;

  constructor(signature: string, value: DBusValue) {
    this.signature = signature;
    this.value = value;
  }
}

/** Arrays and structs are arrays, dictionaries Maps, 64-bit integers bigints, `ay` an array of numbers. */
export type DBusValue =
  | string
  | number
  | bigint
  | boolean
  | Variant
  | readonly DBusValue[]
  | ReadonlyMap<DBusValue, DBusValue>;

/** Alignment of each type by the D-Bus specification, "Marshaling". */
const alignments: Readonly<Record<string, number>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 4,
  o: 4,
  g: 1,
  v: 1,
  a: 4,
  h: 4,
  '(': 8,
  '{': 8,
};
/** The specification's own limit on nesting (32 arrays and 32 structs). */
const maxDepth = 64;

/** A message that does not follow the specification, or a value that does not fit its signature. */
export class MarshalError extends Error {
  override readonly name = 'MarshalError';
}

/** systemd's interfaces have some hundred signatures; the bound is for a peer that makes them up. */
const maxKnownSignatures = 1_000;
const knownSignatures = new Map<string, readonly string[]>();

/** The complete types of a signature, one after the other: `sa(sv)u` is s, a(sv), u. Remembered: every value that is read asks for it. */
export function splitSignature(signature: string): readonly string[] {
  const known = knownSignatures.get(signature);
  if (known !== undefined) return known;
  const types = readSignature(signature);
  if (knownSignatures.size < maxKnownSignatures) knownSignatures.set(signature, types);
  return types;
}

function readSignature(signature: string): readonly string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at, 0);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, at: number, depth: number): number {
  const code = signature[at] ?? '';
  if (depth > maxDepth || alignments[code] === undefined) {
    throw new MarshalError(`signature '${signature}' is not valid at ${at}`);
  }
  if (code === 'a') return endOfType(signature, at + 1, depth + 1);
  if (code !== '(' && code !== '{') return at + 1;
  const close = code === '(' ? ')' : '}';
  let next = at + 1;
  while (signature[next] !== close) next = endOfType(signature, next, depth + 1);
  return next + 1;
}

/** Bytes that a complete type's beginning is aligned to. */
export function alignmentOf(type: string): number {
  return alignments[type[0] ?? ''] ?? 1;
}

/** The offset, or the next one that is a multiple of the alignment. */
export function padded(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
