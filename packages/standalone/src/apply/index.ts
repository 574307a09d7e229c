/** Server-side apply, managedFields and the three patches, as pure functions. Nothing here changes its input. */
import type { JsonObject, JsonSchema } from '../schema/index.ts';

/** One entry of metadata.managedFields. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  /** RFC 3339, whole seconds. */
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: JsonObject;
  subresource?: string;
}

/** What merge and ownership need to know of a kind; made once from its schema. Opaque. */
export interface ObjectType {
  readonly kind: 'object-type';
}

/** Makes the description from a structural schema (of a CRD's version or of a built-in kind). */
export declare function objectType(schema: JsonSchema): ObjectType;

/** Schemas of built-in kinds, keyed `<group>/<version>/<Kind>` with an empty group for core (`/v1/Pod`).
 * They hold types, list types, keys and patch strategies; no constraints; unknown fields are preserved. */
export declare function builtinSchema(group: string, version: string, kind: string): JsonSchema | undefined;

/** The keys of all built-in schemas. */
export declare function builtinKinds(): { group: string; version: string; kind: string }[];

/** The writer of a change. */
export interface Writer {
  /** The field manager: the parameter, or what stands before the first `/` in the user agent; at most 128 bytes. */
  manager: string;
  /** `group/version` of the request's endpoint. */
  apiVersion: string;
  /** RFC 3339 with whole seconds, for entries that change. */
  now: string;
  /** `status`, `scale` or none. */
  subresource?: string;
  /** False where the kind has no status subresource: then status is a field as any other. Default true. */
  hasStatus?: boolean;
}

export interface ApplyOptions extends Writer {
  /** Takes fields over instead of a conflict. */
  force?: boolean;
}

/** `object` is undefined where nothing changed: the answer is the live object as it is, its resourceVersion kept. */
export interface ApplyResult {
  /** The merged object with its new managedFields, not yet pruned, defaulted or validated (`applyDefaults` with dropNulls false). */
  object: JsonObject;
  /** True where neither values nor managedFields changed, times apart: don't write. */
  unchanged: boolean;
}

/** Applies a configuration. `live` undefined creates. Throws ApplyError: 400 (managedFields set, wrong version, no name),
 * 404 is the caller's (a subresource of nothing), 409 (Conflict with causes), 500 (failed to create typed patch object). */
export declare function apply(
  type: ObjectType,
  live: JsonObject | undefined,
  config: JsonObject,
  options: ApplyOptions,
): ApplyResult;

/** managedFields after a POST, PUT or one of the patches; undefined for none. `object` is the new object (defaulted, pruned) that may carry
 * managedFields of its own: `[{}]` resets, absent keeps the live one's. Never fails: an undecodable list counts as kept. */
export declare function updateManagedFields(
  type: ObjectType,
  live: JsonObject | undefined,
  object: JsonObject,
  writer: Writer,
): ManagedFieldsEntry[] | undefined;

/** After defaulting and validation of an apply's result: whether it differs from live but for managedFields' times, so whether to write. */
export declare function sameObject(a: JsonObject | undefined, b: JsonObject | undefined): boolean;

/** An error to be answered with a Status. */
export declare class ApplyError extends Error {
  readonly code: 400 | 409 | 422 | 500;
  /** metav1.StatusReason. */
  readonly reason: 'BadRequest' | 'Conflict' | 'Invalid' | 'InternalError';
  /** status.details.causes, for conflicts one per field. */
  readonly causes: readonly { reason: string; message: string; field: string }[];
}

/** RFC 7386. */
export declare function mergePatch(target: JsonObject, patch: unknown): JsonObject;

/** RFC 6902 with the server's texts. Throws ApplyError 422 (path missing, test failed) or 400 (not a patch). At most 10,000 operations (413 is the caller's). */
export declare function jsonPatch(target: JsonObject, patch: unknown): JsonObject;

/** Strategic merge patch with $patch, $retainKeys, $setElementOrder/x, $deleteFromPrimitiveList/x. Throws ApplyError 400 or 422. */
export declare function strategicMergePatch(type: JsonSchema, target: JsonObject, patch: unknown): JsonObject;
