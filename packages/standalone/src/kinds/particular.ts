import type { Cause } from '../http/status.ts';
import type { Hooks } from '../registry/resource.ts';

/** What is particular to a built-in kind. */
export type Particular = Partial<
  Pick<
    Hooks,
    'onCreate' | 'prepare' | 'onUpdate' | 'validate' | 'createdWithStatus' | 'statusTakesMetadata' | 'ignored'
  >
>;

/** Of a kind whose status endpoint takes metadata too. */
export const openStatus: Pick<Particular, 'statusTakesMetadata' | 'ignored'> = {
  statusTakesMetadata: true,
  ignored: (subresource) => (subresource === 'status' ? ['spec'] : undefined),
};

export function forbidden(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}
