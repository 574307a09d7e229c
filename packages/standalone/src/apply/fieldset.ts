import { type JsonObject, parseJson } from '../schema/index.ts';
import type { TypeRef } from './type.ts';
import { fieldType, isObject, scalarText } from './values.ts';

/** A set of paths as a tree. Elements are written as in fieldsV1: `f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`. */
export interface FieldSet {
  member: boolean;
  readonly children: Map<string, FieldSet>;
}

/** An empty set. */
export function fieldSet(): FieldSet {
  return { member: false, children: new Map() };
}

/** The subtree of an element, made where it isn't there. */
export function childOf(set: FieldSet, element: string): FieldSet {
  let child = set.children.get(element);
  if (child === undefined) {
    child = fieldSet();
    set.children.set(element, child);
  }
  return child;
}

/** Adds a path. */
export function insert(set: FieldSet, path: readonly string[]): void {
  let at = set;
  for (const element of path) at = childOf(at, element);
  at.member = true;
}

/** Whether no path is in the set. */
export function isEmpty(set: FieldSet): boolean {
  if (set.member) return false;
  for (const child of set.children.values()) if (!isEmpty(child)) return false;
  return true;
}

/** Paths in either. Shares subtrees with its inputs, as do the next two: a set is not changed once it is made. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const own = children.get(element);
    children.set(element, own === undefined ? child : union(own, child));
  }
  return { member: a.member || b.member, children };
}

/** Paths of the first that are not in the second. */
export function difference(a: FieldSet, b: FieldSet | undefined): FieldSet {
  if (b === undefined) return a;
  const out: FieldSet = { member: a.member && !b.member, children: new Map() };
  for (const [element, child] of a.children) {
    const rest = difference(child, b.children.get(element));
    if (!isEmpty(rest)) out.children.set(element, rest);
  }
  return out;
}

/** Paths in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out = fieldSet();
  out.member = a.member && b.member;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined) continue;
    const both = intersection(child, other);
    if (!isEmpty(both)) out.children.set(element, both);
  }
  return out;
}

/** Adds the structs that hold owned fields, so that a struct goes with the last of its fields. */
export function ensureNamedFields(set: FieldSet, type: TypeRef | undefined): FieldSet {
  if (set.children.size === 0) return set;
  const out: FieldSet = { member: set.member, children: new Map() };
  for (const [element, child] of set.children) {
    let childType: TypeRef | undefined;
    let named = false;
    if (element.startsWith('f:') && type?.map !== undefined) {
      const name = element.slice(2);
      childType = fieldType(type.map, name);
      named = type.map.fields.has(name);
    } else if (element.startsWith('k:')) childType = type?.list?.elem;
    const copy = ensureNamedFields(child, childType);
    if (named && child.children.size > 0) copy.member = true;
    out.children.set(element, copy);
  }
  return out;
}

/** Reads fieldsV1. Throws where it isn't that. */
export function decodeFields(fields: unknown): FieldSet {
  const set = fieldSet();
  if (!isObject(fields)) throw new Error('fieldsV1 is no object');
  for (const [element, inner] of Object.entries(fields)) {
    if (element === '.') {
      set.member = true;
      continue;
    }
    const child = decodeFields(inner);
    if (Object.keys(inner as object).length === 0) child.member = true;
    set.children.set(element.startsWith('k:') ? canonicalKeys(element) : element, child);
  }
  return set;
}

/** The keys of a `k:` element; long numbers exactly, which the faster JSON.parse would round. */
function readKeys(element: string): JsonObject {
  const text = element.slice(2);
  return (/\d{16}/.test(text) ? parseJson(text).value : JSON.parse(text)) as JsonObject;
}

function canonicalKeys(element: string): string {
  const keys = readKeys(element);
  const parts = Object.keys(keys).sort();
  return `k:{${parts.map((k) => `${JSON.stringify(k)}:${scalarText(keys[k])}`).join(',')}}`;
}

const RANK: Record<string, number> = { f: 0, k: 1, v: 2, i: 3 };

/** Writes fieldsV1. */
export function encodeFields(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  if (set.member && set.children.size > 0) out['.'] = {};
  const rank = (element: string): number => RANK[element[0] ?? ''] ?? 4;
  const elements = [...set.children.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  for (const element of elements) out[element] = encodeFields(set.children.get(element) ?? fieldSet());
  return out;
}

/** All paths of a set, each as people read it: `.spec.components[name="a"].revision`. */
export function pathTexts(set: FieldSet): string[] {
  const out: string[] = [];
  const walk = (node: FieldSet, text: string): void => {
    if (node.member && text !== '') out.push(text);
    for (const [element, child] of node.children) walk(child, text + elementText(element));
  };
  walk(set, '');
  return out;
}

/** One element as people read it. */
export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const keys = Object.entries(readKeys(element));
  return `[${keys.map(([k, v]) => `${k}=${scalarText(v)}`).join(',')}]`;
}
