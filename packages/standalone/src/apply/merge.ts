import { getKey, type JsonObject, setKey } from '../schema/index.ts';
import type { FieldSet } from './fieldset.ts';
import type { ListType, MapType, TypeRef } from './type.ts';
import { type Atom, atomOf, fieldTypeOr, isLeaf, isObject, itemElement, shaped } from './values.ts';

/** Lays a configuration over a live value; undefined where nothing is left. Parts are shared with the inputs, not copied. */
export function merge(type: TypeRef, live: unknown, config: unknown): unknown {
  let atom = config === undefined ? atomOf(type, live) : atomOf(type, config);
  if (config === null && live !== undefined) atom = atomOf(type, live);
  return mergeAs(type, atom, live, config);
}

function mergeAs(type: TypeRef, atom: Atom, live: unknown, config: unknown): unknown {
  const left = shaped(atom, live);
  const right = shaped(atom, config);
  if (isLeaf(type, atom, left, right)) return config === undefined ? live : config;
  if (atom === 'map' && type.map !== undefined) return mergeMaps(type.map, left, right);
  return type.list === undefined ? config : mergeLists(type.list, left, right);
}

function mergeMaps(map: MapType, left: unknown, right: unknown): JsonObject | undefined {
  const a = isObject(left) ? left : {};
  const b = isObject(right) ? right : {};
  const out: JsonObject = {};
  const put = (key: string): void => {
    const value = merge(fieldTypeOr(map, key), getKey(a, key), getKey(b, key));
    if (value !== undefined) setKey(out, key, value);
  };
  for (const key of Object.keys(a)) put(key);
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) put(key);
  return Object.keys(out).length > 0 ? out : undefined;
}

/** Entries keep the order of both lists as far as the two agree; where they don't, the configuration's order holds
 * (structured-merge-diff v6, typed/merge.go). */
function mergeLists(list: ListType, left: unknown, right: unknown): unknown[] | undefined {
  const live: readonly unknown[] = Array.isArray(left) ? left : [];
  const config: readonly unknown[] = Array.isArray(right) ? right : [];
  const livePaths = live.map((item) => itemElement(list, item));
  const configPaths = config.map((item) => itemElement(list, item));
  const liveBy = new Map<string, unknown>();
  // An entry that is twice in the live list has no one value to merge with.
  for (const [i, p] of livePaths.entries()) liveBy.set(p, liveBy.has(p) ? null : live[i]);
  const configBy = new Map(configPaths.map((p, i) => [p, config[i]]));
  const shared = configPaths.filter((p) => liveBy.has(p));
  let nextShared = shared.shift();
  const merged = new Set<string>();
  const out: unknown[] = [];
  const put = (a: unknown, b: unknown): void => {
    const value = merge(list.elem, a, b);
    if (value !== undefined) out.push(value);
  };
  let i = 0;
  let j = 0;
  while (i < live.length || j < config.length) {
    const p = livePaths[i];
    const q = configPaths[j];
    if (p !== undefined && q !== undefined) {
      if (p === q) {
        merged.add(p);
        put(liveBy.get(p), configBy.get(p));
        i++;
        j++;
        nextShared = shared.shift();
        continue;
      }
      if (configBy.has(p) && nextShared !== undefined && nextShared !== p) {
        i++;
        continue;
      }
    }
    if (p !== undefined) {
      if (!configBy.has(p)) {
        put(live[i], undefined);
        i++;
        continue;
      }
      if (merged.has(p)) i++;
    }
    if (q !== undefined) {
      merged.add(q);
      put(liveBy.get(q), configBy.get(q));
      j++;
      if (nextShared === q) nextShared = shared.shift();
    }
  }
  return out.length > 0 ? out : undefined;
}

/** The value without the fields of a set. What gets empty by that becomes null, as in the real server. */
export function removeFields(type: TypeRef, value: unknown, set: FieldSet): unknown {
  const atom = atomOf(type, value);
  if (atom === 'scalar') return value;
  if (atom === 'list') {
    if (!Array.isArray(value) || value.length === 0 || type.list?.associative !== true) return null;
    const out: unknown[] = [];
    for (const item of value) {
      const inner = set.children.get(itemElement(type.list, item));
      if (inner?.member === true) continue;
      out.push(
        inner !== undefined && inner.children.size > 0 ? removeFields(type.list.elem, item, inner) : item,
      );
    }
    return out.length > 0 ? out : null;
  }
  if (!isObject(value) || Object.keys(value).length === 0 || type.map === undefined || type.map.atomic)
    return null;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const inner = set.children.get(`f:${key}`);
    if (inner?.member === true) continue;
    const whole = inner === undefined || inner.children.size === 0;
    setKey(out, key, whole ? item : removeFields(fieldTypeOr(type.map, key), item, inner));
  }
  return Object.keys(out).length > 0 ? out : null;
}
