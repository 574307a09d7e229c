/** A static type of an expression. */
export type Type =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'list'; readonly elem: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'optional'; readonly elem: Type }
  | { readonly kind: 'type'; readonly of: Type }
  | { readonly kind: 'opaque'; readonly name: string }
  | { readonly kind: 'param'; readonly name: string }
  | ObjectType;

type SimpleKind =
  | 'dyn'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration';

/** An object with declared fields, by the names under which expressions see them. */
export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
}

/** A field of an object. */
export interface Field {
  /** The name in the data, where the expression's is escaped. */
  readonly key: string;
  readonly type: Type;
  /** Makes the value that expressions see. Throws CelError where the data is not as the schema says. */
  readonly convert: (value: unknown) => unknown;
}

const SIMPLE: readonly SimpleKind[] = [
  'dyn',
  'null',
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'timestamp',
  'duration',
];

export const DYN: Type = { kind: 'dyn' };
export const NULL: Type = { kind: 'null' };
export const BOOL: Type = { kind: 'bool' };
export const INT: Type = { kind: 'int' };
export const UINT: Type = { kind: 'uint' };
export const DOUBLE: Type = { kind: 'double' };
export const STRING: Type = { kind: 'string' };
export const BYTES: Type = { kind: 'bytes' };
export const TIMESTAMP: Type = { kind: 'timestamp' };
export const DURATION: Type = { kind: 'duration' };
export const list = (elem: Type): Type => ({ kind: 'list', elem });
export const map = (key: Type, value: Type): Type => ({ kind: 'map', key, value });
export const optional = (elem: Type): Type => ({ kind: 'optional', elem });

/** A type as cel-go writes it in messages. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.elem)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'optional':
      return `optional_type(${typeText(type.elem)})`;
    case 'type':
      return `type(${typeText(type.of)})`;
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'object':
    case 'opaque':
    case 'param':
      return type.name;
    case 'dyn':
    case 'null':
    case 'bool':
    case 'int':
    case 'uint':
    case 'double':
    case 'string':
    case 'bytes':
      return type.kind;
    default:
      return type satisfies never;
  }
}

/** Reads a type of a signature: `list<A>`, `map<string, dyn>`, `optional<T>`, `net.IP`. One capital letter is a parameter. */
export function parseType(text: string): Type {
  const name = text.trim();
  const generic = /^(list|map|optional|type)<(.*)>$/.exec(name);
  if (generic?.[2] !== undefined) {
    const parts = splitTop(generic[2]).map(parseType);
    const [first = DYN, second = DYN] = parts;
    if (generic[1] === 'list') return list(first);
    if (generic[1] === 'map') return map(first, second);
    return generic[1] === 'optional' ? optional(first) : { kind: 'type', of: first };
  }
  if (name === 'list') return list(DYN);
  if (name === 'map') return map(DYN, DYN);
  if (/^[A-Z]$/.test(name)) return { kind: 'param', name };
  const simple = SIMPLE.find((kind) => kind === name);
  return simple === undefined ? { kind: 'opaque', name } : { kind: simple };
}

/** Splits at the commas that stand in no brackets. */
export function splitTop(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<') depth++;
    else if (text[i] === '>') depth--;
    else if (text[i] === ',' && depth === 0) {
      out.push(text.slice(start, i));
      start = i + 1;
    }
  }
  const last = text.slice(start);
  return last.trim() === '' && out.length === 0 ? [] : [...out, last];
}

/** What type parameters are bound to. */
export type Bindings = Map<string, Type>;

/** Whether a value of the one type may stand where the other is asked for; binds parameters. */
export function assignable(target: Type, source: Type, bindings: Bindings): boolean {
  if (target.kind === 'param') {
    const bound = bindings.get(target.name);
    if (bound === undefined || bound.kind === 'dyn') {
      if (bound === undefined) bindings.set(target.name, source);
      return true;
    }
    const joined = join(bound, source);
    if (joined === undefined) return false;
    bindings.set(target.name, joined);
    return true;
  }
  if (target.kind === 'dyn' || source.kind === 'dyn' || source.kind === 'param') return true;
  if (source.kind === 'null') return target.kind === 'null' || NULLABLE.has(target.kind);
  if (target.kind === 'list' && source.kind === 'list') return assignable(target.elem, source.elem, bindings);
  if (target.kind === 'optional' && source.kind === 'optional')
    return assignable(target.elem, source.elem, bindings);
  if (target.kind === 'map' && source.kind === 'map')
    return assignable(target.key, source.key, bindings) && assignable(target.value, source.value, bindings);
  if (target.kind === 'object' && source.kind === 'object') return target.name === source.name;
  if (target.kind === 'opaque' && source.kind === 'opaque') return target.name === source.name;
  return target.kind === source.kind && target.kind !== 'object' && target.kind !== 'opaque';
}

/** What may be null for the checker: cel-go's messages, well-known and opaque types, but no scalars, lists and maps. */
const NULLABLE: ReadonlySet<string> = new Set(['object', 'opaque', 'optional', 'timestamp', 'duration']);

/** The type of both, undefined where there is none. */
export function join(a: Type, b: Type): Type | undefined {
  if (a.kind === 'dyn' || b.kind === 'dyn') return DYN;
  if (a.kind === 'null' && NULLABLE.has(b.kind)) return b;
  if (a.kind === 'list' && b.kind === 'list') {
    const elem = join(a.elem, b.elem);
    return elem === undefined ? undefined : list(elem);
  }
  if (a.kind === 'optional' && b.kind === 'optional') {
    const elem = join(a.elem, b.elem);
    return elem === undefined ? undefined : optional(elem);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = join(a.key, b.key);
    const value = join(a.value, b.value);
    return key === undefined || value === undefined ? undefined : map(key, value);
  }
  return assignable(a, b, new Map()) ? a : undefined;
}

/** A type with its parameters replaced; unbound ones are dyn. */
export function bind(type: Type, bindings: Bindings): Type {
  if (type.kind === 'param') return bindings.get(type.name) ?? DYN;
  if (type.kind === 'list') return list(bind(type.elem, bindings));
  if (type.kind === 'optional') return optional(bind(type.elem, bindings));
  if (type.kind === 'map') return map(bind(type.key, bindings), bind(type.value, bindings));
  return type;
}
