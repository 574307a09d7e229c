import type { Node } from './compile.ts';
import { duplicate, invalid, valueText } from './messages.ts';
import type { FieldError, JsonObject } from './types.ts';

/** Entries that come twice in lists of type set and map. */
export function listTypeErrors(value: unknown, node: Node, path: string, errors: FieldError[]): void {
  if (!node.keyedLists || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const type = node.source['x-kubernetes-list-type'];
    if (type === 'set') repeated(value.map(identityText), (i) => value[i], path, errors);
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
  for (const [i, item] of list.entries()) {
    if (item === null || (typeof item === 'object' && !Array.isArray(item))) continue;
    errors.push(invalid(`${path}[${i}]`, item, 'must be an object for an array of list-type map'));
    return;
  }
  const entries = list as readonly (JsonObject | null)[];
  const identity = entries.map((entry) => keys.map((k) => identityText(entry?.[k])).join(','));
  const shown = (i: number): unknown =>
    Object.fromEntries(keys.flatMap((k) => (entries[i]?.[k] === undefined ? [] : [[k, entries[i][k]]])));
  repeated(identity, shown, path, errors);
}

/** A text that two values share only if they are equal; the common kinds quickly. */
function identityText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return value === undefined ? '' : valueText(value);
}

/** Tells the second appearance of an identity, and no further ones. */
function repeated(
  identity: readonly string[],
  shown: (index: number) => unknown,
  path: string,
  errors: FieldError[],
): void {
  if (identity.length < 2) return;
  const seen = new Map<string, number>();
  for (const [i, text] of identity.entries()) {
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    if (times === 1) errors.push(duplicate(`${path}[${i}]`, shown(i)));
  }
}
