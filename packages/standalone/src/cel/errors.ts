/** What went wrong with an expression, in cel-go's words. */
export class CelError extends Error {
  override readonly name: string = 'CelError';
}

/** Stops an evaluation: for use inside of expressions. */
export function fail(message: string): never {
  throw new CelError(message);
}

/** More was computed than one expression may cost; not to be absorbed by `||` and `&&`. */
export class CostError extends CelError {
  override readonly name = 'CostError';

  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}
