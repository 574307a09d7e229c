import { getKey, type JsonObject, setKey, stringifyJson } from '../schema/index.ts';
import { ApplyError } from './errors.ts';
import { cloneJson, isObject } from './values.ts';

/** RFC 7386. Throws ApplyError 400 where the patch is no object. */
export function mergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    throw new ApplyError(
      400,
      `error decoding patch: json: cannot unmarshal ${kindText(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeObjects(target, patch);
}

function mergeObjects(target: unknown, patch: JsonObject): JsonObject {
  const out: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else setKey(out, key, isObject(value) ? mergeObjects(getKey(out, key), value) : cloneJson(value));
  }
  return out;
}

/** What Go calls a value of JSON. */
export function kindText(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

/** A value as Go prints it, for error texts: `map[a:1 b:[x y]]`. */
export function goText(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return typeof value === 'string' ? value : stringifyJson(value);
  const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
}
