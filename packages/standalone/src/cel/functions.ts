import { CelError } from './errors.ts';
import { parseType, splitTop, type Type } from './types.ts';
import { Duration, isOpaque, ObjectValue, Optional, Timestamp, typeName, TypeValue, Uint } from './values.ts';

/** One form of a function. */
export interface Overload {
  /** `a.f(b)` and not `f(a, b)`; then the first parameter is the receiver. */
  readonly member: boolean;
  readonly params: readonly Type[];
  readonly result: Type;
  readonly run: (...args: never[]) => unknown;
}

/** What a literal argument must be, found out at compile time. */
export interface LiteralRule {
  /** The index among the arguments, the receiver counted. */
  index: number;
  /** Tells what is wrong with the literal, undefined where nothing is. */
  check: (value: unknown) => string | undefined;
  /** Where the real compiler finds it: the message is then an issue with a place, or one without. */
  when: 'check' | 'plan';
}

/** Functions by name. */
export class Library {
  private readonly byName = new Map<string, Overload[]>();
  private readonly rules = new Map<string, LiteralRule>();

  /** Adds a form: `string.startsWith(string): bool`, `size(list<A>): int`, `sets.contains(list<A>, list<A>): bool`. A name
   * before the dot that is a type makes a member, else a namespace. */
  add(signature: string, run: (...args: never[]) => unknown): this {
    const parts = /^(.+?)\((.*)\)\s*:\s*(.+)$/.exec(signature);
    if (parts === null) throw new Error(`not a signature: ${signature}`);
    const [, full = '', params = '', result = ''] = parts;
    const dot = full.lastIndexOf('.');
    const owner = full.slice(0, Math.max(dot, 0));
    const member = dot > 0 && !NAMESPACES.has(owner) && !full.startsWith('@const.');
    const name = member ? full.slice(dot + 1) : full;
    const types = splitTop(params).map(parseType);
    const overload: Overload = {
      member,
      params: member ? [parseType(owner), ...types] : types,
      result: parseType(result),
      run,
    };
    this.byName.set(name, [...(this.byName.get(name) ?? []), overload]);
    return this;
  }

  /** Says what literal arguments of a function must be. */
  rule(name: string, rule: LiteralRule): this {
    this.rules.set(name, rule);
    return this;
  }

  overloads(name: string): readonly Overload[] {
    return this.byName.get(name) ?? [];
  }

  ruleOf(name: string): LiteralRule | undefined {
    return this.rules.get(name);
  }
}

const NAMESPACES = new Set(['sets', 'lists', 'optional', 'format', 'ip', 'cidr', 'math', 'strings']);

/** Whether a value can be one of a type, at run time. */
export function hasType(type: Type, value: unknown): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'null':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'uint':
      return value instanceof Uint;
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    case 'list':
      return Array.isArray(value) && (value.length === 0 || hasType(type.elem, value[0]));
    case 'map':
      return value instanceof Map;
    case 'optional':
      return value instanceof Optional;
    case 'type':
      return value instanceof TypeValue;
    case 'object':
      return value instanceof ObjectValue;
    case 'opaque':
      return isOpaque(value) && value.opaqueType === type.name;
    default:
      return type satisfies never;
  }
}

/** Runs the form that fits the arguments. Throws CelError where none does. */
export function dispatch(name: string, overloads: readonly Overload[], args: unknown[]): unknown {
  for (const overload of overloads) {
    if (overload.params.every((param, i) => hasType(param, args[i])))
      return overload.run(...(args as never[]));
  }
  const operator = name.startsWith('_') || name.startsWith('@');
  const types = args.map(typeName);
  throw new CelError(`no such overload: ${operator ? name : name}(${types.join(', ')})`);
}
