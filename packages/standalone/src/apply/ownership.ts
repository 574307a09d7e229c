import type { JsonObject } from '../schema/index.ts';
import { type Comparison, compare } from './compare.ts';
import { type Conflict, ConflictError } from './errors.ts';
import {
  decodeFields,
  difference,
  type FieldSet,
  fieldSet,
  intersection,
  isEmpty,
  pathTexts,
  union,
} from './fieldset.ts';
import type { Manager, Managers } from './managed.ts';
import type { TypeRef } from './type.ts';
import { isObject } from './values.ts';

/** The writer of a change. */
export interface Writer {
  /** The field manager: the parameter, or what stands before the first `/` in the user agent; at most 128 bytes. */
  manager: string;
  /** `group/version` (or `v1`) of the request's endpoint. */
  apiVersion: string;
  /** RFC 3339 with whole seconds, for entries that change. */
  now: string;
  /** `status`, `scale` or none. */
  subresource?: string;
  /** False where the kind has no status subresource: then status is a field as any other. Default true. */
  hasStatus?: boolean;
  /** Top-level fields that this endpoint ignores. Default: `status` on the main resource, all but `status` on /status, as for
   * custom resources. Built-in kinds differ: /status of a Node ignores only `spec`, so give `['spec']` there. */
  ignoredFields?: readonly string[];
  /** Whether `managedFields: []` resets as `[{}]` does: true for built-in kinds, default false as for custom resources. */
  emptyListClears?: boolean;
}

/** Keeps the fields that the writer's endpoint may write. */
export type FieldFilter = (set: FieldSet) => FieldSet;

/** Whether a top-level field is written through the writer's endpoint. */
export function endpointWrites(writer: Writer): (field: string) => boolean {
  const { ignoredFields } = writer;
  if (ignoredFields !== undefined) return (field) => !ignoredFields.includes(field);
  if (writer.hasStatus === false) return () => true;
  return writer.subresource === 'status' ? (field) => field === 'status' : (field) => field !== 'status';
}

/** The filter of an endpoint. */
export function endpointFilter(writer: Writer): FieldFilter {
  const writes = endpointWrites(writer);
  return (set) => {
    const out = fieldSet();
    out.member = set.member;
    for (const [element, child] of set.children)
      if (writes(element.slice(2))) out.children.set(element, child);
    return out;
  };
}

/** Metadata that nobody owns (apimachinery, managedfields/internal/stripmeta.go). */
const NEVER_OWNED = decodeFields({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    '.': {},
    ...Object.fromEntries(
      [
        'name',
        'namespace',
        'creationTimestamp',
        'selfLink',
        'uid',
        'clusterName',
        'generation',
        'managedFields',
        'resourceVersion',
      ].map((k) => [`f:${k}`, {}]),
    ),
  },
});

/** Takes away what nobody owns. */
export function stripUnowned(set: FieldSet): FieldSet {
  return difference(set, NEVER_OWNED);
}

/** The object without its managedFields. */
export function bare(object: JsonObject): JsonObject {
  if (!isObject(object['metadata']) || !('managedFields' in object['metadata'])) return object;
  const { managedFields: _, ...metadata } = object['metadata'];
  return { ...object, metadata };
}

/** Takes changed fields from all other managers, in place: added and modified ones from who owns them (a conflict unless
 * forced), removed ones from everybody. */
export function takeOver(
  type: TypeRef,
  live: JsonObject,
  next: JsonObject,
  managers: Managers,
  self: string,
  force: boolean,
  filter: FieldFilter,
): Comparison {
  const all = compare(type, live, next);
  const diff = { added: filter(all.added), modified: filter(all.modified), removed: filter(all.removed) };
  const changed = union(diff.added, diff.modified);
  const taken = new Map<Manager, FieldSet>();
  if (!isEmpty(changed)) {
    for (const [id, manager] of managers) {
      if (id === self) continue;
      const both = intersection(manager.fields, changed);
      if (!isEmpty(both)) taken.set(manager, both);
    }
  }
  if (!force && taken.size > 0) throw new ConflictError(conflictsOf(taken));
  for (const [manager, fields] of taken) manager.fields = difference(manager.fields, fields);
  const removed = !isEmpty(diff.removed);
  for (const [id, manager] of managers) {
    if (removed && id !== self) manager.fields = difference(manager.fields, diff.removed);
    if (isEmpty(manager.fields)) managers.delete(id);
  }
  return diff;
}

function conflictsOf(taken: ReadonlyMap<Manager, FieldSet>): Conflict[] {
  const out: Conflict[] = [];
  for (const [manager, fields] of taken) {
    const owner = ownerText(manager);
    for (const path of pathTexts(fields)) out.push({ owner, path });
  }
  return out;
}

function ownerText(m: Manager): string {
  const subresource = m.subresource === '' ? '' : ` with subresource ${JSON.stringify(m.subresource)}`;
  const using = m.operation === 'Update' ? ` using ${m.apiVersion}` : '';
  return JSON.stringify(m.manager) + subresource + using;
}
