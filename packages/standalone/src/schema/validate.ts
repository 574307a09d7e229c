import type { CompiledSchema, Node } from './compile.ts';
import { nodeOf } from './compile.ts';
import { equalJson } from './equal.ts';
import { matchesFormat } from './formats.ts';
import { getKey } from './json.ts';
import { listTypeErrors } from './lists.ts';
import { invalid, notSupported, required, valueText } from './messages.ts';
import { numberErrors } from './numbers.ts';
import type { FieldError, JsonObject } from './types.ts';

/** Validates an object as the real server does, causes and texts included: schema first, then list types.
 * With `old`, errors of values that did not change are let pass (ratcheting, on by default since 1.30). CEL rules are not
 * run here; where `blocksRules(errors)`, the server doesn't run them either. */
export function validate(object: JsonObject, schema: CompiledSchema, old?: JsonObject): FieldError[] {
  const node = nodeOf(schema);
  const errors: FieldError[] = [];
  check(object, node, '', old, errors);
  if (node.keyedLists) listTypeErrors(object, node, '', errors);
  return errors;
}

/** The same for a write to /status, where only the status is validated: the real server's texts then name paths from there
 * (`status.a: ... a in body must be ...`). */
export function validateStatus(object: JsonObject, schema: CompiledSchema, old?: JsonObject): FieldError[] {
  const node = nodeOf(schema).properties.get('status');
  const status = getKey(object, 'status');
  if (node === undefined || status === undefined) return [];
  const errors: FieldError[] = [];
  check(status, node, '', old === undefined ? undefined : getKey(old, 'status'), errors);
  const placed = errors.map((e) => ({
    ...e,
    field: e.field === '<nil>' ? 'status' : `status.${e.field.replace(/^\./, '')}`,
  }));
  listTypeErrors(status, node, 'status', placed);
  return placed;
}

type Kind = 'null' | 'array' | 'object' | 'string' | 'boolean' | 'integer' | 'number';

function kindOf(value: unknown): Kind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    case 'object':
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      return 'object';
  }
}

function check(value: unknown, node: Node, path: string, old: unknown, errors: FieldError[]): void {
  const before = errors.length;
  checkNew(value, node, path, old, errors);
  if (errors.length > before && old !== undefined && equalJson(value, old)) errors.length = before;
}

/** The validators in the order of kube-openapi's schema.go: type, junctors, string, format, number, list, enum, object. */
function checkNew(value: unknown, node: Node, path: string, old: unknown, errors: FieldError[]): void {
  const kind = kindOf(value);
  const schema = node.source;
  if (kind === 'null') {
    if (node.types.length > 0 && !node.nullable) errors.push(wrongType(path, node.types.join(','), 'null'));
    if (schema.enum !== undefined) checkEnum(value, node, path, errors);
    return;
  }
  checkType(kind, node, path, errors);
  checkJunctors(value, node, path, errors);
  if (kind === 'string') checkString(value as string, node, path, errors);
  else if (kind === 'integer' || kind === 'number')
    numberErrors(value as number | bigint, node, path, errors);
  else if (kind === 'array') checkList(value as unknown[], node, path, old, errors);
  if (schema.enum !== undefined && schema.enum.length > 0) checkEnum(value, node, path, errors);
  if (kind === 'object') checkObject(value as JsonObject, node, path, old, errors);
}

