import { present } from './access.ts';
import { attempt, charge, type Code, type Frame, isBool } from './code.ts';
import type { Compiler } from './compile.ts';
import { CelError } from './errors.ts';
import type { Expr } from './parse.ts';
import { assignable, BOOL, DYN, INT, list, map, optional, type Type, typeText } from './types.ts';
import { compareValues, mapKey, ObjectValue, Optional } from './values.ts';

type Call = Expr & { op: 'call' };
type Scope = Parameters<Compiler['expr']>[1];
type Macro = (compiler: Compiler, call: Call, target: Expr, scope: Scope) => Code | undefined;

/** Compiles a call that is a macro; undefined for what is none. */
export function expandMacro(compiler: Compiler, call: Call, scope: Scope): Code | undefined {
  const { target, args } = call;
  if (target === undefined)
    return call.name === 'has' && args.length === 1 ? has(compiler, call, scope) : undefined;
  if (call.name === 'bind' && args.length === 3 && target.op === 'name' && target.name === 'cel')
    return bindMacro(compiler, call, scope);
  return MACROS[`${call.name}/${args.length}`]?.(compiler, call, target, scope);
}

function has(compiler: Compiler, call: Call, scope: Scope): Code {
  const [arg] = call.args;
  if (arg?.op !== 'select' || arg.optional)
    return compiler.issue(arg?.at ?? call.at, 'invalid argument to has() macro');
  const of = compiler.expr(arg.of, scope);
  compiler.fieldType(of.type, arg.field, call.at);
  const { field } = arg;
  return { type: BOOL, run: (f) => present(of.run(f), field, false) };
}

function bindMacro(compiler: Compiler, call: Call, scope: Scope): Code {
  const [name, init, body] = call.args;
  if (name?.op !== 'name' || init === undefined || body === undefined)
    return compiler.issue(call.at, 'cel.bind() variable names must be simple identifiers');
  const value = compiler.expr(init, scope);
  const inner = compiler.bindName(scope, name.name, value.type);
  const code = compiler.expr(body, inner.scope);
  const run = (f: Frame): unknown => {
    f.slots[inner.slot] = value.run(f);
    return code.run(f);
  };
  return { type: code.type, run };
}

/** What is iterated: `one` for one variable (entries of a list, keys of a map), else index and value, or key and value. */
interface Loop {
  range: Code;
  slots: readonly number[];
  scope: Scope;
  keyType: Type;
}

