import type { JsonSchema } from '../schema/index.ts';

/** What merge and ownership need to know of a kind; made once from its schema. Opaque to callers. */
export interface ObjectType {
  readonly kind: 'object-type';
}

/** A type of structured-merge-diff: which shapes a value may have, and how each is merged. */
export interface TypeRef {
  scalar?: 'string' | 'numeric' | 'boolean' | 'untyped';
  list?: ListType;
  map?: MapType;
}

export interface ListType {
  elem: TypeRef;
  /** Merged by entry (list-type map or set); else the list is one value. */
  associative: boolean;
  /** Sorted; empty for a set. */
  keys: readonly string[];
  /** Defaults that the schema gives to keys. */
  defaults: ReadonlyMap<string, unknown>;
}

export interface MapType {
  fields: ReadonlyMap<string, TypeRef>;
  /** The type of further keys; undefined where there may be none. */
  elem: TypeRef | undefined;
  atomic: boolean;
}

/** What has no schema: scalars and lists whole, maps by key, deduced from the value. */
export const UNTYPED: TypeRef = { scalar: 'untyped' };
UNTYPED.map = { fields: new Map(), elem: UNTYPED, atomic: false };
UNTYPED.list = { elem: UNTYPED, associative: false, keys: [], defaults: new Map() };

const STRING: TypeRef = { scalar: 'string' };
const NUMERIC: TypeRef = { scalar: 'numeric' };
const STRINGS: TypeRef = { map: { fields: new Map(), elem: STRING, atomic: false } };
const OWNER: TypeRef = { map: { fields: new Map(), elem: UNTYPED, atomic: true } };

const METADATA: TypeRef = {
  map: {
    atomic: false,
    elem: undefined,
    fields: new Map<string, TypeRef>([
      ['labels', STRINGS],
      ['annotations', STRINGS],
      ['finalizers', { list: { elem: STRING, associative: true, keys: [], defaults: new Map() } }],
      ['ownerReferences', { list: { elem: OWNER, associative: true, keys: ['uid'], defaults: new Map() } }],
      ['generation', NUMERIC],
      ['deletionGracePeriodSeconds', NUMERIC],
      ['managedFields', { list: { elem: UNTYPED, associative: false, keys: [], defaults: new Map() } }],
      ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'selfLink'].map(
        (k) => [k, STRING] as const,
      ),
      ...['creationTimestamp', 'deletionTimestamp'].map((k) => [k, STRING] as const),
    ]),
  },
};

const cache = new WeakMap<JsonSchema, TypeRef>();
const roots = new WeakMap<JsonSchema, TypeRef>();

/** Makes the description from a structural schema (of a CRD's version or of a built-in kind). Kept per schema object. */
export function objectType(schema: JsonSchema): ObjectType {
  let type = roots.get(schema);
  if (type === undefined) {
    type = { map: objectMap(schema, true) };
    roots.set(schema, type);
  }
  return type as unknown as ObjectType;
}

/** The tree behind the opaque type. */
export function typeRef(type: ObjectType): TypeRef {
  return type as unknown as TypeRef;
}

function typeOf(schema: JsonSchema | undefined): TypeRef {
  if (schema === undefined) return UNTYPED;
  let type = cache.get(schema);
  if (type === undefined) {
    type = {};
    // Before its parts: a schema may hold itself.
    cache.set(schema, type);
    Object.assign(type, describe(schema));
  }
  return type;
}

function describe(schema: JsonSchema): TypeRef {
  if (schema['x-kubernetes-int-or-string'] === true) return { scalar: 'untyped' };
  switch (schema.type) {
    case 'string':
      return STRING;
    case 'boolean':
      return { scalar: 'boolean' };
    case 'integer':
    case 'number':
      return NUMERIC;
    case 'array':
      return { list: listType(schema) };
    case 'object':
      return { map: objectMap(schema, schema['x-kubernetes-embedded-resource'] === true) };
    case undefined:
    default:
      return UNTYPED;
  }
}

function listType(schema: JsonSchema): ListType {
  const type = schema['x-kubernetes-list-type'];
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const defaults = new Map<string, unknown>();
  for (const key of keys) {
    const preset = schema.items?.properties?.[key]?.default;
    if (preset !== undefined) defaults.set(key, preset);
  }
  return { elem: typeOf(schema.items), associative: type === 'map' || type === 'set', keys, defaults };
}

function objectMap(schema: JsonSchema, resource: boolean): MapType {
  const fields = new Map(Object.entries(schema.properties ?? {}).map(([key, s]) => [key, typeOf(s)]));
  if (resource) {
    fields.set('apiVersion', STRING);
    fields.set('kind', STRING);
    fields.set('metadata', METADATA);
  }
  const extra = schema.additionalProperties;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || extra === true;
  const elem = typeof extra === 'object' ? typeOf(extra) : open ? UNTYPED : undefined;
  return { fields, elem, atomic: schema['x-kubernetes-map-type'] === 'atomic' };
}
