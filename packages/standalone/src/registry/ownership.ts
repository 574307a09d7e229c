/** Who owns which field of an object after a write. */
import {
  updateManagedFields,
  type ManagedFieldsEntry,
  type ObjectType,
  type Writer,
} from '../apply/index.ts';
import { isObj, same, time, type KubeObject, type Obj } from '../object.ts';
import type { Request } from './request.ts';
import { apiVersion } from './resource.ts';

/** Ownership of what was POSTed, for answers that are not stored. */
export function firstOwner(
  object: KubeObject,
  type: ObjectType,
  zero: Obj,
  writer: Writer,
): ManagedFieldsEntry[] {
  const entries = updateManagedFields(type, undefined, object, writer) ?? [];
  for (const entry of entries) disown(entry.fieldsV1, zero, object);
  return entries.filter((entry) => entry.fieldsV1 && Object.keys(entry.fieldsV1).length > 0);
}

/** Who writes by a request, and what that endpoint lets them write. */
export function writer(request: Request): Writer {
  const { resource, version, subresource } = request;
  const ignored = resource.hooks.ignored?.(subresource);
  return {
    manager: request.fieldManager,
    apiVersion: apiVersion(resource.group, version.name),
    now: time(request.now),
    hasStatus: version.status,
    emptyListClears: !resource.custom,
    ...(subresource ? { subresource } : {}),
    ...(ignored ? { ignoredFields: ignored } : {}),
  };
}

/** Records in `object` who owns what after this write of it. */
export function own(live: KubeObject | undefined, object: KubeObject, request: Request): void {
  const { type, zero } = request.version;
  const entries: ManagedFieldsEntry[] | undefined = updateManagedFields(type, live, object, writer(request));
  if (!live && zero) for (const entry of entries ?? []) disown(entry.fieldsV1, zero, object);
  if (request.subresource === 'scale') untimed(entries ?? [], request.fieldManager);
  const kept = entries?.filter((entry) => live || !entry.fieldsV1 || Object.keys(entry.fieldsV1).length > 0);
  if (kept?.length) object.metadata.managedFields = kept;
  else delete object.metadata.managedFields;
}

/** The real server keeps what comes by scale without a time, and so before all other updates. */
function untimed(entries: ManagedFieldsEntry[], manager: string): void {
  const at = entries.findIndex((entry) => entry.subresource === 'scale' && entry.manager === manager);
  const [entry] = at < 0 ? [] : entries.splice(at, 1);
  if (!entry) return;
  delete entry.time;
  const first = entries.findIndex((one) => one.operation === 'Update');
  entries.splice(first < 0 ? entries.length : first, 0, entry);
}

/** Takes out of a creator's fields those that Go has by itself: nobody owns what nobody set. */
function disown(fields: Obj | undefined, zero: Obj, object: Obj): void {
  if (!fields) return;
  for (const [key, value] of Object.entries(zero)) {
    const own = fields[`f:${key}`];
    if (!isObj(own)) continue;
    const atomic = Object.keys(own).length === 0;
    if (atomic) {
      if (same(object[key], value)) delete fields[`f:${key}`];
    } else if (isObj(value)) {
      delete own['.'];
      disown(own, value, isObj(object[key]) ? object[key] : {});
      if (Object.keys(own).length === 0) delete fields[`f:${key}`];
    }
  }
  for (const [key, value] of Object.entries(object)) if (value === null) delete fields[`f:${key}`];
}
