/** Structural schemas: compile once, then prune, default and validate objects. */
import type { FieldError, JsonObject, JsonSchema } from './types.ts';

export type { CauseReason, FieldError, JsonObject, JsonSchema, ValidationRule } from './types.ts';

/** A schema compiled once; opaque to callers but for the schema it came from. */
export interface CompiledSchema {
  readonly source: JsonSchema;
}

/** Compiles a schema. Throws an Error naming the path where a pattern is no RE2 expression. */
export declare function compileSchema(schema: JsonSchema): CompiledSchema;

/** Removes in place what the schema doesn't know; gives the paths removed (`spec.foo`, `spec.list[0].bar`).
 * At the root (and in embedded resources) apiVersion, kind and metadata stay. */
export declare function prune(object: JsonObject, schema: CompiledSchema): string[];

/** The paths that `prune` would remove, without touching the object; for fieldValidation Warn and Strict
 * the messages are `unknown field "<path>"`. */
export declare function unknownFields(object: JsonObject, schema: CompiledSchema): string[];

/** Fills defaults in place. `dropNulls` (default true) also drops a null where the schema doesn't allow one, as the
 * server does for POST, PUT and patches; server-side apply wants false. */
export declare function applyDefaults(
  object: JsonObject,
  schema: CompiledSchema,
  options?: { dropNulls?: boolean },
): void;

/** Validates everything below the root but `metadata` (whose rules are the server's own). Causes as the real server's,
 * in its order. With `old`, an error about a value that did not change is let pass (ratcheting, GA in 1.33). */
export declare function validate(object: JsonObject, schema: CompiledSchema, old?: JsonObject): FieldError[];

/** What keeps a schema from being structural (and so from being accepted in a CRD). `path` is the field that holds it,
 * for example `spec.validation.openAPIV3Schema` or `spec.versions[0].schema.openAPIV3Schema`. */
export declare function checkStructural(schema: JsonSchema, path: string): FieldError[];

/** `a: b` or `[a: b, c: d]`: the errors as the text of a Status message. */
export declare function aggregateMessage(errors: readonly FieldError[]): string;

/** Reads JSON. Integers beyond 2^53 become bigint. `duplicates` holds the paths of keys that came twice in one object
 * (the last one won): the strict messages are `duplicate field "<path>"`. Throws JsonError. */
export declare function parseJson(text: string): { value: unknown; duplicates: string[] };

/** Thrown by `parseJson`, with the words of Go's decoder. */
export declare class JsonError extends Error {}

/** JSON.stringify that writes bigint as a number. `sortKeys` for stable texts (as Go writes maps). */
export declare function stringifyJson(value: unknown, options?: { sortKeys?: boolean; indent?: number }): string;
