import { objectType } from '../apply/index.ts';
import { ALL_VERBS, type Resource, type Version } from '../registry/resource.ts';
import type { FieldReader } from '../registry/selectors.ts';
import { compileSchema, type JsonSchema } from '../schema/index.ts';
import { builtInColumns } from '../tables/columns.ts';
import { readEvent, writeEvent } from './events.ts';
import { fieldReader, METADATA_FIELDS, ODD_FIELDS } from './fields.ts';
import { HOOKS } from './hooks.ts';
import { kindSchema, zeroValue } from './schemas.ts';
import { KINDS, type KindEntry } from './table.ts';

const OPEN: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The kinds that are there without any definition. */
export function builtInResources(): Resource[] {
  return [...KINDS.map(resource), eventsV1()];
}

function resource(entry: KindEntry): Resource {
  return {
    id: entry.plural,
    group: entry.group,
    plural: entry.plural,
    singular: entry.kind.toLowerCase(),
    kind: entry.kind,
    listKind: `${entry.kind}List`,
    namespaced: entry.namespaced ?? false,
    shortNames: entry.short ?? [],
    categories: entry.categories ?? [],
    verbs: ALL_VERBS,
    custom: false,
    subresources: subresources(entry),
    versions: new Map([[entry.version, version(entry)]]),
    storageVersion: entry.version,
    hooks: {
      generation: entry.generation ?? false,
      createOnUpdate: entry.createOnUpdate ?? false,
      conditionalUpdate: entry.conditionalUpdate ?? false,
      returnDeleted: entry.returnDeleted ?? false,
      ...(entry.name ? { name: entry.name } : {}),
      ...HOOKS[entry.plural],
    },
  };
}

function subresources(entry: KindEntry): Resource['subresources'] {
  switch (entry.plural) {
    case 'certificatesigningrequests':
      return [{ name: 'approval', kind: entry.kind, verbs: ['get', 'patch', 'update'] }];
    case 'serviceaccounts':
      return [
        {
          name: 'token',
          kind: 'TokenRequest',
          group: 'authentication.k8s.io',
          version: 'v1',
          verbs: ['create'],
        },
      ];
    case 'namespaces':
      return [{ name: 'finalize', kind: entry.kind, verbs: ['update'] }];
    case 'pods':
      return [
        { name: 'binding', kind: 'Binding', verbs: ['create'] },
        { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
      ];
    default:
      return [];
  }
}

function version(entry: KindEntry): Version {
  const jsonSchema = kindSchema(entry.group, entry.version, entry.kind) ?? OPEN;
  const fields: Record<string, FieldReader> = { ...METADATA_FIELDS };
  for (const field of entry.fields ?? []) fields[field] = ODD_FIELDS[field] ?? fieldReader(field);
  return {
    name: entry.version,
    jsonSchema,
    schema: compileSchema(jsonSchema),
    rules: undefined,
    type: objectType(jsonSchema),
    zero: zeroValue(jsonSchema),
    columns: builtInColumns(entry.plural),
    status: entry.status ?? false,
    scale: entry.scale
      ? { spec: ['spec', 'replicas'], status: ['status', 'replicas'], selector: undefined }
      : undefined,
    fields,
    deprecation: undefined,
  };
}

/** Its field selectors: name here to path in the stored form, which is core/v1's. */
const EVENT_FIELDS: Record<string, string> = {
  ...Object.fromEntries(
    ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((key) => [
      `regarding.${key}`,
      `involvedObject.${key}`,
    ]),
  ),
  reason: 'reason',
  reportingController: 'reportingComponent',
  type: 'type',
};

/** events.k8s.io/v1: the same objects as core/v1 Events, with other names for some fields. */
function eventsV1(): Resource {
  const entry = KINDS.find((kind) => kind.plural === 'events');
  if (!entry) throw new Error('the table of kinds has no Event');
  const shown = resource({ ...entry, group: 'events.k8s.io', fields: [] });
  const served = shown.versions.get(entry.version);
  for (const [name, path] of Object.entries(EVENT_FIELDS)) {
    if (served) served.fields[name] = fieldReader(path);
  }
  return { ...shown, convert: { read: readEvent, write: writeEvent } };
}
