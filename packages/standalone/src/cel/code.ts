import { CelError, CostError } from './errors.ts';
import type { Type } from './types.ts';

/** What an evaluation carries: variables by slot, and what it has cost so far. */
export interface Frame {
  readonly slots: unknown[];
  cost: number;
}

/** A compiled expression: its type, and how to evaluate it. */
export interface Code {
  type: Type;
  run: (frame: Frame) => unknown;
}

/** A variable that is computed when it is first asked for. */
export class Lazy {
  private readonly make: () => unknown;
  private done = false;
  private value: unknown;
  constructor(make: () => unknown) {
    this.make = make;
  }
  get(): unknown {
    if (!this.done) this.value = this.make();
    this.done = true;
    return this.value;
  }
}

/** Steps that one expression may take: apiserver's per-call limit of 1,000,000 units, a step being about one. */
export const COST_LIMIT = 1_000_000;

/** Adds to the cost of an evaluation; throws CostError past the limit. */
export function charge(frame: Frame, steps: number): void {
  frame.cost += steps;
  if (frame.cost > COST_LIMIT) throw new CostError();
}

/** The value, or the CelError that evaluating it threw. */
export function attempt(code: Code, frame: Frame): unknown {
  try {
    return code.run(frame);
  } catch (error) {
    if (error instanceof CostError || !(error instanceof CelError)) throw error;
    return error;
  }
}

/** Whether a type can be a condition's. */
export const isBool = (type: Type): boolean =>
  type.kind === 'bool' || type.kind === 'dyn' || type.kind === 'param';
