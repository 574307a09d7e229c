/** Structural schemas: compile once, then prune, default and validate objects; and JSON as the server reads it. */
export { type CompiledSchema, compilePattern, compileSchema } from './compile.ts';
export { applyDefaults } from './defaults.ts';
export { equalJson } from './equal.ts';
export { getKey, JsonError, type ParsedJson, parseJson, setKey, stringifyJson } from './json.ts';
export {
  aggregateMessage,
  blocksRules,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
  valueText,
} from './messages.ts';
export { prune, unknownFields } from './prune.ts';
export { checkStructural } from './structural.ts';
export type { CauseReason, FieldError, JsonObject, JsonSchema, ValidationRule } from './types.ts';
export { validate, validateStatus } from './validate.ts';
