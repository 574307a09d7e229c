import type { Node } from './compile.ts';
import { duplicate, invalid, valueText } from './messages.ts';
import type { FieldError, JsonObject } from './types.ts';

/** Entries that come twice in lists of type set and map. */
export function listTypeErrors(value: unknown, node: Node, path: string, errors: FieldError[]): void {
  if (!node.keyedLists || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const type = node.source['x-kubernetes-list-type'];
    if (type === 'set') repeated(value, value, path, errors);
    else if (type === 'map') mapErrors(value, node, path, errors);
    if (node.items?.keyedLists === true)
      for (const [i, item] of value.entries()) listTypeErrors(item, node.items, `${path}[${i}]`, errors);
    return;
  }
  for (const [key, item] of Object.entries(value as JsonObject)) {
    const property = node.properties.get(key);
    if (property !== undefined) listTypeErrors(item, property, path === '' ? key : `${path}.${key}`, errors);
    else if (node.additional !== undefined) listTypeErrors(item, node.additional, `${path}[${key}]`, errors);
  }
}

function mapErrors(list: readonly unknown[], node: Node, path: string, errors: FieldError[]): void {
  const keys = node.source['x-kubernetes-list-map-keys'] ?? [];
  const keyed: JsonObject[] = [];
  for (const [i, item] of list.entries()) {
    if (item !== null && (typeof item !== 'object' || Array.isArray(item))) {
      errors.push(invalid(`${path}[${i}]`, item, 'must be an object for an array of list-type map'));
      return;
    }
    const entry = (item ?? {}) as JsonObject;
    keyed.push(Object.fromEntries(keys.flatMap((k) => (entry[k] === undefined ? [] : [[k, entry[k]]]))));
  }
  repeated(keyed, keyed, path, errors);
}

/** Tells the second appearance of a value, and no further ones. */
function repeated(
  identity: readonly unknown[],
  shown: readonly unknown[],
  path: string,
  errors: FieldError[],
): void {
  if (identity.length < 2) return;
  const seen = new Map<string, number>();
  for (const [i, item] of identity.entries()) {
    const text = valueText(item);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    if (times === 1) errors.push(duplicate(`${path}[${i}]`, shown[i]));
  }
}
