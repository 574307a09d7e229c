import type { CompiledSchema, Node } from './compile.ts';
import { nodeOf } from './compile.ts';
import { getKey } from './json.ts';
import type { JsonObject } from './types.ts';

/** Fills defaults in place. `dropNulls` (default true) also drops a null where the schema doesn't allow one, as the
 * server does when it decodes a POST, a PUT or a patch's result; server-side apply wants false. */
export function applyDefaults(
  object: JsonObject,
  schema: CompiledSchema,
  options: { dropNulls?: boolean } = {},
): void {
  fill(object, nodeOf(schema), options.dropNulls ?? true);
}

function fill(value: unknown, node: Node, dropNulls: boolean): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    if (node.items !== undefined) for (const item of value) fill(item, node.items, dropNulls);
    return;
  }
  const object = value as JsonObject;
  for (const [key, preset] of node.defaults) {
    const present = getKey(object, key);
    const nullable = node.properties.get(key)?.nullable === true;
    if (present === undefined || (present === null && !nullable)) object[key] = structuredClone(preset);
  }
  if (node.properties.size === 0 && node.additional === undefined) return;
  for (const key of Object.keys(object)) {
    const known = node.properties.get(key) ?? node.additional;
    if (known === undefined) continue;
    if (object[key] === null && !known.nullable && dropNulls && known.source.default === undefined)
      delete object[key];
    else fill(object[key], known, dropNulls);
  }
}
