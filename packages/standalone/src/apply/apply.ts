import { equalJson, type JsonObject } from '../schema/index.ts';
import { ApplyError, ConflictError } from './errors.ts';
import { difference, ensureNamedFields, fieldSet, intersection, isEmpty, union } from './fieldset.ts';
import { explainedByLastApplied, writeLastApplied } from './lastapplied.ts';
import { identity, loadManagers, type Manager, type Managers, saveManagers } from './managed.ts';
import { compare } from './compare.ts';
import { merge, removeFields } from './merge.ts';
import { bare, endpointFilter, endpointWrites, stripUnowned, takeOver, type Writer } from './ownership.ts';
import { type ObjectType, type TypeRef, typeRef } from './type.ts';
import { checkTyped, toFieldSet } from './typed.ts';
import { sameObject } from './update.ts';
import { cloneJson, isObject } from './values.ts';

/** How to apply. */
export interface ApplyOptions extends Writer {
  /** Takes fields over instead of a conflict. */
  force?: boolean;
}

/** What an apply makes. */
export interface ApplyResult {
  /** The merged object with its new managedFields, not yet pruned, defaulted (`applyDefaults` with dropNulls false) or validated. */
  object: JsonObject;
  /** True where neither values nor managedFields changed, times apart: don't write, answer the live object. Ask `sameObject` again
   * after defaulting: a default filled in may undo the only change. */
  unchanged: boolean;
}

/** Applies a configuration; `live` undefined creates. Throws ApplyError: 400 (managedFields set, another version), 409
 * (ConflictError, one cause per field), 500 (failed to create typed patch object). A subresource of nothing is the caller's 404. */
export function apply(
  type: ObjectType,
  live: JsonObject | undefined,
  config: JsonObject,
  options: ApplyOptions,
): ApplyResult {
  checkConfig(config, options);
  const ref = typeRef(type);
  try {
    checkTyped(ref, config);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApplyError(500, `failed to create typed patch object (${describe(config)}): ${why}`, [], {
      cause: error,
    });
  }
  const scoped = endpointPart(config, options);
  let result: JsonObject;
  try {
    result = applyOnce(ref, live, scoped, options);
  } catch (error) {
    if (!(error instanceof ConflictError) || options.manager !== 'kubectl' || live === undefined) throw error;
    const left = explainedByLastApplied(ref, live, options.apiVersion, error.conflicts);
    if (left === undefined) throw error;
    if (left.length > 0) throw new ConflictError(left);
    result = applyOnce(ref, live, scoped, { ...options, force: true });
  }
  if (options.manager === 'kubectl') result = writeLastApplied(result, config);
  return { object: result, unchanged: sameObject(live, result) };
}

function checkConfig(config: JsonObject, options: ApplyOptions): void {
  const version = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
  if (version !== options.apiVersion) {
    const text = `Incorrect version specified in apply patch. Specified patch version: ${version}, expected: ${options.apiVersion}`;
    throw new ApplyError(400, text);
  }
  const metadata = config['metadata'];
  if (isObject(metadata) && metadata['managedFields'] !== undefined && metadata['managedFields'] !== null)
    throw new ApplyError(400, 'metadata.managedFields must be nil');
}

function describe(config: JsonObject): string {
  const metadata = isObject(config['metadata']) ? config['metadata'] : {};
  const word = (value: unknown): string => (typeof value === 'string' ? value : '');
  return `${word(metadata['namespace'])}/${word(metadata['name'])}; ${word(config['apiVersion'])}, Kind=${word(config['kind'])}`;
}

/** The configuration without what the endpoint ignores; name and namespace always stay. */
function endpointPart(config: JsonObject, options: ApplyOptions): JsonObject {
  const writes = endpointWrites(options);
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(config)) {
    if (key === 'apiVersion' || key === 'kind' || writes(key)) out[key] = value;
    else if (key === 'metadata' && isObject(value)) {
      const { name, namespace } = value;
      out[key] = {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
      };
    }
  }
  return out;
}

function applyOnce(
  type: TypeRef,
  live: JsonObject | undefined,
  config: JsonObject,
  options: ApplyOptions,
): JsonObject {
  const filter = endpointFilter(options);
  const blank = { apiVersion: config['apiVersion'], kind: config['kind'] };
  const before = live === undefined ? blank : bare(live);
  const managers = (live === undefined ? undefined : managersOf(live)) ?? new Map<string, Manager>();
  if (managers.size === 0 && live !== undefined) beforeFirstApply(type, blank, before, managers, options);

  const who = {
    manager: options.manager,
    operation: 'Apply' as const,
    apiVersion: options.apiVersion,
    subresource: options.subresource ?? '',
  };
  const id = identity(who);
  const last = managers.get(id);
  const self: Manager = { ...who, time: last?.time, fields: filter(toFieldSet(type, config)) };
  managers.set(id, self);

  let next = asObject(merge(type, before, config));
  if (last !== undefined && !isEmpty(last.fields)) next = pruneDropped(type, next, last, managers);
  takeOver(type, before, next, managers, id, options.force ?? false, filter);
  self.fields = stripUnowned(self.fields);
  if (isEmpty(self.fields)) managers.delete(id);
  const changed = live === undefined || !equalJson(before, next);
  if (changed) self.time = options.now;
  return withManagers(cloneJson(next), managers);
}

function managersOf(object: JsonObject): Managers | undefined {
  const metadata = object['metadata'];
  return loadManagers(isObject(metadata) ? metadata['managedFields'] : undefined);
}

/** On an object whose ownership is not tracked yet, all that is there belongs to nobody in particular. */
function beforeFirstApply(
  type: TypeRef,
  blank: JsonObject,
  live: JsonObject,
  managers: Managers,
  options: ApplyOptions,
): void {
  const diff = compare(type, blank, live);
  const fields = stripUnowned(endpointFilter(options)(union(diff.added, diff.modified)));
  if (isEmpty(fields)) return;
  const who = {
    manager: 'before-first-apply',
    operation: 'Update' as const,
    apiVersion: options.apiVersion,
    subresource: options.subresource ?? '',
  };
  managers.set(identity(who), { ...who, time: options.now, fields });
}

/** Takes out what this manager applied last time and no longer does, unless somebody else owns it (structured-merge-diff v6,
 * merge/update.go, prune and addBackOwnedItems, for one version). */
function pruneDropped(type: TypeRef, merged: JsonObject, last: Manager, managers: Managers): JsonObject {
  const mine = ensureNamedFields(last.fields, type);
  const withoutMine = removeFields(type, merged, mine);
  let owned = fieldSet();
  for (const manager of managers.values()) owned = union(owned, manager.fields);
  const mergedFields = ensureNamedFields(toFieldSet(type, merged), type);
  const keep = union(ensureNamedFields(toFieldSet(type, withoutMine), type), ensureNamedFields(owned, type));
  const withOwned = removeFields(type, merged, difference(mergedFields, keep));
  const kept = ensureNamedFields(toFieldSet(type, withOwned), type);
  return asObject(removeFields(type, merged, intersection(difference(mergedFields, kept), mine)));
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function withManagers(object: JsonObject, managers: Managers): JsonObject {
  const managedFields = saveManagers(managers);
  const metadata: JsonObject = isObject(object['metadata']) ? { ...object['metadata'] } : {};
  delete metadata['managedFields'];
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}
