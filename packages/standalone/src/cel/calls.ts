import { charge, type Code, type Frame } from './code.ts';
import { dispatch, type Overload } from './functions.ts';
import type { Type } from './types.ts';

/** How to call a function: at once where the types leave one form, else by the arguments' types at run time. */
export function runner(
  name: string,
  fitting: readonly Overload[],
  args: readonly Code[],
): (frame: Frame) => unknown {
  const sure = fitting.length === 1 && args.every((a) => certain(a.type));
  const [only] = fitting;
  const direct = sure ? only?.run : undefined;
  return (frame) => {
    const values = args.map((a) => a.run(frame));
    charge(frame, 1 + weight(values));
    return direct === undefined ? dispatch(name, fitting, values) : direct(...(values as never[]));
  };
}

/** Whether a value's run time type is known from its static one. */
function certain(type: Type): boolean {
  if (type.kind === 'list' || type.kind === 'optional') return certain(type.elem);
  return type.kind !== 'dyn' && type.kind !== 'param';
}

/** Long strings and lists cost more to look at: a tenth of their length, as cel-go counts. */
function weight(values: readonly unknown[]): number {
  let total = 0;
  for (const value of values)
    if (typeof value === 'string' || Array.isArray(value)) total += value.length / 10;
  return Math.floor(total);
}
