/** CEL as Kubernetes uses it: rules of CRDs, and ValidatingAdmissionPolicies. */
import type { FieldError, JsonObject, JsonSchema } from '../schema/index.ts';

/** All rules of one schema, compiled. */
export interface SchemaRules {
  /** Errors of compilation, to be causes of a 422 for the CRD: field is the rule's path below the schema's. Rules in error are not run. */
  readonly errors: readonly FieldError[];
  /** How many rules run. */
  readonly count: number;
}

/** Compiles every `x-kubernetes-validations` in a schema. `path` is where the schema stands in the CRD. Never throws. */
export declare function compileSchemaRules(schema: JsonSchema, path?: string): SchemaRules;

/** Runs the rules. Without `old` (create) transition rules are skipped, with it they run where old and new correlate.
 * A rule that throws fails with the real server's text. */
export declare function runSchemaRules(rules: SchemaRules, object: JsonObject, old?: JsonObject): FieldError[];

/** ValidatingAdmissionPolicy, the part of `spec` that is evaluated here. Matching of resources is the server's. */
export interface PolicySpec {
  paramKind?: { apiVersion?: string; kind?: string };
  variables?: { name: string; expression: string }[];
  matchConditions?: { name: string; expression: string }[];
  validations?: { expression: string; message?: string; messageExpression?: string; reason?: string }[];
  auditAnnotations?: { key: string; valueExpression: string }[];
  failurePolicy?: 'Fail' | 'Ignore';
}

/** What a policy's expressions see. Left out means null in CEL. */
export interface PolicyInput {
  object: JsonObject | null;
  oldObject: JsonObject | null;
  /** AdmissionRequest: uid, kind, resource, subResource, name, namespace, operation, userInfo {username, uid, groups, extra}, dryRun, options. */
  request: JsonObject;
  params?: JsonObject | null;
  namespaceObject?: JsonObject | null;
  authorizer?: Authorizer;
}

/** Answers `authorizer.group(..).resource(..).check(verb)` and `authorizer.path(..).check(verb)` for the request's user. */
export type Authorizer = (query: {
  verb: string;
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Another service account's rights, where `authorizer.serviceAccount(namespace, name)` asked. */
  serviceAccount?: { namespace: string; name: string };
}) => { allowed: boolean; reason: string };

/** A policy compiled once. */
export interface CompiledPolicy {
  readonly spec: PolicySpec;
  /** Errors of compilation, as causes for a 422 of the policy; fields are `spec.validations[0].expression` and so on. */
  readonly errors: readonly FieldError[];
}

/** What a policy says to a request. */
export type PolicyResult =
  /** A match condition is false (or, with failurePolicy Ignore, can't be evaluated): the policy has nothing to say. */
  | { matched: false }
  | { matched: true; denials: PolicyDenial[]; auditAnnotations: Record<string, string> };

/** One failed validation. `reason` gives the HTTP code: Unauthorized 401, Forbidden 403, Invalid 422, RequestEntityTooLarge 413. */
export interface PolicyDenial {
  message: string;
  reason: 'Unauthorized' | 'Forbidden' | 'Invalid' | 'RequestEntityTooLarge';
  /** Index in `spec.validations`, or -1 for a match condition that could not be evaluated. */
  validation: number;
}

/** Compiles a policy. Never throws; look at `errors`. */
export declare function compilePolicy(spec: PolicySpec): CompiledPolicy;

/** Evaluates match conditions, then all validations; variables lazily, once. `matchConditions` of a binding are none in v1. */
export declare function evaluatePolicy(policy: CompiledPolicy, input: PolicyInput): PolicyResult;

/** A single expression for other uses. `evaluate` throws CelError. Values: int64 as bigint, double as number, lists, objects or Maps. */
export interface CompiledExpression {
  evaluate(variables: Record<string, unknown>): unknown;
}

/** Compiles an expression over the named variables (all dynamically typed). Throws CelError where it doesn't compile. */
export declare function compileExpression(text: string, variables: readonly string[]): CompiledExpression;

/** What went wrong with an expression, in cel-go's words. */
export declare class CelError extends Error {}

export type { JsonSchema };
