import { RE2JS } from 're2js';
import { equalJson } from './equal.ts';
import { forbidden, invalid, required } from './messages.ts';
import type { FieldError, JsonSchema } from './types.ts';

type Level = 'root' | 'item' | 'field';

const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

/** What keeps a schema from being structural, and so from being served (apiextensions-apiserver 0.36.3,
 * pkg/apiserver/schema/validation.go). `path` is the field that holds it: `spec.versions[0].schema.openAPIV3Schema`. */
export function checkStructural(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, 'root', path, errors);
  completeness(schema, path, errors);
  listTypes(schema, path, errors);
  return errors.sort((a, b) => (`${a.field}: ${a.message}` < `${b.field}: ${b.message}` ? -1 : 1));
}

function invariants(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  if (schema.type === 'array' && schema.items === undefined)
    errors.push(required(`${path}.items`, 'must be specified'));
  if (schema.items !== undefined) invariants(schema.items, 'item', `${path}.items`, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    invariants(property, 'field', `${path}.properties[${key}]`, errors);
  additional(schema, level, path, errors);
  extensions(schema, path, errors);
  typeRules(schema, level, path, errors);
  metadataRules(schema, level, path, errors);
  const skipAny = equalJson(schema.anyOf, INT_OR_STRING);
  const skipFirstAll = equalJson(schema.allOf?.[0]?.anyOf, INT_OR_STRING);
  valueValidation(schema, skipAny, skipFirstAll, path, errors);
}

function additional(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const extra = schema.additionalProperties;
  if (extra === undefined || extra === false) return;
  const at = `${path}.additionalProperties`;
  if (level === 'root') errors.push(forbidden(at, 'must not be used at the root'));
  if (schema['x-kubernetes-embedded-resource'] === true)
    errors.push(forbidden(at, 'must not be used if x-kubernetes-embedded-resource is set'));
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0)
    errors.push(forbidden(at, 'additionalProperties and properties are mutual exclusive'));
  if (typeof extra === 'object') invariants(extra, 'field', at, errors);
}

function extensions(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return;
  const clash = 'must be false if x-kubernetes-int-or-string is true';
  for (const name of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const)
    if (schema[name] === true) errors.push(invalid(`${path}.${name}`, true, clash));
}

function typeRules(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const type = schema.type ?? '';
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
  } else if (type === '' && schema['x-kubernetes-int-or-string'] !== true && !preserve) {
    const where = {
      root: 'at the root',
      item: 'for specified array items',
      field: 'for specified object fields',
    }[level];
    errors.push(required(`${path}.type`, `must not be empty ${where}`));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  if (embedded && !preserve && Object.keys(schema.properties ?? {}).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, detail));
  }
}

function metadataRules(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  if (level !== 'root' && schema['x-kubernetes-embedded-resource'] !== true) return;
  for (const name of ['kind', 'apiVersion']) {
    const property = schema.properties?.[name];
    if (property !== undefined && property.type !== 'string')
      errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
  }
  const metadata = schema.properties?.['metadata'];
  if (metadata === undefined) return;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== 'object') errors.push(invalid(`${at}.type`, metadata.type ?? '', 'must be object'));
  if (level !== 'root') return;
  const {
    type: _type,
    default: _default,
    description: _description,
    title: _title,
    properties = {},
    ...rest
  } = metadata;
  const named = Object.keys(properties).every((k) => k === 'name' || k === 'generateName');
  if (!named || Object.keys(rest).length > 0) {
    const detail =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbidden(at, detail));
  }
}

