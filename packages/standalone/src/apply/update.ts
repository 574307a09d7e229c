import { equalJson, type JsonObject } from '../schema/index.ts';
import { isEmpty, union } from './fieldset.ts';
import {
  foldOldUpdaters,
  identity,
  loadManagers,
  type ManagedFieldsEntry,
  type Manager,
  type Managers,
  saveManagers,
} from './managed.ts';
import { bare, endpointFilter, stripUnowned, takeOver, type Writer } from './ownership.ts';
import { type ObjectType, typeRef } from './type.ts';
import { isObject } from './values.ts';

/** managedFields after a POST, PUT or one of the patches; undefined for none. `object` is the new object (pruned and defaulted,
 * with what the endpoint ignores put back to live's) and may carry managedFields of its own: `[{}]` resets (and `[]` where the
 * writer says so), absent or unreadable keeps the live one's. Never fails. */
export function updateManagedFields(
  type: ObjectType,
  live: JsonObject | undefined,
  object: JsonObject,
  writer: Writer,
): ManagedFieldsEntry[] | undefined {
  const managers = startingManagers(live, object, writer);
  // Once cleared, ownership is tracked again only from the next apply.
  if (managers.size === 0 && live !== undefined) return undefined;
  const filter = endpointFilter(writer);
  const before = live === undefined ? { apiVersion: object['apiVersion'], kind: object['kind'] } : bare(live);
  let diff: ReturnType<typeof takeOver>;
  try {
    diff = takeOver(typeRef(type), before, bare(object), managers, '', true, filter);
  } catch {
    // A list entry that has no identity, such as null: validation will refuse the object, and owners stay who they were.
    return saveManagers(managers);
  }
  own(managers, writer, diff);
  foldOldUpdaters(managers);
  return saveManagers(managers);
}

function own(managers: Managers, writer: Writer, diff: ReturnType<typeof takeOver>): void {
  const fields = stripUnowned(union(diff.added, diff.modified));
  if (isEmpty(fields)) return;
  const who = {
    manager: writer.manager,
    operation: 'Update' as const,
    apiVersion: writer.apiVersion,
    subresource: writer.subresource ?? '',
  };
  const id = identity(who);
  const previous = managers.get(id);
  const entry: Manager = {
    ...who,
    time: writer.now,
    fields: previous === undefined ? fields : union(fields, previous.fields),
  };
  managers.set(id, entry);
}

function startingManagers(live: JsonObject | undefined, object: JsonObject, writer: Writer): Managers {
  const own = managedFieldsOf(live);
  const fromLive = (): Managers => loadManagers(own) ?? new Map<string, Manager>();
  // Through a subresource nobody sets managedFields.
  if ((writer.subresource ?? '') !== '') return fromLive();
  const given = managedFieldsOf(object);
  if (Array.isArray(given) && given.length === 1 && isObject(given[0]) && Object.keys(given[0]).length === 0)
    return new Map();
  if (Array.isArray(given) && given.length === 0 && writer.emptyListClears === true) return new Map();
  const read = loadManagers(given);
  return read === undefined || read.size === 0 ? fromLive() : read;
}

function managedFieldsOf(object: JsonObject | undefined): unknown {
  const metadata = object?.['metadata'];
  return isObject(metadata) ? metadata['managedFields'] : undefined;
}

/** Whether two objects are the same but for the times in managedFields and the resourceVersion: then nothing is to be written,
 * and the answer is the stored object. */
export function sameObject(a: JsonObject | undefined, b: JsonObject | undefined): boolean {
  return a !== undefined && b !== undefined && equalJson(timeless(a), timeless(b));
}

function timeless(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  if (!isObject(metadata)) return object;
  const { managedFields, resourceVersion: _version, ...rest } = metadata;
  if (!Array.isArray(managedFields)) return { ...object, metadata: rest };
  const entries = managedFields.map((entry: unknown) => {
    if (!isObject(entry)) return entry;
    const { time: _time, ...left } = entry;
    return left;
  });
  return { ...object, metadata: { ...rest, managedFields: entries } };
}
