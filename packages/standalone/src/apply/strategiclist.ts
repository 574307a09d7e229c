import { equalJson, type JsonObject, type JsonSchema } from '../schema/index.ts';
import { ApplyError } from './errors.ts';
import { goText } from './mergepatch.ts';
import { withoutDirectives } from './directives.ts';
import { isObject } from './values.ts';

/** Whether a list holds no objects. */
export function isPrimitiveList(list: readonly unknown[]): boolean {
  return !list.some(isObject);
}

/** Merges a patch's entry into the one of the same key; takes both over. */
type MergeEntry = (schema: JsonSchema | undefined, original: JsonObject, patch: JsonObject) => JsonObject;

/** Merges a patch's list into one of strategy `merge`: primitives as a set, objects by their merge key. */
export function mergeStrategicLists(
  field: JsonSchema,
  original: unknown[],
  patch: unknown[],
  name: string,
  mergeEntry: MergeEntry,
): unknown[] {
  if (isPrimitiveList(original) && isPrimitiveList(patch)) {
    const merged = [...original, ...patch].filter(
      (item, i, all) => all.findIndex((x) => equalJson(x, item)) === i,
    );
    return orderElements(merged, patch, original, undefined);
  }
  const mergeKey = field['x-kubernetes-patch-merge-key'];
  if (mergeKey === undefined) throw new ApplyError(500, `cannot merge lists without merge key for ${name}`);
  const { kept, changes } = special(original, patch, mergeKey);
  const merged = kept;
  for (const change of changes) {
    const key = keyOf(change, mergeKey);
    const at = merged.findIndex((item) => isObject(item) && equalJson(item[mergeKey], key));
    const present = merged[at];
    if (isObject(present) && isObject(change)) merged[at] = mergeEntry(field.items, present, change);
    else merged.push(withoutDirectives(change));
  }
  return orderElements(merged, changes, original, mergeKey);
}

/** Entries with `$patch`: `delete` takes out, `replace` lets only the patch's entries stand. */
function special(
  original: unknown[],
  patch: unknown[],
  mergeKey: string,
): { kept: unknown[]; changes: unknown[] } {
  let kept = [...original];
  let replace = false;
  const changes: unknown[] = [];
  for (const item of patch) {
    const directive = isObject(item) ? item['$patch'] : undefined;
    if (directive === undefined) changes.push(item);
    else if (directive === 'delete') {
      const key = keyOf(item, mergeKey);
      kept = kept.filter((k) => !(isObject(k) && equalJson(k[mergeKey], key)));
    } else if (directive === 'replace') replace = true;
    else if (directive === 'merge')
      throw new ApplyError(500, 'merging lists cannot yet be specified in the patch');
    else throw new ApplyError(500, `unknown patch type: ${goText(directive)} in map: ${goText(item)}`);
  }
  return replace ? { kept: [], changes } : { kept, changes };
}

function keyOf(item: unknown, mergeKey: string): unknown {
  const key = isObject(item) ? item[mergeKey] : undefined;
  if (key === undefined)
    throw new ApplyError(500, `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  return key;
}

/** Puts merged entries into order: those of the patch as the patch has them, the server's own as they were, and between them
 * the server's order where it knows both (apimachinery, strategicpatch, normalizeElementOrder). */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const index = (list: readonly unknown[], item: unknown): number =>
    list.findIndex((x) =>
      mergeKey !== undefined && isObject(x) && isObject(item)
        ? equalJson(x[mergeKey], item[mergeKey])
        : equalJson(x, item),
    );
  const byOrder = (order: readonly unknown[], items: unknown[]): unknown[] =>
    items
      .map((item) => ({ item, at: index(order, item) }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  const fromPatch = byOrder(
    patchOrder,
    merged.filter((item) => index(patchOrder, item) >= 0),
  );
  const serverOnly = byOrder(
    serverOrder,
    merged.filter((item) => index(patchOrder, item) < 0),
  );
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < serverOnly.length && j < fromPatch.length) {
    const left = index(serverOrder, serverOnly[i]);
    const right = index(serverOrder, fromPatch[j]);
    out.push(left >= 0 && right >= 0 && left < right ? serverOnly[i++] : fromPatch[j++]);
  }
  return [...out, ...serverOnly.slice(i), ...fromPatch.slice(j)];
}
