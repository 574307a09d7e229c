import { compileSchemaRules } from '../cel/index.ts';
import type { Cause } from '../http/status.ts';
import { at, child, clone, isObj, list, strings, text, time, type KubeObject, type Obj } from '../object.ts';
import { badValue, required, unsupported } from '../registry/metadata.ts';
import type { HookContext } from '../registry/resource.ts';
import { checkStructural, type JsonSchema } from '../schema/index.ts';
import { compileJsonPath } from '../tables/jsonpath.ts';

export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** The names that a definition asks for, filled in as the real server does. */
function fillNames(spec: Obj): void {
  const names = { ...child(spec, 'names') };
  const kind = text(names, 'kind') ?? '';
  if (!names['singular']) names['singular'] = kind.toLowerCase();
  if (!names['listKind'] && kind) names['listKind'] = `${kind}List`;
  spec['names'] = names;
  const conversion = child(spec, 'conversion');
  if (!conversion['strategy']) spec['conversion'] = { strategy: 'None' };
}

function onCreate(object: KubeObject, context: HookContext): void {
  object['spec'] = clone(child(object, 'spec'));
  fillNames(child(object, 'spec'));
  object.metadata.finalizers = [...new Set([...(object.metadata.finalizers ?? []), CLEANUP])];
  object['status'] = status(object, {}, context);
}

function onUpdate(object: KubeObject, old: KubeObject, context: HookContext): void {
  if (context.subresource === 'status') return;
  object['spec'] = clone(child(object, 'spec'));
  fillNames(child(object, 'spec'));
  object['status'] = status(object, child(old, 'status'), context);
}

/** Names are ours alone to give, so they are accepted, and the definition established, in the write that makes it. */
function status(object: KubeObject, old: Obj, context: HookContext): Obj {
  const held = list(old, 'conditions').filter(isObj);
  const condition = (type: string, reason: string, message: string): Obj => ({
    type,
    status: 'True',
    lastTransitionTime:
      text(
        held.find((c) => c['type'] === type),
        'lastTransitionTime',
      ) ?? time(context.now),
    reason,
    message,
  });
  const storage = list(object, 'spec', 'versions').find((v) => at(v, 'storage') === true);
  const name = text(storage, 'name');
  const versions = new Set([...strings(old, 'storedVersions'), ...(name ? [name] : [])]);
  return {
    acceptedNames: clone(child(child(object, 'spec'), 'names')),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: [...versions],
  };
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes: Cause[] = [];
  const spec = child(object, 'spec');
  const group = text(spec, 'group') ?? '';
  const names = child(spec, 'names');
  const plural = text(names, 'plural') ?? '';
  if (!group) causes.push(required('spec.group'));
  if (!plural) causes.push(required('spec.names.plural'));
  if (!text(names, 'kind')) causes.push(required('spec.names.kind'));
  if (object.metadata.name !== `${plural}.${group}`) {
    causes.push(badValue('metadata.name', object.metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  const scope = text(spec, 'scope') ?? '';
  if (!['Cluster', 'Namespaced'].includes(scope)) {
    causes.push(unsupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
  if (old) {
    for (const [field, before, now] of [
      ['spec.group', text(old, 'spec', 'group'), group],
      ['spec.scope', text(old, 'spec', 'scope'), scope],
      ['spec.names.plural', text(old, 'spec', 'names', 'plural'), plural],
      ['spec.names.kind', text(old, 'spec', 'names', 'kind'), text(names, 'kind')],
    ] as const) {
      if (before !== now) causes.push(badValue(field, now, 'field is immutable'));
    }
  }
  const versions = list(spec, 'versions');
  const stored = versions.filter((v) => at(v, 'storage') === true);
  if (stored.length !== 1) {
    causes.push(
      badValue('spec.versions', versions, 'must have exactly one version marked as storage version'),
    );
  }
  const schemas = new Set(versions.map((version) => JSON.stringify(at(version, 'schema'))));
  versions.forEach((version, i) => {
    // Where all versions have one schema, the real server keeps it, and names it, as `spec.validation`.
    const where = schemas.size === 1 ? 'spec.validation' : `spec.versions[${i}].schema`;
    if (schemas.size > 1 || i === 0) causes.push(...checkSchema(version, `spec.versions[${i}]`, where));
    causes.push(...checkVersion(version, `spec.versions[${i}]`));
  });
  return causes;
}

function checkSchema(version: unknown, path: string, where: string): Cause[] {
  const schema = at(version, 'schema', 'openAPIV3Schema') as JsonSchema | undefined;
  if (!isObj(schema)) return [required(`${path}.schema.openAPIV3Schema`)];
  const causes = checkStructural(schema, `${where}.openAPIV3Schema`);
  return causes.length > 0 ? causes : [...compileSchemaRules(schema, `${where}.openAPIV3Schema`).errors];
}

function checkVersion(version: unknown, path: string): Cause[] {
  const causes: Cause[] = [];
  if (!text(version, 'name')) causes.push(required(`${path}.name`));
  list(version, 'additionalPrinterColumns').forEach((column, i) => {
    const field = `${path}.additionalPrinterColumns[${i}]`;
    const source = text(column, 'jsonPath') ?? '';
    if (!text(column, 'name')) causes.push(required(`${field}.name`));
    const type = text(column, 'type') ?? '';
    if (!['integer', 'number', 'string', 'boolean', 'date'].includes(type)) {
      causes.push(badValue(`${field}.type`, type, 'must be one of boolean,date,integer,number,string'));
    }
    try {
      compileJsonPath(source);
    } catch (error) {
      causes.push(
        badValue(`${field}.jsonPath`, source, error instanceof Error ? error.message : String(error)),
      );
    }
  });
  return causes;
}

/** Hooks of the kind CustomResourceDefinition. */
export const customResourceDefinition = { onCreate, onUpdate, validate };
