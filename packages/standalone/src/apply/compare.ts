import { equalJson, getKey } from '../schema/index.ts';
import { type FieldSet, fieldSet, insert } from './fieldset.ts';
import type { ListType, TypeRef } from './type.ts';
import { type Atom, atomOf, fieldTypeOr, isLeaf, isObject, itemElement, shaped } from './values.ts';

/** How one object differs from another, leaf by leaf. */
export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** Compares two values of one type. */
export function compare(type: TypeRef, left: unknown, right: unknown): Comparison {
  const out: Comparison = { added: fieldSet(), modified: fieldSet(), removed: fieldSet() };
  walk(out, type, left, right, [], false);
  return out;
}

function walk(
  out: Comparison,
  type: TypeRef,
  left: unknown,
  right: unknown,
  path: string[],
  inLeaf: boolean,
): void {
  const leftAtom = atomOf(type, left);
  const rightAtom = atomOf(type, right);
  let leaf: boolean;
  if (right === undefined) leaf = compareAs(out, type, leftAtom, left, right, path, inLeaf);
  else if (left === undefined || leftAtom === rightAtom)
    leaf = compareAs(out, type, rightAtom, left, right, path, inLeaf);
  else {
    compareAs(out, type, leftAtom, left, right, path, inLeaf);
    leaf = compareAs(out, type, rightAtom, left, right, path, inLeaf);
  }
  if (leaf || path.length === 0) return;
  if (left === undefined) insert(out.added, path);
  else if (right === undefined) insert(out.removed, path);
}

/** Compares under one shape; tells whether the values were one leaf. */
function compareAs(
  out: Comparison,
  type: TypeRef,
  atom: Atom,
  left: unknown,
  right: unknown,
  path: string[],
  inLeaf: boolean,
): boolean {
  const l = shaped(atom, left);
  const r = shaped(atom, right);
  if (isLeaf(type, atom, l, r)) {
    if (!inLeaf) {
      if (left === undefined) insert(out.added, path);
      else if (right === undefined) insert(out.removed, path);
      else if (!equalJson(left, right)) insert(out.modified, path);
    }
    return true;
  }
  if (atom === 'map' && type.map !== undefined) {
    const a = isObject(l) ? l : {};
    const b = isObject(r) ? r : {};
    for (const key of Object.keys(a))
      walk(out, fieldTypeOr(type.map, key), getKey(a, key), getKey(b, key), [...path, `f:${key}`], inLeaf);
    for (const key of Object.keys(b))
      if (!Object.hasOwn(a, key))
        walk(out, fieldTypeOr(type.map, key), undefined, b[key], [...path, `f:${key}`], inLeaf);
  } else if (type.list !== undefined) {
    compareLists(out, type.list, l, r, path, inLeaf);
  }
  return inLeaf;
}

function compareLists(
  out: Comparison,
  list: ListType,
  left: unknown,
  right: unknown,
  path: string[],
  inLeaf: boolean,
): void {
  const l = byElement(list, left);
  const r = byElement(list, right);
  for (const element of new Set([...l.keys(), ...r.keys()])) {
    const a = l.get(element) ?? [];
    const b = r.get(element) ?? [];
    const at = [...path, element];
    if (a.length <= 1 && b.length <= 1) {
      walk(out, list.elem, a[0], b[0], at, inLeaf);
    } else if (a.length >= 2 && b.length >= 2) {
      if (!equalJson(a, b)) insert(out.modified, at);
    } else if (a.length >= 2) {
      if (b.length > 0) walk(out, list.elem, undefined, b[0], at, inLeaf);
      insert(out.removed, at);
    } else {
      if (a.length > 0) walk(out, list.elem, a[0], undefined, at, inLeaf);
      insert(out.added, at);
    }
  }
}

/** The entries of an associative list by their path elements; live objects may hold an entry twice. */
function byElement(list: ListType, value: unknown): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>();
  if (!Array.isArray(value)) return out;
  for (const item of value) {
    const element = itemElement(list, item);
    const same = out.get(element);
    if (same === undefined) out.set(element, [item]);
    else same.push(item);
  }
  return out;
}
