import { indexValue, present, select } from './access.ts';
import { runner } from './calls.ts';
import { attempt, type Code, type Frame, isBool, Lazy } from './code.ts';
import { CelError } from './errors.ts';
import type { Library } from './functions.ts';
import { compileList, compileMap, literalType } from './literals.ts';
import { expandMacro } from './macros.ts';
import { type Expr, issueText, parse } from './parse.ts';
import {
  assignable,
  bind,
  type Bindings,
  BOOL,
  DOUBLE,
  DYN,
  INT,
  join,
  optional,
  type Type,
  typeText,
  UINT,
} from './types.ts';
import { equals } from './values.ts';

/** A whole expression. */
export interface Program {
  readonly type: Type;
  /** Names of the declared variables that it reads. */
  readonly uses: ReadonlySet<string>;
  /** Evaluates. Throws CelError. */
  readonly evaluate: (variables: Readonly<Record<string, unknown>>) => unknown;
}

/** Compiles an expression over typed variables. Throws CelError: `compilation failed: ERROR: <input>:1:5: ...`. */
export function compile(text: string, library: Library, variables: Readonly<Record<string, Type>>): Program {
  const compiler = new Compiler(text, library, variables);
  return compiler.program();
}

/** The names that are in scope, with their types and slots. */
export type Scope = ReadonlyMap<string, { type: Type; slot: number }>;

/** Compiles one expression: types and closures in one pass. */
export class Compiler {
  private readonly text: string;
  readonly library: Library;
  private readonly issues: { at: number; message: string }[] = [];
  private readonly declared: string[];
  private readonly types: Readonly<Record<string, Type>>;
  private readonly uses = new Set<string>();
  private slots: number;
  private planError: string | undefined;

  constructor(text: string, library: Library, variables: Readonly<Record<string, Type>>) {
    this.text = text;
    this.library = library;
    this.declared = Object.keys(variables);
    this.types = variables;
    this.slots = this.declared.length;
  }

