/** An object as it was read from JSON. Integers beyond 2^53 are bigint (see `parseJson`); everything else is what JSON.parse gives. */
export type JsonObject = Record<string, unknown>;

/** A CEL rule of a schema (`x-kubernetes-validations`). */
export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** JSONSchemaProps of apiextensions.k8s.io/v1, the part that a structural schema can hold. */
export interface JsonSchema {
  type?: string;
  format?: string;
  title?: string;
  description?: string;
  default?: unknown;
  nullable?: boolean;
  required?: string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  not?: JsonSchema;
  example?: unknown;
  externalDocs?: unknown;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'granular' | 'atomic';
  'x-kubernetes-validations'?: ValidationRule[];
  /** Built-in kinds only: the merge key of a strategic merge patch where it is a list of objects merged by a key. */
  'x-kubernetes-patch-merge-key'?: string;
  /** Built-in kinds only: `merge`, `replace` or `retainKeys`, several divided by a comma. */
  'x-kubernetes-patch-strategy'?: string;
}

/** The `reason` of a cause in a Status, as metav1.CauseType. */
export type CauseReason =
  | 'FieldValueTypeInvalid'
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound';

/** One thing wrong with a field; the shape of `status.details.causes[]`. */
export interface FieldError {
  reason: CauseReason;
  /** Without the field, as in a cause: `Required value`. */
  message: string;
  /** `spec.taints[0].effect`; `<nil>` where the real server has no path. */
  field: string;
}
