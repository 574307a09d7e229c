import type { JsonObject, JsonSchema } from '../schema/index.ts';
import { parseDuration, parseTimestamp } from './library/time.ts';
import { fail } from './errors.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  type Field,
  INT,
  list,
  map,
  type ObjectType,
  STRING,
  TIMESTAMP,
  type Type,
} from './types.ts';
import { KeyedList, ObjectValue } from './values.ts';

/** How expressions see a value of a schema. */
export interface Declaration {
  type: Type;
  convert: (value: unknown) => unknown;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The declaration of a schema; undefined where expressions can't see its values (apiserver, cel/common/schemas.go).
 * `resource`: the root of a resource, where apiVersion, kind and the names in metadata can always be seen. */
export function declare(schema: JsonSchema, name: string, resource: boolean): Declaration | undefined {
  const shape = declareShape(schema, name, resource || schema['x-kubernetes-embedded-resource'] === true);
  if (shape === undefined) return undefined;
  const nullable = schema.nullable === true;
  const convert = (value: unknown): unknown => {
    if (value === null)
      return nullable ? null : fail('invalid data, got null for schema with nullable=false');
    return shape.convert(value);
  };
  return { type: shape.type, convert };
}

function declareShape(schema: JsonSchema, name: string, resource: boolean): Declaration | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return { type: DYN, convert: intOrString };
  switch (schema.type) {
    case 'array':
      return declareList(schema, name);
    case 'object':
      return declareObject(schema, name, resource);
    case 'string':
      return declareString(schema.format ?? '');
    case 'boolean':
      return { type: BOOL, convert: (v) => v };
    case 'integer':
      return { type: INT, convert: (v) => (typeof v === 'number' ? integer(v) : v) };
    case 'number':
      return { type: DOUBLE, convert: Number };
    case undefined:
    default:
      return undefined;
  }
}

const integer = (value: number): bigint =>
  Number.isInteger(value) ? BigInt(value) : fail('invalid data, expected int, got float64');

function intOrString(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  return fail('invalid data, expected XIntOrString value to be either a string or integer');
}

function declareString(format: string): Declaration {
  switch (format) {
    case 'byte':
      return { type: BYTES, convert: (v) => new Uint8Array(Buffer.from(String(v), 'base64')) };
    case 'duration':
      return {
        type: DURATION,
        convert: (v) => parseDuration(String(v)) ?? fail(`Invalid duration ${String(v)}`),
      };
    case 'date':
      return {
        type: TIMESTAMP,
        convert: (v) =>
          parseTimestamp(`${String(v)}T00:00:00Z`) ?? fail(`Invalid date formatted string ${String(v)}`),
      };
    case 'date-time':
      return {
        type: TIMESTAMP,
        convert: (v) => parseTimestamp(String(v)) ?? fail(`Invalid date-time formatted string ${String(v)}`),
      };
    default:
      return { type: STRING, convert: (v) => v };
  }
}

function declareList(schema: JsonSchema, name: string): Declaration | undefined {
  const item = schema.items === undefined ? undefined : declare(schema.items, `${name}.@idx`, false);
  if (item === undefined) return undefined;
  const listType = schema['x-kubernetes-list-type'];
  const keys =
    listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []).map((k) => escapeName(k) ?? k) : [];
  const keyed = listType === 'set' || listType === 'map';
  const convert = (value: unknown): unknown => {
    if (!Array.isArray(value))
      return fail('invalid data, expected an array for the provided schema with type=array');
    const items = value.map(item.convert);
    return keyed ? KeyedList.of_(items, keys) : items;
  };
  return { type: list(item.type), convert };
}

function declareObject(schema: JsonSchema, name: string, resource: boolean): Declaration | undefined {
  if (typeof schema.additionalProperties === 'object') {
    const value = declare(schema.additionalProperties, `${name}.@elem`, false);
    if (value === undefined) return undefined;
    const convert = (data: unknown): unknown => {
      if (!isObject(data))
        return fail('invalid data, expected a map for the provided schema with type=object');
      return new Map(Object.entries(data).map(([key, item]) => [key, value.convert(item)]));
    };
    return { type: map(STRING, value.type), convert };
  }
  const fields = new Map<string, Field>();
  const properties = resource ? resourceProperties(schema) : (schema.properties ?? {});
  for (const [key, property] of Object.entries(properties)) {
    const escaped = escapeName(key);
    const declared = escaped === undefined ? undefined : declare(property, `${name}.${key}`, false);
    if (escaped !== undefined && declared !== undefined) {
      fields.set(escaped, { key, ...declared });
      // Words that are reserved only as names can also be written as they are.
      if (escaped === `__${key}__` && !LITERALS.has(key)) fields.set(key, { key, ...declared });
    }
  }
  const type: ObjectType = { kind: 'object', name, fields };
  const convert = (data: unknown): unknown => {
    if (!isObject(data)) return fail('invalid data, expected a map for the provided schema with type=object');
    return new ObjectValue(type, data);
  };
  return { type, convert };
}

const TEXT: JsonSchema = { type: 'string' };
const RESOURCE: Record<string, JsonSchema> = {
  apiVersion: TEXT,
  kind: TEXT,
  metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
};

/** A resource always has a kind, an apiVersion and a name; more of metadata only where the schema spells all of that out. */
function resourceProperties(schema: JsonSchema): Record<string, JsonSchema> {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const { name, generateName } = metadata?.properties ?? {};
  const spelledOut = [kind, apiVersion, name, generateName].every((s) => s?.type === 'string');
  return spelledOut ? (schema.properties ?? {}) : { ...schema.properties, ...RESOURCE };
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const LITERALS = new Set(['true', 'false', 'null', 'in']);

/** The name of a property in expressions; undefined for one that has none (apiserver, cel/escaping.go). */
export function escapeName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined;
  return name.replace(/__|\.|-|\//g, (found) => ESCAPES[found] ?? found);
}

const ESCAPES: Record<string, string> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** Whether it is data, and not a value of CEL already. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value without schema: objects are maps, whole numbers are int. */
export function untyped(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(untyped);
  if (!isObject(value) || !isPlain(value)) return value;
  return new Map(Object.entries(value).flatMap(([k, v]) => (v === undefined ? [] : [[k, untyped(v)]])));
}
