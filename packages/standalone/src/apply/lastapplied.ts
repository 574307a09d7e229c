import { type JsonObject, parseJson, stringifyJson } from '../schema/index.ts';
import { compare } from './compare.ts';
import type { Conflict } from './errors.ts';
import { difference, pathTexts } from './fieldset.ts';
import { bare } from './ownership.ts';
import type { TypeRef } from './type.ts';
import { toFieldSet } from './typed.ts';
import { cloneJson, isObject } from './values.ts';

/** Where kubectl's client-side apply keeps what it applied. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The conflicts that are left where those are allowed which come from the object's client-side past: fields of the last
 * applied configuration that still have its values. undefined where there is no such past. */
export function explainedByLastApplied(
  type: TypeRef,
  live: JsonObject,
  apiVersion: string,
  conflicts: readonly Conflict[],
): Conflict[] | undefined {
  const text = annotations(live)?.[LAST_APPLIED];
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const config = parseJson(text).value;
    if (!isObject(config) || config['apiVersion'] !== apiVersion) return undefined;
    const diff = compare(type, config, bare(live));
    let allowed = toFieldSet(type, config);
    for (const changed of [diff.modified, diff.added, diff.removed]) allowed = difference(allowed, changed);
    const paths = new Set(pathTexts(allowed));
    return conflicts.filter((c) => !paths.has(c.path));
  } catch {
    // An annotation that somebody spoiled explains nothing.
    return undefined;
  }
}

/** Brings the annotation up to date with what kubectl applied, where the object has it: so that its client-side apply goes on
 * from there. */
export function writeLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const present = annotations(object);
  if (typeof present?.[LAST_APPLIED] !== 'string' || present[LAST_APPLIED] === '') return object;
  const applied = cloneJson(config);
  const own = annotations(applied);
  if (own !== undefined) delete own[LAST_APPLIED];
  const text = `${stringifyJson(applied, { sortKeys: true })}\n`;
  const live = object['metadata'] as JsonObject;
  return { ...object, metadata: { ...live, annotations: { ...present, [LAST_APPLIED]: text } } };
}

function annotations(object: JsonObject): JsonObject | undefined {
  const metadata = object['metadata'];
  if (!isObject(metadata)) return undefined;
  return isObject(metadata['annotations']) ? metadata['annotations'] : undefined;
}