function loop(
  compiler: Compiler,
  call: Call,
  target: Expr,
  scope: Scope,
  variables: number,
): Loop | undefined {
  const range = compiler.expr(target, scope);
  const { type } = range;
  if (type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'dyn' && type.kind !== 'param') {
    compiler.issue(
      target.at,
      `expression of type '${typeText(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    );
    return undefined;
  }
  const keyType = type.kind === 'map' ? type.key : type.kind === 'list' ? INT : DYN;
  const elem = type.kind === 'map' ? type.value : type.kind === 'list' ? type.elem : DYN;
  const types = variables === 2 ? [keyType, elem] : [type.kind === 'map' ? type.key : elem];
  const slots: number[] = [];
  let inner = scope;
  for (const [i, variable] of types.entries()) {
    const name = call.args[i];
    if (name?.op !== 'name') {
      compiler.issue(name?.at ?? call.at, 'argument must be a simple name');
      return undefined;
    }
    const bound = compiler.bindName(inner, name.name, variable);
    inner = bound.scope;
    slots.push(bound.slot);
  }
  return { range, slots, scope: inner, keyType };
}

/** Goes over a range; each entry is put into its slots before `body` is called, which may end it by true. */
function iterate(l: Loop, frame: Frame, body: (key: unknown) => boolean): void {
  const value = l.range.run(frame);
  const two = l.slots.length === 2;
  const [first = 0, second = 0] = l.slots;
  const visit = (key: unknown, item: unknown): boolean => {
    charge(frame, 1);
    frame.slots[first] = two ? key : item;
    if (two) frame.slots[second] = item;
    return body(key);
  };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (visit(BigInt(i), value[i])) return;
  } else if (value instanceof Map) {
    for (const [key, item] of value as Map<unknown, unknown>) if (visit(key, two ? item : key)) return;
  } else if (value instanceof ObjectValue) {
    for (const key of value.type.fields.keys()) {
      const item = value.get(key);
      if (item !== undefined && visit(key, two ? item : key)) return;
    }
  } else throw new CelError('no such overload');
}

/** A comprehension's last arguments: compiled in the scope of its variables. */
function bodyOf(compiler: Compiler, call: Call, l: Loop, at: number, bool: boolean): Code {
  const arg = call.args[at];
  if (arg === undefined) return compiler.issue(call.at, 'argument missing');
  const code = compiler.expr(arg, l.scope);
  if (bool && !isBool(code.type))
    compiler.issue(arg.at, `expected type 'bool' but found '${typeText(code.type)}'`);
  return code;
}

/** all and exists: errors count only if nothing settles the answer. */
const quantifier =
  (variables: number, settles: boolean): Macro =>
  (compiler, call, target, scope) => {
    const l = loop(compiler, call, target, scope, variables);
    if (l === undefined) return { type: BOOL, run: () => false };
    const body = bodyOf(compiler, call, l, variables, true);
    const run = (f: Frame): unknown => {
      let error: CelError | undefined;
      let settled = false;
      iterate(l, f, () => {
        const value = attempt(body, f);
        if (value === settles) settled = true;
        else if (value instanceof CelError) error ??= value;
        else if (typeof value !== 'boolean') error ??= new CelError('no such overload');
        return settled;
      });
      if (settled) return settles;
      if (error !== undefined) throw error;
      return !settles;
    };
    return { type: BOOL, run };
  };

const existsOne =
  (variables: number): Macro =>
  (compiler, call, target, scope) => {
    const l = loop(compiler, call, target, scope, variables);
    if (l === undefined) return { type: BOOL, run: () => false };
    const body = bodyOf(compiler, call, l, variables, true);
    const run = (f: Frame): unknown => {
      let count = 0;
      iterate(l, f, () => {
        if (body.run(f) === true) count++;
        return false;
      });
      return count === 1;
    };
    return { type: BOOL, run };
  };

/** map, filter, transformList: `filter` is the index of the condition, `value` that of the result (the entry itself if none). */
const collect =
  (variables: number, filter: number | undefined, value: number | undefined): Macro =>
  (compiler, call, target, scope) => {
    const l = loop(compiler, call, target, scope, variables);
    if (l === undefined) return { type: list(DYN), run: () => [] };
    const condition = filter === undefined ? undefined : bodyOf(compiler, call, l, filter, true);
    const result = value === undefined ? undefined : bodyOf(compiler, call, l, value, false);
    const { type } = l.range;
    const own = type.kind === 'list' ? type.elem : type.kind === 'map' ? type.key : DYN;
    const [slot = 0] = l.slots;
    const run = (f: Frame): unknown => {
      const out: unknown[] = [];
      iterate(l, f, () => {
        // The result's own comprehensions have slots of their own: the entry stays where it is.
        if (condition !== undefined && condition.run(f) !== true) return false;
        out.push(result === undefined ? f.slots[slot] : result.run(f));
        return false;
      });
      return out;
    };
    return { type: list(result?.type ?? own), run };
  };

/** transformMap and transformMapEntry. */
const collectMap =
  (filtered: boolean, entry: boolean): Macro =>
  (compiler, call, target, scope) => {
    const l = loop(compiler, call, target, scope, 2);
    if (l === undefined) return { type: map(DYN, DYN), run: () => new Map() };
    const condition = filtered ? bodyOf(compiler, call, l, 2, true) : undefined;
    const result = bodyOf(compiler, call, l, filtered ? 3 : 2, false);
    const run = (f: Frame): unknown => {
      const out = new Map<unknown, unknown>();
      const put = (key: unknown, item: unknown): void => {
        if (out.has(mapKey(key))) throw new CelError(`insert failed: key ${String(key)} already exists`);
        out.set(mapKey(key), item);
      };
      iterate(l, f, (key) => {
        if (condition !== undefined && condition.run(f) !== true) return false;
        const made = result.run(f);
        if (!entry) put(key, made);
        else if (made instanceof Map) for (const [k, v] of made as Map<unknown, unknown>) put(k, v);
        else throw new CelError('no such overload');
        return false;
      });
      return out;
    };
    return {
      type: entry ? (result.type.kind === 'map' ? result.type : map(DYN, DYN)) : map(l.keyType, result.type),
      run,
    };
  };

const sortBy: Macro = (compiler, call, target, scope) => {
  const l = loop(compiler, call, target, scope, 1);
  if (l === undefined) return { type: list(DYN), run: () => [] };
  const key = bodyOf(compiler, call, l, 1, false);
  const [slot = 0] = l.slots;
  const run = (f: Frame): unknown => {
    const out: { key: unknown; item: unknown }[] = [];
    iterate(l, f, () => {
      out.push({ key: key.run(f), item: f.slots[slot] });
      return false;
    });
    return out.sort((a, b) => compareValues(a.key, b.key) ?? notOrdered()).map((x) => x.item);
  };
  return { type: l.range.type, run };
};

function notOrdered(): never {
  throw new CelError('list elements must be comparable');
}

const optionalMap =
  (flat: boolean): Macro =>
  (compiler, call, target, scope) => {
    const [name, body] = call.args;
    if (name?.op !== 'name' || body === undefined)
      return compiler.issue(call.at, `${call.name}() variable name must be a simple identifier`);
    const of = compiler.expr(target, scope);
    if (!assignable(optional(DYN), of.type, new Map()))
      return compiler.issue(
        call.at,
        `found no matching overload for '${call.name}' applied to '${typeText(of.type)}'`,
      );
    const inner = compiler.bindName(scope, name.name, of.type.kind === 'optional' ? of.type.elem : DYN);
    const code = compiler.expr(body, inner.scope);
    const run = (f: Frame): unknown => {
      const value = of.run(f);
      if (!(value instanceof Optional)) throw new CelError('no such overload');
      if (!value.present) return Optional.none;
      f.slots[inner.slot] = value.value;
      const made = code.run(f);
      return flat ? made : new Optional(made);
    };
    return { type: flat ? code.type : optional(code.type), run };
  };

const MACROS: Record<string, Macro> = {
  'all/2': quantifier(1, false),
  'all/3': quantifier(2, false),
  'exists/2': quantifier(1, true),
  'exists/3': quantifier(2, true),
  'exists_one/2': existsOne(1),
  'existsOne/2': existsOne(1),
  'exists_one/3': existsOne(2),
  'existsOne/3': existsOne(2),
  'filter/2': collect(1, 1, undefined),
  'map/2': collect(1, undefined, 1),
  'map/3': collect(1, 1, 2),
  'transformList/3': collect(2, undefined, 2),
  'transformList/4': collect(2, 2, 3),
  'transformMap/3': collectMap(false, false),
  'transformMap/4': collectMap(true, false),
  'transformMapEntry/3': collectMap(false, true),
  'transformMapEntry/4': collectMap(true, true),
  'sortBy/2': sortBy,
  'optMap/2': optionalMap(false),
  'optFlatMap/2': optionalMap(true),
};
