import { getKey, type JsonObject, type JsonSchema, setKey } from '../schema/index.ts';
import { ApplyError } from './errors.ts';
import { goText, kindText } from './mergepatch.ts';
import { DELETE_FROM, DIRECTIVE, RETAIN_KEYS, SET_ORDER, withoutDirectives } from './directives.ts';
import { isPrimitiveList, mergeStrategicLists, orderElements } from './strategiclist.ts';
import { cloneJson, isObject } from './values.ts';

/** How a list of metadata is merged where the kind's schema doesn't say. */
const METADATA: JsonSchema = {
  type: 'object',
  properties: {
    finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
    ownerReferences: {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'uid',
    },
  },
};

/** Applies a strategic merge patch (built-in kinds only) by the patch marks of the schema, with the directives `$patch`,
 * `$retainKeys`, `$setElementOrder/x` and `$deleteFromPrimitiveList/x`. Neither input is changed.
 * Throws ApplyError 400 where the patch is none, 500 (as the real server) where it contradicts itself. */
export function strategicMergePatch(schema: JsonSchema, target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch))
    throw new ApplyError(
      400,
      `json: cannot unmarshal ${kindText(patch)} into Go value of type map[string]interface {}`,
    );
  const metadata = schema.properties?.['metadata'];
  const rooted =
    metadata?.properties === undefined
      ? { ...schema, properties: { ...schema.properties, metadata: METADATA } }
      : schema;
  return mergeMaps(rooted, cloneJson(target), cloneJson(patch));
}

/** Merges a patch into an object; takes both over. */
function mergeMaps(schema: JsonSchema | undefined, original: JsonObject, patch: JsonObject): JsonObject {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    if (directive !== 'replace' && directive !== 'delete' && directive !== 'merge')
      throw new ApplyError(500, `unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
    delete patch[DIRECTIVE];
    if (directive === 'replace') return patch;
    if (directive === 'delete') return {};
  }
  retainKeys(original, patch);
  setElementOrders(schema, original, patch);
  for (const [key, value] of Object.entries(patch)) mergeField(schema, original, key, value);
  return original;
}

function mergeField(schema: JsonSchema | undefined, original: JsonObject, key: string, value: unknown): void {
  const deleting = key.startsWith(DELETE_FROM);
  const name = deleting ? key.slice(DELETE_FROM.length) : key;
  if (value === null) {
    delete original[name];
    return;
  }
  const present = getKey(original, name);
  if (present === undefined) {
    const added = deleting ? undefined : withoutDirectives(value);
    if (added !== undefined) setKey(original, name, added);
    return;
  }
  const field = fieldSchema(schema, name);
  if (isObject(value) && isObject(present)) {
    original[name] = strategies(field).includes('replace')
      ? withoutDirectives(value)
      : mergeMaps(field, present, value);
  } else if (Array.isArray(value) && Array.isArray(present)) {
    original[name] = mergeLists(field, present, value, deleting, name);
  } else if (!deleting) setKey(original, name, withoutDirectives(value));
}

function mergeLists(
  field: JsonSchema | undefined,
  original: unknown[],
  patch: unknown[],
  deleting: boolean,
  name: string,
): unknown[] {
  if (deleting) return original.filter((item) => !patch.includes(item));
  if (!strategies(field).includes('merge')) return withoutDirectives(patch) as unknown[];
  return mergeStrategicLists(field ?? {}, original, patch, name, mergeMaps);
}

/** `$retainKeys`: of a union, only the named fields stay. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const retained = patch[RETAIN_KEYS];
  if (retained === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(retained)) throw new ApplyError(400, 'invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !key.startsWith('$') && !retained.includes(key))
      throw new ApplyError(400, 'invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!retained.includes(key)) delete original[key];
}

/** `$setElementOrder/x`: merges the list x, then puts its entries into the order that the patch's author saw. */
function setElementOrders(schema: JsonSchema | undefined, original: JsonObject, patch: JsonObject): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ORDER)) continue;
    const order = patch[key];
    delete patch[key];
    if (!Array.isArray(order)) throw new ApplyError(400, `invalid patch: ${key} must be a list`);
    const name = key.slice(SET_ORDER.length);
    const field = fieldSchema(schema, name);
    const mergeKey = field?.['x-kubernetes-patch-merge-key'];
    const before = original[name];
    const change = patch[name];
    if (Array.isArray(change)) checkOrder(change, order, mergeKey);
    let merged: unknown[];
    if (Array.isArray(before) && Array.isArray(change))
      merged = mergeLists(field, [...before], change, false, name);
    else if (Array.isArray(change) && before === undefined) merged = withoutDirectives(change) as unknown[];
    else if (Array.isArray(before) && change === undefined) merged = before;
    else continue;
    delete patch[name];
    const key2 = isPrimitiveList(merged) ? undefined : mergeKey;
    original[name] = orderElements(merged, order, Array.isArray(before) ? before : [], key2);
  }
}

/** The entries of the patch must come in the order that it sets. */
function checkOrder(change: unknown[], order: unknown[], mergeKey: string | undefined): void {
  const identity = (item: unknown): unknown =>
    isObject(item) && mergeKey !== undefined ? item[mergeKey] : item;
  const wanted = order.map(identity);
  let last = -1;
  for (const item of change) {
    if (isObject(item) && item[DIRECTIVE] === 'delete') continue;
    if (isObject(item) && item[DIRECTIVE] === 'replace') return;
    const at = wanted.indexOf(identity(item));
    if (at <= last)
      throw new ApplyError(
        500,
        `The order in patch list:\n${goText(change)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
      );
    last = at;
  }
}

function fieldSchema(schema: JsonSchema | undefined, name: string): JsonSchema | undefined {
  const extra = schema?.additionalProperties;
  return schema?.properties?.[name] ?? (typeof extra === 'object' ? extra : undefined);
}

function strategies(field: JsonSchema | undefined): string[] {
  return (field?.['x-kubernetes-patch-strategy'] ?? '').split(',');
}
