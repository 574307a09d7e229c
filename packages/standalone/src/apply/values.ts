import type { JsonObject } from '../schema/index.ts';
import { setKey, stringifyJson } from '../schema/index.ts';
import type { ListType, MapType, TypeRef } from './type.ts';
import { UNTYPED } from './type.ts';

/** The shape under which a value is treated. */
export type Atom = 'scalar' | 'list' | 'map';

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The shape of a value by its type; where the type does not allow what the value is, the type's own. */
export function atomOf(type: TypeRef, value: unknown): Atom {
  if (value !== undefined && value !== null) {
    const atom: Atom = Array.isArray(value) ? 'list' : isObject(value) ? 'map' : 'scalar';
    if (type[atom] !== undefined) return atom;
  }
  return type.map !== undefined ? 'map' : type.scalar !== undefined ? 'scalar' : 'list';
}

/** The type of a map's entry, undefined where there may be no such entry. */
export function fieldType(map: MapType, key: string): TypeRef | undefined {
  return map.fields.get(key) ?? map.elem;
}

/** The same, untyped for what may not be: live objects may hold what the schema no longer knows. */
export function fieldTypeOr(map: MapType, key: string): TypeRef {
  return map.fields.get(key) ?? map.elem ?? UNTYPED;
}

/** A scalar as JSON, a bigint as a number. */
export function scalarText(value: unknown): string {
  return typeof value === 'bigint'
    ? value.toString()
    : typeof value === 'object'
      ? stringifyJson(value)
      : JSON.stringify(value);
}

/** The path element of an entry of an associative list: `k:{...}` by keys, `v:...` in a set. Throws where it has none. */
export function itemElement(list: ListType, item: unknown): string {
  if (list.keys.length === 0) {
    if (item === null)
      throw new Error("associative list without keys has an element that's an explicit null");
    if (Array.isArray(item)) throw new Error('not supported: list indexing');
    if (typeof item === 'object')
      throw new Error("associative list without keys has an element that's a map type");
    return `v:${scalarText(item)}`;
  }
  if (item === null) throw new Error('associative list with keys may not have a null element');
  if (!isObject(item)) throw new Error('associative list with keys may not have non-map elements');
  let text = '';
  for (const key of list.keys) {
    const value = item[key] === undefined ? list.defaults.get(key) : item[key];
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${scalarText(value)}`;
  }
  if (text === '') {
    const keys = `[${list.keys.map((k) => JSON.stringify(k)).join(' ')}]`;
    throw new Error(
      `associative list with keys has an element that omits all key fields ${keys} (and doesn't have default values for any key fields)`,
    );
  }
  return `k:{${text}}`;
}

/** A deep copy of a JSON value; several times faster than structuredClone. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) setKey(out, key, cloneJson(item as unknown));
  return out as T;
}

/** How many entries a map or list has; none for null. */
export function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

/** The value as far as it has the shape, else null: what doesn't fit is treated as empty. */
export function shaped(atom: Atom, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (atom === 'map') return isObject(value) ? value : null;
  if (atom === 'list') return Array.isArray(value) ? value : null;
  return value;
}

/** Whether a value of this shape is one leaf of ownership. */
export function isLeaf(type: TypeRef, atom: Atom, left: unknown, right: unknown): boolean {
  if (atom === 'scalar') return true;
  if (atom === 'list' && type.list?.associative !== true) return true;
  if (atom === 'map' && type.map?.atomic === true) return true;
  return sizeOf(left) === 0 && sizeOf(right) === 0;
}
