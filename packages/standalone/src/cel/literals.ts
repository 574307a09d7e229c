import type { Code, Frame } from './code.ts';
import type { Compiler, Scope } from './compile.ts';
import { CelError } from './errors.ts';
import type { Expr } from './parse.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  INT,
  join,
  list,
  map,
  NULL,
  STRING,
  type Type,
  typeText,
  UINT,
} from './types.ts';
import { mapKey, Optional, Uint } from './values.ts';

/** Compiles a list. `mixed`: entries of any types, as the arguments of format. */
export function compileList(compiler: Compiler, e: Expr & { op: 'list' }, scope: Scope, mixed = false): Code {
  let elem: Type | undefined;
  const items = e.items.map(({ value, optional: maybe }) => {
    const code = compiler.expr(value, scope);
    const type = maybe && code.type.kind === 'optional' ? code.type.elem : code.type;
    elem = mixed ? DYN : homogeneous(compiler, elem, type, value.at);
    return { run: code.run, maybe };
  });
  if (items.some((i) => i.maybe)) {
    const run = (f: Frame): unknown[] =>
      items.flatMap(({ run: item, maybe }) => {
        const value = item(f);
        if (!maybe) return [value];
        return value instanceof Optional && value.present ? [value.value] : [];
      });
    return { type: list(elem ?? DYN), run };
  }
  const runs = items.map((i) => i.run);
  return { type: list(elem ?? DYN), run: (f) => runs.map((run) => run(f)) };
}

/** Compiles a map. */
export function compileMap(compiler: Compiler, e: Expr & { op: 'map' }, scope: Scope): Code {
  let keyType: Type | undefined;
  let valueType: Type | undefined;
  const entries = e.entries.map(({ key, value, optional: maybe }) => {
    const k = compiler.expr(key, scope);
    const v = compiler.expr(value, scope);
    keyType = homogeneous(compiler, keyType, k.type, key.at);
    valueType = homogeneous(
      compiler,
      valueType,
      maybe && v.type.kind === 'optional' ? v.type.elem : v.type,
      value.at,
    );
    return { key: k.run, value: v.run, maybe };
  });
  const run = (f: Frame): Map<unknown, unknown> => {
    const out = new Map<unknown, unknown>();
    for (const { key, value, maybe } of entries) {
      const k = mapKey(key(f));
      const v = value(f);
      if (maybe && v instanceof Optional && !v.present) continue;
      if (out.has(k)) throw new CelError(`Failed with repeated key: ${String(k)}`);
      out.set(k, maybe && v instanceof Optional ? v.value : v);
    }
    return out;
  };
  return { type: map(keyType ?? DYN, valueType ?? DYN), run };
}

/** Literals hold values of one type. */
function homogeneous(compiler: Compiler, first: Type | undefined, next: Type, at: number): Type {
  if (first === undefined) return next;
  const joined = join(first, next) ?? join(next, first);
  if (joined !== undefined) return joined;
  compiler.issue(at, `expected type '${typeText(first)}' but found '${typeText(next)}'`);
  return first;
}

/** The type of a literal. */
export function literalType(value: unknown): Type {
  if (typeof value === 'bigint') return INT;
  if (typeof value === 'number') return DOUBLE;
  if (typeof value === 'string') return STRING;
  if (typeof value === 'boolean') return BOOL;
  return value === null ? NULL : value instanceof Uint ? UINT : BYTES;
}
