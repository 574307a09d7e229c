import type { JsonObject } from '../schema/index.ts';
import { decodeFields, encodeFields, type FieldSet, union } from './fieldset.ts';
import { isObject } from './values.ts';

/** One entry of metadata.managedFields. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  /** RFC 3339, whole seconds. Absent where an apply changed no value. */
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
}

/** A manager and what it owns. */
export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time: string | undefined;
  fields: FieldSet;
}

/** Managers by identity. */
export type Managers = Map<string, Manager>;

/** How many Update entries an object may have before the oldest are folded into one (apiserver, DefaultMaxUpdateManagers). */
const MAX_UPDATE_MANAGERS = 10;
const FOLDED = 'ancient-changes';

/** Who a manager is: an applier is the same whatever version it applies in. */
export function identity(m: Omit<Manager, 'time' | 'fields'>): string {
  const version = m.operation === 'Apply' ? '' : m.apiVersion;
  return [m.manager, m.operation, m.subresource, version].join('\0');
}

/** Reads metadata.managedFields; undefined where it can't be read, and empty where there is none. */
export function loadManagers(list: unknown): Managers | undefined {
  const out: Managers = new Map();
  if (list === undefined || list === null) return out;
  if (!Array.isArray(list)) return undefined;
  for (const item of list) {
    const entry = readEntry(item);
    if (entry === undefined) return undefined;
    out.set(identity(entry), entry);
  }
  return out;
}

function readEntry(item: unknown): Manager | undefined {
  if (!isObject(item)) return undefined;
  const entry = item as ManagedFieldsEntry;
  const { operation } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (entry.fieldsType !== undefined && entry.fieldsType !== 'FieldsV1') return undefined;
  try {
    return {
      manager: entry.manager ?? '',
      operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time ?? undefined,
      fields: decodeFields(entry.fieldsV1 ?? {}),
    };
  } catch {
    return undefined;
  }
}

/** Writes metadata.managedFields in the server's order: operation, seconds, manager, subresource. */
export function saveManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(order).map((m) => ({
    manager: m.manager,
    operation: m.operation,
    apiVersion: m.apiVersion,
    ...(m.time === undefined ? {} : { time: m.time }),
    fieldsType: 'FieldsV1' as const,
    fieldsV1: encodeFields(m.fields),
    ...(m.subresource === '' ? {} : { subresource: m.subresource }),
  }));
}

function order(a: Manager, b: Manager): number {
  return (
    text(a.operation, b.operation) ||
    seconds(a) - seconds(b) ||
    text(a.manager, b.manager) ||
    text(a.apiVersion, b.apiVersion) ||
    text(a.subresource, b.subresource)
  );
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const seconds = (m: Manager): number => (m.time === undefined ? 0 : Math.floor(Date.parse(m.time) / 1000));

/** Folds the oldest Update managers of each version into one, in place, where there are more than ten. */
export function foldOldUpdaters(managers: Managers): void {
  const updaters = [...managers].filter(([, m]) => m.operation === 'Update');
  if (updaters.length <= MAX_UPDATE_MANAGERS) return;
  updaters.sort(([a, x], [b, y]) => seconds(x) - seconds(y) || text(a, b));
  let left = updaters.length;
  const firstOfVersion = new Map<string, string>();
  for (const [id, entry] of updaters) {
    if (left <= MAX_UPDATE_MANAGERS) return;
    const first = firstOfVersion.get(entry.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(entry.apiVersion, id);
      continue;
    }
    const who = {
      manager: FOLDED,
      operation: 'Update' as const,
      apiVersion: entry.apiVersion,
      subresource: '',
    };
    const bucketId = identity(who);
    const bucket = managers.get(bucketId) ?? managers.get(first);
    if (bucket === undefined) continue;
    if (!managers.has(bucketId)) managers.delete(first);
    managers.delete(id);
    managers.set(bucketId, { ...who, time: entry.time, fields: union(entry.fields, bucket.fields) });
    left--;
  }
}
