/** Server-side apply, managedFields and the three patches, as pure functions. Nothing here changes its input. */
export { apply, type ApplyOptions, type ApplyResult } from './apply.ts';
export { ApplyError, type ApplyErrorCode, type Cause, type Conflict, ConflictError } from './errors.ts';
export type { ManagedFieldsEntry } from './managed.ts';
export { mergePatch } from './mergepatch.ts';
export type { Writer } from './ownership.ts';
export { objectType, type ObjectType } from './type.ts';
export { sameObject, updateManagedFields } from './update.ts';
export { goValue } from './gotext.ts';
export { type FuzzOperation, randomOperations } from './fuzz.ts';
export { jsonPatch, MAX_JSON_PATCH_OPERATIONS } from './jsonpatch.ts';
export { strategicMergePatch } from './strategic.ts';