function valueValidation(
  schema: JsonSchema,
  skipAny: boolean,
  skipFirstAll: boolean,
  path: string,
  errors: FieldError[],
): void {
  const list = (name: 'anyOf' | 'allOf' | 'oneOf', skipFirst = false): void => {
    for (const [i, option] of (schema[name] ?? []).entries())
      nested(option, skipFirst && i === 0, `${path}.${name}[${i}]`, errors);
  };
  if (!skipAny) list('anyOf');
  list('allOf', skipFirstAll);
  list('oneOf');
  if (schema.not !== undefined) nested(schema.not, false, `${path}.not`, errors);
  if (schema.pattern === undefined || schema.pattern === '') return;
  try {
    RE2JS.compile(schema.pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `must be a valid regular expression, but isn't: ${why}`;
    errors.push(invalid(`${path}.pattern`, schema.pattern, detail));
  }
}

/** What must not stand below allOf, anyOf, oneOf and not. */
function nested(schema: JsonSchema, skipAny: boolean, path: string, errors: FieldError[]): void {
  valueValidation(schema, skipAny, false, path, errors);
  if (schema.items !== undefined) nested(schema.items, false, `${path}.items`, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    nested(property, false, `${path}.properties[${key}]`, errors);
  for (const name of ['type', 'title', 'description'] as const)
    if ((schema[name] ?? '') !== '')
      errors.push(forbidden(`${path}.${name}`, 'must be empty to be structural'));
  for (const name of [
    'additionalProperties',
    'default',
    'x-kubernetes-list-type',
    'x-kubernetes-map-type',
  ] as const)
    if (schema[name] !== undefined)
      errors.push(forbidden(`${path}.${name}`, 'must be undefined to be structural'));
  for (const name of [
    'nullable',
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
    'x-kubernetes-int-or-string',
  ] as const)
    if (schema[name] === true) errors.push(forbidden(`${path}.${name}`, 'must be false to be structural'));
  for (const name of ['x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const)
    if ((schema[name] ?? []).length > 0)
      errors.push(forbidden(`${path}.${name}`, 'must be empty to be structural'));
  if (schema.properties?.['metadata'] !== undefined)
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
}

/** Every property or item named in a junctor of the root must also stand outside of it. Of the root only: below it the real
 * server doesn't look. */
function completeness(schema: JsonSchema, path: string, errors: FieldError[]): void {
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [i, option] of (schema[name] ?? []).entries())
      complete(option, schema, `${path}.${name}[${i}]`, path, errors);
  if (schema.not !== undefined) complete(schema.not, schema, `${path}.not`, path, errors);
}

function complete(
  option: JsonSchema,
  schema: JsonSchema | undefined,
  optionPath: string,
  path: string,
  errors: FieldError[],
): void {
  if (schema === undefined) {
    errors.push(required(path, `because it is defined in ${optionPath}`));
    return;
  }
  for (const [key, property] of Object.entries(option.properties ?? {}))
    complete(
      property,
      schema.properties?.[key],
      `${optionPath}.properties[${key}]`,
      `${path}.properties[${key}]`,
      errors,
    );
  if (option.items !== undefined)
    complete(option.items, schema.items, `${optionPath}.items`, `${path}.items`, errors);
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [i, inner] of (option[name] ?? []).entries())
      complete(inner, schema, `${optionPath}.${name}[${i}]`, path, errors);
  if (option.not !== undefined) complete(option.not, schema, `${optionPath}.not`, path, errors);
}

/** The rules of x-kubernetes-list-type and -map-keys (apiextensions validation.go, ValidateCustomResourceDefinitionOpenAPISchema). */
function listTypes(schema: JsonSchema, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const keysAt = `${path}.x-kubernetes-list-map-keys`;
  if (type !== undefined && schema.type !== 'array')
    errors.push(
      invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'),
    );
  if (type === 'map') {
    if (keys.length === 0)
      errors.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'));
    if (schema.items === undefined)
      errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    else if (schema.items.type !== 'object')
      errors.push(
        invalid(
          `${path}.items.type`,
          schema.items.type ?? '',
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      );
    for (const key of keys) listMapKey(schema, key, path, errors);
  } else if (keys.length > 0) {
    errors.push(forbidden(keysAt, 'must not be specified if x-kubernetes-list-type is not map'));
  }
  if (schema.items !== undefined) listTypes(schema.items, `${path}.items`, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    listTypes(property, `${path}.properties[${key}]`, errors);
  if (typeof schema.additionalProperties === 'object')
    listTypes(schema.additionalProperties, `${path}.additionalProperties`, errors);
}

function listMapKey(schema: JsonSchema, key: string, path: string, errors: FieldError[]): void {
  const property = schema.items?.properties?.[key];
  if (property === undefined) {
    const detail = 'entries must all be names of item properties';
    errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, key, detail));
    return;
  }
  const at = `${path}.items.properties[${key}]`;
  if (property.type === 'object' || property.type === 'array')
    errors.push(
      invalid(
        `${at}.type`,
        property.type,
        "must be a scalar type if parent array's x-kubernetes-list-type is map",
      ),
    );
  if (property.default === undefined && !(schema.items?.required ?? []).includes(key)) {
    const detail =
      'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
    errors.push(required(`${at}.default`, detail));
  }
}
