import type { Cause } from '../http/status.ts';
import type { Hooks } from '../registry/resource.ts';

/** What is particular to a built-in kind. */
export type Particular = Partial<
  Pick<Hooks, 'onCreate' | 'prepare' | 'onUpdate' | 'validate' | 'statusTakesMetadata' | 'unmanaged'>
>;

export function forbidden(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}
