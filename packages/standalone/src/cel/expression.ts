import { compile } from './compile.ts';
import { untyped } from './convert.ts';
import { KUBERNETES } from './library/index.ts';
import { DYN } from './types.ts';

/** A single expression for other uses. */
export interface CompiledExpression {
  /** Evaluates over JSON values. Throws CelError. int is bigint, double number; lists are arrays, maps are Maps. */
  evaluate(variables: Record<string, unknown>): unknown;
}

/** Compiles an expression over the named variables, all dynamically typed. Throws CelError where it doesn't compile. */
export function compileExpression(text: string, variables: readonly string[]): CompiledExpression {
  const program = compile(text, KUBERNETES, Object.fromEntries(variables.map((name) => [name, DYN])));
  return {
    evaluate: (values) =>
      program.evaluate(Object.fromEntries(variables.map((name) => [name, untyped(values[name] ?? null)]))),
  };
}
