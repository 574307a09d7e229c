/** zod -> the structural subset of OpenAPI v3 that a CustomResourceDefinition may hold. Throws on what has no place there. */
import { z } from 'zod';

export interface Schema {
  title?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  required?: string[];
  items?: Schema;
  enum?: string[];
  default?: unknown;
  [keyword: string]: unknown;
}

const allowed = new Set([
  'title',
  'type',
  'description',
  'properties',
  'additionalProperties',
  'required',
  'items',
  'enum',
  'default',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
]);

/** Keeps `title`s: they name the generated types, and `withoutTitles` takes them out of the CRD. */
export function structural(schema: z.ZodType, path = ''): Schema {
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
  return clean(json as Schema, path);
}

function clean(schema: Schema, path: string): Schema {
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'additionalProperties' && value === false) continue;
    if (key === 'propertyNames' || key === '$schema') continue;
    // zod writes the whole range of safe integers; the format says it already.
    if ((key === 'maximum' || key === 'minimum') && Math.abs(value as number) === Number.MAX_SAFE_INTEGER)
      continue;
    if (key === 'anyOf') {
      if (schema['x-kubernetes-int-or-string']) continue;
      throw new Error(`${path}: anyOf has no place in a structural schema`);
    }
    if (!allowed.has(key) && !key.startsWith('x-kubernetes-'))
      throw new Error(`${path}: ${key} has no place in a structural schema`);
    if (key === 'properties') {
      result.properties = Object.fromEntries(
        Object.entries(value as Record<string, Schema>).map(([name, child]) => [
          name,
          clean(child, `${path}.${name}`),
        ]),
      );
    } else if (key === 'items' || key === 'additionalProperties') {
      result[key] = clean(value as Schema, `${path}[]`);
    } else {
      result[key] = value;
    }
  }
  if (result['x-kubernetes-int-or-string']) delete result.type;
  check(result, path);
  return result;
}

function check(schema: Schema, path: string): void {
  if (!schema.description && !path.endsWith('[]')) throw new Error(`${path}: has no description`);
  if (!schema.type && !schema['x-kubernetes-int-or-string']) throw new Error(`${path}: has no type`);
  if (
    schema.type === 'string' &&
    schema.maxLength === undefined &&
    !schema.enum &&
    schema.format !== 'date-time'
  )
    throw new Error(`${path}: a string without maxLength`);
  if (schema.type === 'array' && schema.maxItems === undefined)
    throw new Error(`${path}: a list without maxItems`);
  if (schema.type === 'array' && !schema['x-kubernetes-list-type'])
    throw new Error(`${path}: a list without a list type`);
  if (schema.additionalProperties && schema.maxProperties === undefined)
    throw new Error(`${path}: a map without maxProperties`);
}

export function withoutTitles(schema: Schema): Schema {
  const { title: _, ...rest } = schema;
  if (rest.properties)
    rest.properties = Object.fromEntries(
      Object.entries(rest.properties).map(([name, child]) => [name, withoutTitles(child)]),
    );
  if (rest.items) rest.items = withoutTitles(rest.items);
  if (rest.additionalProperties) rest.additionalProperties = withoutTitles(rest.additionalProperties);
  return rest;
}
