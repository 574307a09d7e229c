import { childOf, elementText, type FieldSet, fieldSet } from './fieldset.ts';
import { goSyntax, goType, goValue } from './gotext.ts';
import type { ListType, TypeRef } from './type.ts';
import { atomOf, fieldType, fieldTypeOr, isObject, itemElement } from './values.ts';

/** Throws an Error with the real server's text where a configuration does not fit its type: an undeclared field, a wrong
 * type, an entry twice in an associative list, one without keys. */
export function checkTyped(type: TypeRef, value: unknown, path = ''): void {
  if (value === null || value === undefined) return;
  const atom = atomOf(type, value);
  if (atom === 'scalar') {
    if (typeof value === 'object' || !scalarFits(type.scalar, value))
      throw mismatch(path, type.scalar ?? 'scalar', value);
    return;
  }
  if (atom === 'list') {
    if (type.list === undefined || !Array.isArray(value)) throw mismatch(path, 'list', value);
    checkList(type.list, value, path);
    return;
  }
  if (type.map === undefined || !isObject(value)) throw mismatch(path, 'map', value);
  for (const [key, item] of Object.entries(value)) {
    const field = fieldType(type.map, key);
    if (field === undefined) throw new Error(`${path}.${key}: field not declared in schema`);
    checkTyped(field, item, `${path}.${key}`);
  }
}

/** Each in the words of structured-merge-diff (typed/validate.go, helpers.go), which prints Go values. */
function mismatch(path: string, expected: string, value: unknown): Error {
  return new Error(`${path}: expected ${misfit(expected, value)}`);
}

function misfit(expected: string, value: unknown): string {
  switch (expected) {
    case 'numeric':
      return `numeric (int or float), got ${goType(value)}`;
    case 'string':
      return `string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'untyped':
      return `any scalar, got &{${goValue(value)}}`;
    default:
      return `${expected}, got &{${goValue(value)}}`;
  }
}

function scalarFits(scalar: TypeRef['scalar'], value: unknown): boolean {
  switch (scalar) {
    case 'string':
    case 'boolean':
      return typeof value === scalar;
    case 'numeric':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'untyped':
    case undefined:
    default:
      return true;
  }
}

function checkList(list: ListType, value: readonly unknown[], path: string): void {
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    if (!list.associative) {
      checkTyped(list.elem, item, `${path}[${i}]`);
      continue;
    }
    let element: string;
    try {
      element = itemElement(list, item);
    } catch (error) {
      throw new Error(`${path}: element ${i}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    const text = elementText(element);
    if (seen.has(element)) throw new Error(`${path}: duplicate entries for key ${text}`);
    seen.add(element);
    checkTyped(list.elem, item, path + text);
  }
}

/** The fields of a value that an applier of it owns. */
export function toFieldSet(type: TypeRef, value: unknown): FieldSet {
  const root = fieldSet();
  collect(type, value, root);
  root.member = false;
  return root;
}

function collect(type: TypeRef, value: unknown, set: FieldSet): void {
  const atom = atomOf(type, value);
  if (
    atom === 'scalar' ||
    (atom === 'map' && type.map?.atomic === true) ||
    (atom === 'list' && type.list?.associative !== true)
  ) {
    set.member = true;
    return;
  }
  if (atom === 'list' && type.list !== undefined && Array.isArray(value)) {
    collectList(type.list, value, set);
  } else if (atom === 'map' && type.map !== undefined && isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const child = fieldSet();
      collect(fieldTypeOr(type.map, key), item, child);
      const empty = item === null || (isObject(item) && Object.keys(item).length === 0);
      if (empty || !type.map.fields.has(key)) child.member = true;
      // An empty list is nothing that could be owned.
      if (child.member || child.children.size > 0) set.children.set(`f:${key}`, child);
    }
  }
}

function collectList(list: ListType, value: readonly unknown[], set: FieldSet): void {
  const elements = value.map((item) => itemElement(list, item));
  const count = new Map<string, number>();
  for (const element of elements) count.set(element, (count.get(element) ?? 0) + 1);
  for (const [i, element] of elements.entries()) {
    const child = childOf(set, element);
    child.member = true;
    if (count.get(element) === 1) collect(list.elem, value[i], child);
  }
}
