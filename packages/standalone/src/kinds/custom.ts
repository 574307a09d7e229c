import { objectType } from '../apply/index.ts';
import { compileSchemaRules } from '../cel/index.ts';
import { at, child, isObj, list, strings, text, type KubeObject, type Obj } from '../object.ts';
import type { Resource, Version } from '../registry/resource.ts';
import type { FieldReader } from '../registry/selectors.ts';
import { compileSchema, type JsonSchema } from '../schema/index.ts';
import { customColumns } from '../tables/columns.ts';
import { fieldReader, METADATA_FIELDS } from './fields.ts';

/** In the order in which the real server's discovery names them for custom resources. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** Where a definition's objects are stored. */
export function storeId(definition: KubeObject): string {
  return `${text(definition, 'spec', 'names', 'plural')}.${text(definition, 'spec', 'group')}`;
}

/** The resource that a CustomResourceDefinition declares. */
export function customResource(definition: KubeObject): Resource {
  const spec = child(definition, 'spec');
  const names = child(spec, 'names');
  const kind = text(names, 'kind') ?? '';
  const versions = list(spec, 'versions').filter(isObj);
  const storage = versions.find((version) => version['storage'] === true);
  return {
    id: storeId(definition),
    group: text(spec, 'group') ?? '',
    plural: text(names, 'plural') ?? '',
    singular: text(names, 'singular') ?? kind.toLowerCase(),
    kind,
    listKind: text(names, 'listKind') ?? `${kind}List`,
    namespaced: text(spec, 'scope') === 'Namespaced',
    shortNames: strings(names, 'shortNames'),
    categories: strings(names, 'categories'),
    // While a definition is being deleted its objects can only go.
    verbs: definition.metadata.deletionTimestamp
      ? CUSTOM_VERBS.filter((verb) => verb !== 'create')
      : CUSTOM_VERBS,
    custom: true,
    subresources: [],
    storageVersion: text(storage, 'name') ?? '',
    versions: new Map(
      versions
        .filter((version) => version['served'] === true)
        .map((version) => [text(version, 'name') ?? '', customVersion(version, spec)]),
    ),
    hooks: { generation: true, createOnUpdate: false, conditionalUpdate: true, returnDeleted: false },
  };
}

function customVersion(version: Obj, spec: Obj): Version {
  const jsonSchema = (at(version, 'schema', 'openAPIV3Schema') ?? {}) as JsonSchema;
  const scale = at(version, 'subresources', 'scale');
  const fields: Record<string, FieldReader> = { ...METADATA_FIELDS };
  for (const selectable of list(version, 'selectableFields')) {
    const path = (text(selectable, 'jsonPath') ?? '').replace(/^\./, '');
    fields[path] = fieldReader(path);
  }
  const path = (key: string): string[] | undefined => {
    const source = text(scale, key);
    return source?.replace(/^\./, '').split('.');
  };
  return {
    name: text(version, 'name') ?? '',
    jsonSchema,
    schema: compileSchema(jsonSchema),
    rules: compileSchemaRules(jsonSchema),
    type: objectType(jsonSchema),
    zero: undefined,
    columns: customColumns(list(version, 'additionalPrinterColumns')),
    status: at(version, 'subresources', 'status') !== undefined,
    scale: isObj(scale)
      ? {
          spec: path('specReplicasPath') ?? [],
          status: path('statusReplicasPath') ?? [],
          selector: path('labelSelectorPath'),
        }
      : undefined,
    fields,
    deprecation:
      version['deprecated'] === true
        ? (text(version, 'deprecationWarning') ??
          `${text(spec, 'group')}/${text(version, 'name')} ${text(spec, 'names', 'kind')} is deprecated`)
        : undefined,
  };
}
