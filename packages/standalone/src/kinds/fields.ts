import { at, show, type KubeObject } from '../object.ts';
import type { FieldReader } from '../registry/selectors.ts';

/** Reads a field for a selector; numbers and booleans as text, what is absent as the empty string. */
export function fieldReader(path: string): FieldReader {
  const keys = path.split('.');
  return (object) => {
    const found = at(object, ...keys);
    return found === undefined || found === null || typeof found === 'object' ? '' : show(found);
  };
}

/** What every kind can be selected by. */
export const METADATA_FIELDS: Record<string, FieldReader> = {
  'metadata.name': (object) => object.metadata.name,
  'metadata.namespace': (object) => object.metadata.namespace ?? '',
};

/** Fields whose value is not simply what stands at their path. */
export const ODD_FIELDS: Record<string, FieldReader> = {
  'spec.unschedulable': (object: KubeObject) => String(at(object, 'spec', 'unschedulable') === true),
  source: (object: KubeObject) => {
    const component = at(object, 'source', 'component') ?? at(object, 'reportingComponent');
    return typeof component === 'string' ? component : '';
  },
};
