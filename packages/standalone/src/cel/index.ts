/** CEL as Kubernetes uses it: rules of CRDs, and ValidatingAdmissionPolicies. */
export { CelError } from './errors.ts';
export { type CompiledExpression, compileExpression } from './expression.ts';
export type { AuthorizationQuery, Authorizer } from './library/authorizer.ts';
export {
  type CompiledPolicy,
  compilePolicy,
  evaluatePolicy,
  type PolicyDenial,
  type PolicyInput,
  type PolicyResult,
  type PolicySpec,
} from './policy.ts';
export { compileSchemaRules, runSchemaRules, type SchemaRules } from './rules.ts';
