import { readFileSync } from 'node:fs';
import { isObj, type Obj } from '../object.ts';
import type { JsonSchema } from '../schema/index.ts';

/** OpenAPI components of the built-in kinds, by their full name (`io.k8s.api.core.v1.Node`). Made by `generate/kubernetes.ts`. */
export const components = JSON.parse(
  readFileSync(new URL('./generated/schemas.json', import.meta.url), 'utf8'),
) as Record<string, Obj>;

const REF = '#/components/schemas/';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** Types that are no plain object in JSON. */
const SPECIAL: Record<string, JsonSchema> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  },
  [`${META}FieldsV1`]: {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    'x-kubernetes-map-type': 'atomic',
  },
  [`${META}Time`]: { type: 'string', nullable: true },
  [`${META}MicroTime`]: { type: 'string', nullable: true },
};

const KEPT = [
  'type',
  'format',
  'description',
  'enum',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
] as const;

/** The structural schema of a component, with its references written out; a type inside itself is left open. */
function structural(source: Obj, within: readonly string[]): JsonSchema {
  const inner = Array.isArray(source['allOf']) && isObj(source['allOf'][0]) ? source['allOf'][0] : source;
  const ref = typeof inner['$ref'] === 'string' ? inner['$ref'].slice(REF.length) : undefined;
  if (ref !== undefined) {
    const extra = {
      ...marks(source),
      ...(source['default'] === undefined ? {} : { default: source['default'] }),
    };
    const special = SPECIAL[ref];
    if (special) return { ...special, ...extra };
    if (within.includes(ref)) return { 'x-kubernetes-preserve-unknown-fields': true, ...extra };
    return { ...structural(components[ref] ?? {}, [...within, ref]), ...extra };
  }
  const out: JsonSchema = marks(source);
  if (out.format === 'int-or-string') return { 'x-kubernetes-int-or-string': true };
  const value = source['default'];
  // Also Go's zero values: a field without `omitempty` is always there, if only as "" or {}.
  if (value !== undefined) out.default = value;
  if (isObj(source['properties'])) {
    out.properties = {};
    for (const [name, property] of Object.entries(source['properties'])) {
      if (isObj(property)) out.properties[name] = structural(property, within);
    }
  }
  if (isObj(source['items'])) out.items = structural(source['items'], within);
  if (isObj(source['additionalProperties'])) {
    out.additionalProperties = structural(source['additionalProperties'], within);
  }
  if (out.type === undefined && out.properties === undefined)
    out['x-kubernetes-preserve-unknown-fields'] = true;
  else if (out.type === 'object' && !out.properties && !out.additionalProperties) {
    out['x-kubernetes-preserve-unknown-fields'] = true;
  }
  return out;
}

function marks(source: Obj): JsonSchema {
  const out: Obj = {};
  for (const key of KEPT) if (source[key] !== undefined) out[key] = source[key];
  return out;
}

/** The name of a built-in kind's component, or undefined. */
export function componentName(group: string, version: string, kind: string): string | undefined {
  return index().get(`${group}/${version}/${kind}`);
}

let names: Map<string, string> | undefined;

function index(): Map<string, string> {
  if (names) return names;
  names = new Map();
  for (const [name, component] of Object.entries(components)) {
    const kinds = component['x-kubernetes-group-version-kind'];
    if (!Array.isArray(kinds)) continue;
    for (const gvk of kinds) {
      if (isObj(gvk))
        names.set(`${String(gvk['group'])}/${String(gvk['version'])}/${String(gvk['kind'])}`, name);
    }
  }
  return names;
}

/**
 * What Go has before anything is set: the fields that are always there. Ownership of fields is told against this, since
 * nobody set them.
 */
export function zeroValue(schema: JsonSchema): Obj {
  const out: Obj = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = property.default;
    if (isObj(value)) out[name] = zeroValue(property);
    else if (value === '' || value === 0 || value === false) out[name] = value;
  }
  return out;
}

/** The structural schema of a built-in kind, without apiVersion, kind and metadata, which every object has. */
export function kindSchema(group: string, version: string, kind: string): JsonSchema | undefined {
  const name = componentName(group, version, kind);
  const component = name === undefined ? undefined : components[name];
  if (!name || !component) return undefined;
  const schema = structural(component, [name]);
  const { apiVersion: _a, kind: _k, metadata: _m, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}