function wrongType(path: string, expected: string, got: string): FieldError {
  const detail = `${path} in body must be of type ${expected}: ${valueText(got)}`;
  return {
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${valueText(got)}: ${detail}`,
    field: fieldName(path),
  };
}

function checkType(kind: Kind, node: Node, path: string, errors: FieldError[]): void {
  const { types, format } = node;
  if (types.length === 0) return;
  if (types.includes(kind) || (kind === 'integer' && types.includes('number'))) return;
  const numeric = types.includes('integer') || types.includes('number');
  if (format !== undefined && kind !== 'string' && kind !== 'array') {
    const gotFormat = kind === 'integer' ? 'int64' : kind === 'number' ? 'float64' : '';
    errors.push(wrongType(path, format, gotFormat));
  } else if (numeric || format === undefined) {
    errors.push(wrongType(path, types.join(','), kind));
  }
}

function checkJunctors(value: unknown, node: Node, path: string, errors: FieldError[]): void {
  const attempt = (option: Node): FieldError[] => {
    const found: FieldError[] = [];
    check(value, option, path, undefined, found);
    return found;
  };
  const quoted = JSON.stringify(path);
  if (node.anyOf.length > 0) {
    const results = node.anyOf.map(attempt);
    if (!results.some((r) => r.length === 0)) {
      errors.push(invalid('<nil>', '', `${quoted} must validate at least one schema (anyOf)`));
      errors.push(...fewest(results));
    }
  }
  if (node.oneOf.length > 0) {
    const results = node.oneOf.map(attempt);
    const valid = results.filter((r) => r.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      errors.push(invalid('<nil>', '', `${quoted} must validate one and only one schema (oneOf). ${found}`));
      if (valid === 0) errors.push(...fewest(results));
    }
  }
  if (node.allOf.length > 0) {
    const results = node.allOf.map(attempt);
    errors.push(...results.flat());
    const valid = results.filter((r) => r.length === 0).length;
    if (valid !== results.length) {
      const none = valid === 0 ? '. None validated' : '';
      errors.push(invalid('<nil>', '', `${quoted} must validate all the schemas (allOf)${none}`));
    }
  }
  if (node.not !== undefined && attempt(node.not).length === 0) {
    errors.push(invalid('<nil>', '', `${quoted} must not validate the schema (not)`));
  }
}

function fewest(results: readonly FieldError[][]): FieldError[] {
  return results.reduce((best, r) => (r.length < best.length ? r : best));
}

function checkString(value: string, node: Node, path: string, errors: FieldError[]): void {
  const { maxLength, minLength, pattern } = node.source;
  if (maxLength !== undefined && longerThan(value, maxLength)) {
    const message = `Too long: may not be more than ${maxLength} bytes`;
    errors.push({ reason: 'FieldValueTooLong', message, field: fieldName(path) });
  } else if (minLength !== undefined && !longerThan(value, minLength - 1)) {
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  } else if (node.pattern !== undefined && !node.pattern.test(value)) {
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  }
  const format = node.format;
  if (format !== undefined && !matchesFormat(format, value)) errors.push(wrongType(path, format, value));
}

/** Counted in code points, of which a UTF-16 string of n units has at least n/2. */
function longerThan(value: string, limit: number): boolean {
  if (value.length <= limit) return false;
  if (value.length > limit * 2) return true;
  let points = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) points++;
  }
  return points > limit;
}

function checkList(list: unknown[], node: Node, path: string, old: unknown, errors: FieldError[]): void {
  const { minItems, maxItems } = node.source;
  if (node.items !== undefined) {
    const oldItem = correlate(node, old);
    for (let i = 0; i < list.length; i++)
      check(list[i], node.items, `${path}[${i}]`, oldItem(list[i]), errors);
  }
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, `${path} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(path, list.length, maxItems));
}

/** The old entry of a new one: by its keys in a list-map, none in other lists. */
function correlate(node: Node, old: unknown): (item: unknown) => unknown {
  const keys = node.source['x-kubernetes-list-map-keys'];
  if (node.source['x-kubernetes-list-type'] !== 'map' || keys === undefined || !Array.isArray(old))
    return () => undefined;
  const key = (item: unknown): string =>
    typeof item === 'object' && item !== null
      ? valueText(keys.map((k) => (item as JsonObject)[k] ?? null))
      : '';
  const byKey = new Map(old.map((item) => [key(item), item as unknown]));
  return (item) => byKey.get(key(item));
}

function tooMany(path: string, actual: number, max: number): FieldError {
  const message = `Too many: ${actual}: must have at most ${max} items`;
  return { reason: 'FieldValueTooMany', message, field: fieldName(path) };
}

function checkEnum(value: unknown, node: Node, path: string, errors: FieldError[]): void {
  const allowed = node.source.enum ?? [];
  if (value !== null && allowed.some((a) => equalJson(a, value))) return;
  errors.push(notSupported(fieldName(path), value, allowed));
}

function checkObject(object: JsonObject, node: Node, path: string, old: unknown, errors: FieldError[]): void {
  const { minProperties, maxProperties } = node.source;
  const before =
    typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as JsonObject) : undefined;
  if (minProperties !== undefined || maxProperties !== undefined) {
    const size = Object.keys(object).length;
    if (minProperties !== undefined && size < minProperties) {
      errors.push(invalid(path, size, `${path} in body should have at least ${minProperties} properties`));
    }
    if (maxProperties !== undefined && size > maxProperties) errors.push(tooMany(path, size, maxProperties));
  }
  if (node.additional !== undefined) {
    for (const key of Object.keys(object).sort()) {
      if (!node.properties.has(key))
        check(object[key], node.additional, `${path}.${key}`, before?.[key], errors);
    }
  }
  for (const [key, property] of node.sorted) {
    const value = object[key];
    if (value !== undefined)
      check(value, property, path === '' ? key : `${path}.${key}`, before?.[key], errors);
  }
  for (const key of node.source.required ?? []) {
    if (getKey(object, key) === undefined) errors.push(required(path === '' ? key : `${path}.${key}`));
  }
}

const fieldName = (path: string): string => (path === '' ? '<nil>' : path);