  program(): Program {
    let tree: Expr;
    try {
      tree = parse(this.text);
    } catch (error) {
      throw new CelError(`compilation failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    const scope = new Map(this.declared.map((name, slot) => [name, { type: this.types[name] ?? DYN, slot }]));
    const code = this.expr(tree, scope);
    if (this.issues.length > 0) {
      const texts = this.issues.sort((a, b) => a.at - b.at).map((i) => issueText(this.text, i.at, i.message));
      throw new CelError(`compilation failed: ${texts.join('\n')}`);
    }
    if (this.planError !== undefined) throw new CelError(`program instantiation failed: ${this.planError}`);
    const { declared, slots } = this;
    const evaluate = (variables: Readonly<Record<string, unknown>>): unknown => {
      const values = Array.from<unknown>({ length: slots });
      for (const [i, name] of declared.entries()) values[i] = variables[name];
      return code.run({ slots: values, cost: 0 });
    };
    return { type: code.type, uses: this.uses, evaluate };
  }

  /** Notes an error; compilation goes on to find more. */
  issue(at: number, message: string): Code {
    this.issues.push({ at, message });
    return { type: DYN, run: () => undefined };
  }

  /** A scope with one name more. */
  bindName(scope: Scope, name: string, type: Type): { scope: Scope; slot: number } {
    const slot = this.slots++;
    return { scope: new Map([...scope, [name, { type, slot }]]), slot };
  }

  expr(e: Expr, scope: Scope): Code {
    switch (e.op) {
      case 'literal':
        return { type: literalType(e.value), run: () => e.value };
      case 'name':
        return this.name(e.name, e.at, scope);
      case 'select':
        return this.select(e, scope);
      case 'index':
        return this.index(e, scope);
      case 'call':
        return expandMacro(this, e, scope) ?? this.call(e, scope);
      case 'list':
        return compileList(this, e, scope);
      case 'map':
        return compileMap(this, e, scope);
      case 'ternary':
        return this.ternary(e, scope);
      case 'or':
      case 'and':
        return this.logic(e, scope);
      default:
        return e satisfies never;
    }
  }

  private name(name: string, at: number, scope: Scope): Code {
    const found = scope.get(name);
    if (found !== undefined) {
      if (found.slot < this.declared.length) this.uses.add(name);
      const { slot } = found;
      const run = (frame: Frame): unknown => {
        const value = frame.slots[slot];
        return value instanceof Lazy ? value.get() : value;
      };
      return { type: found.type, run };
    }
    const constant = this.library.overloads(`@const.${name}`)[0];
    if (constant === undefined) return this.issue(at, `undeclared reference to '${name}' (in container '')`);
    const value = constant.run();
    return { type: constant.result, run: () => value };
  }

  private select(e: Expr & { op: 'select' }, scope: Scope): Code {
    const qualified = dotted(e, scope);
    const constant = qualified === undefined ? undefined : this.library.overloads(`@const.${qualified}`)[0];
    if (constant !== undefined) {
      const value = constant.run();
      return { type: constant.result, run: () => value };
    }
    // `authorizer.requestResource` is a variable of its own.
    if (e.of.op === 'name' && scope.has(`${e.of.name}.${e.field}`))
      return this.name(`${e.of.name}.${e.field}`, e.at, scope);
    const of = this.expr(e.of, scope);
    const type = this.fieldType(of.type, e.field, e.at);
    const { field } = e;
    if (e.optional) {
      const inner = type.kind === 'optional' ? type.elem : type;
      return { type: optional(inner), run: (f) => present(of.run(f), field, true) };
    }
    return { type, run: (f) => select(of.run(f), field) };
  }

  /** The type of a field; an issue where it can't be there. */
  fieldType(of: Type, field: string, at: number): Type {
    if (of.kind === 'dyn' || of.kind === 'param') return DYN;
    if (of.kind === 'map') return of.value;
    if (of.kind === 'optional') {
      const inner = this.fieldType(of.elem, field, at);
      return inner.kind === 'optional' ? inner : optional(inner);
    }
    if (of.kind === 'object')
      return of.fields.get(field)?.type ?? this.issue(at, `undefined field '${field}'`).type;
    return this.issue(at, `type '${typeText(of)}' does not support field selection`).type;
  }

  private index(e: Expr & { op: 'index' }, scope: Scope): Code {
    const of = this.expr(e.of, scope);
    const at = this.expr(e.index, scope);
    const inner = of.type.kind === 'optional' ? of.type.elem : of.type;
    let type: Type = DYN;
    const fits = (...types: Type[]): boolean => types.some((t) => assignable(t, at.type, new Map()));
    if (inner.kind === 'list' && fits(INT, UINT, DOUBLE)) type = inner.elem;
    else if (inner.kind === 'map' && fits(inner.key, ...(inner.key.kind === 'int' ? [UINT, DOUBLE] : [])))
      type = inner.value;
    else if (inner.kind !== 'dyn' && inner.kind !== 'param')
      return this.noOverload(e.at, e.optional ? '_[?_]' : '_[_]', [of.type, at.type]);
    if (e.optional || of.type.kind === 'optional') {
      const elem = type.kind === 'optional' ? type.elem : type;
      return { type: optional(elem), run: (f) => indexValue(of.run(f), at.run(f), true) };
    }
    return { type, run: (f) => indexValue(of.run(f), at.run(f), false) };
  }

  private noOverload(at: number, name: string, args: readonly Type[]): Code {
    return this.issue(
      at,
      `found no matching overload for '${name}' applied to '(${args.map(typeText).join(', ')})'`,
    );
  }

  private call(e: Expr & { op: 'call' }, scope: Scope): Code {
    const namespace = e.target === undefined ? undefined : dotted(e.target, scope);
    const global = namespace === undefined ? [] : this.library.overloads(`${namespace}.${e.name}`);
    if (e.target === undefined || global.length > 0) {
      const name = global.length > 0 ? `${namespace ?? ''}.${e.name}` : e.name;
      return this.invoke(
        e,
        name,
        undefined,
        e.args.map((a) => this.expr(a, scope)),
      );
    }
    const target = this.expr(e.target, scope);
    const args = e.args.map((a) =>
      e.name === 'format' && a.op === 'list' ? compileList(this, a, scope, true) : this.expr(a, scope),
    );
    return this.invoke(e, e.name, target, args);
  }

  private invoke(
    e: Expr & { op: 'call' },
    name: string,
    target: Code | undefined,
    args: readonly Code[],
  ): Code {
    const all = target === undefined ? args : [target, ...args];
    const named = this.library.overloads(name);
    if (named.length === 0) return this.issue(e.at, `undeclared reference to '${name}' (in container '')`);
    if (name === '_==_' || name === '_!=_') return this.equality(e, name, all);
    const shaped = named.filter((o) => o.member === (target !== undefined) && o.params.length === all.length);
    const results: Type[] = [];
    const fitting = shaped.filter((overload) => {
      const bindings: Bindings = new Map();
      const fits = overload.params.every((param, i) => assignable(param, all[i]?.type ?? DYN, bindings));
      if (fits) results.push(bind(overload.result, bindings));
      return fits;
    });
    const [first] = results;
    if (first === undefined) {
      if (target === undefined)
        return this.noOverload(
          e.at,
          name,
          args.map((a) => a.type),
        );
      const types = args.map((a) => typeText(a.type)).join(', ');
      return this.issue(
        e.at,
        `found no matching overload for '${name}' applied to '${typeText(target.type)}.(${types})'`,
      );
    }
    this.checkLiteral(e, name, target !== undefined);
    const type = results.reduce((a, b) => (typeText(a) === typeText(b) ? a : DYN), first);
    return { type, run: runner(name, fitting, all) };
  }

  private equality(e: Expr & { op: 'call' }, name: string, args: readonly Code[]): Code {
    const [left, right] = args;
    if (left === undefined || right === undefined)
      return this.noOverload(
        e.at,
        name,
        args.map((a) => a.type),
      );
    if (join(left.type, right.type) === undefined && join(right.type, left.type) === undefined)
      return this.noOverload(e.at, name, [left.type, right.type]);
    const run =
      name === '_==_'
        ? (f: Frame): boolean => equals(left.run(f), right.run(f))
        : (f: Frame): boolean => !equals(left.run(f), right.run(f));
    return { type: BOOL, run };
  }

  private checkLiteral(e: Expr & { op: 'call' }, name: string, member: boolean): void {
    const rule = this.library.ruleOf(name);
    if (rule === undefined) return;
    const arg = e.args[member ? rule.index - 1 : rule.index];
    if (arg?.op !== 'literal') return;
    const wrong = rule.check(arg.value);
    if (wrong === undefined) return;
    if (rule.when === 'check') this.issue(arg.at, wrong);
    else this.planError ??= wrong;
  }

  private ternary(e: Expr & { op: 'ternary' }, scope: Scope): Code {
    const condition = this.expr(e.condition, scope);
    const yes = this.expr(e.yes, scope);
    const no = this.expr(e.no, scope);
    const type = join(yes.type, no.type) ?? join(no.type, yes.type);
    if (type === undefined || !isBool(condition.type))
      return this.noOverload(e.at, '_?_:_', [condition.type, yes.type, no.type]);
    const run = (f: Frame): unknown => {
      const value = condition.run(f);
      if (value === true) return yes.run(f);
      if (value === false) return no.run(f);
      throw new CelError('no such overload');
    };
    return { type, run };
  }

  /** `||` and `&&`: an error on one side counts only if the other side doesn't settle it. */
  private logic(e: Expr & { op: 'or' | 'and' }, scope: Scope): Code {
    const left = this.expr(e.left, scope);
    const right = this.expr(e.right, scope);
    const settles = e.op === 'or';
    for (const [side, { type }] of [
      [e.left, left],
      [e.right, right],
    ] as const)
      if (!isBool(type)) this.issue(side.at, `expected type 'bool' but found '${typeText(type)}'`);
    const run = (f: Frame): unknown => {
      const first = attempt(left, f);
      if (first === settles) return settles;
      const second = attempt(right, f);
      if (second === settles) return settles;
      if (first instanceof CelError) throw first;
      if (second instanceof CelError) throw second;
      if (typeof first !== 'boolean' || typeof second !== 'boolean') throw new CelError('no such overload');
      return second;
    };
    return { type: BOOL, run };
  }
}

/** `a.b` where neither is a variable: the name of a namespace. */
function dotted(e: Expr, scope: Scope): string | undefined {
  if (e.op === 'name') return scope.has(e.name) ? undefined : e.name;
  if (e.op !== 'select' || e.optional) return undefined;
  const of = dotted(e.of, scope);
  return of === undefined ? undefined : `${of}.${e.field}`;
}
