import { type FieldError, invalid, type JsonObject, required } from '../schema/index.ts';
import { Lazy } from './code.ts';
import { compile, type Program } from './compile.ts';
import { untyped } from './convert.ts';
import { CelError } from './errors.ts';
import { type Authorizer, AUTHORIZER_TYPE, Check } from './library/authorizer.ts';
import { KUBERNETES } from './library/index.ts';
import { DYN, type Type } from './types.ts';

/** ValidatingAdmissionPolicy, the part of `spec` that is evaluated here. Matching of resources and params is the server's. */
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

/** A policy compiled once. */
export interface CompiledPolicy {
  readonly spec: PolicySpec;
  /** Errors of compilation, as causes for a 422 of the policy; fields are `spec.validations[0].expression` and so on. */
  readonly errors: readonly FieldError[];
}

/** One failed validation. `reason` gives the HTTP code: Unauthorized 401, Forbidden 403, Invalid 422, RequestEntityTooLarge 413. */
export interface PolicyDenial {
  message: string;
  reason: 'Unauthorized' | 'Forbidden' | 'Invalid' | 'RequestEntityTooLarge';
  /** Index in `spec.validations`, or -1 for a match condition that could not be evaluated. */
  validation: number;
}

/** What a policy says to a request. */
export type PolicyResult =
  /** A match condition is false (or, with failurePolicy Ignore, can't be evaluated): the policy has nothing to say. */
  { matched: false } | { matched: true; denials: PolicyDenial[]; auditAnnotations: Record<string, string> };

interface Compiled extends CompiledPolicy {
  readonly variables: readonly { name: string; program: Program }[];
  readonly conditions: readonly { expression: string; program: Program }[];
  readonly validations: readonly { program: Program; message: Program | undefined }[];
  readonly annotations: readonly { key: string; program: Program }[];
}

/** Variables of every expression; `params` only where the policy has a paramKind. */
function baseTypes(spec: PolicySpec): Record<string, Type> {
  const check: Type = { kind: 'opaque', name: AUTHORIZER_TYPE };
  const types: Record<string, Type> = {
    object: DYN,
    oldObject: DYN,
    request: DYN,
    namespaceObject: DYN,
    authorizer: check,
  };
  types['authorizer.requestResource'] = { kind: 'opaque', name: 'kubernetes.authorization.ResourceCheck' };
  if (spec.paramKind !== undefined) types['params'] = DYN;
  return types;
}

/** Compiles a policy. Never throws; look at `errors`. */
export function compilePolicy(spec: PolicySpec): CompiledPolicy {
  const errors: FieldError[] = [];
  const base = baseTypes(spec);
  const attempt = (
    text: string | undefined,
    field: string,
    types: Record<string, Type>,
    kinds?: string[],
  ): Program | undefined => {
    if (text === undefined || text.trim() === '') {
      errors.push(required(field, `${field.split('.').at(-1) ?? 'expression'} is not specified`));
      return undefined;
    }
    try {
      const program = compile(text, KUBERNETES, types);
      if (kinds === undefined || program.type.kind === 'dyn' || kinds.includes(program.type.kind))
        return program;
      errors.push(
        invalid(field, text, kinds.includes('bool') ? 'must evaluate to bool' : 'must evaluate to string'),
      );
    } catch (error) {
      errors.push(invalid(field, text, error instanceof Error ? error.message : String(error)));
    }
    return undefined;
  };
  const conditions = compileConditions(spec, base, attempt);
  const all = { ...base };
  const fields = new Map<string, { key: string; type: Type; convert: (v: unknown) => unknown }>();
  all['variables'] = { kind: 'object', name: 'kubernetes.variables', fields };
  const variables = (spec.variables ?? []).flatMap(({ name, expression }, i) => {
    // A variable sees those before it.
    const seen: Record<string, Type> = {
      ...all,
      variables: { kind: 'object', name: 'kubernetes.variables', fields: new Map(fields) },
    };
    const program = attempt(expression, `spec.variables[${i}].expression`, seen);
    fields.set(name, { key: name, type: program?.type ?? DYN, convert: (v) => v });
    return program === undefined ? [] : [{ name, program }];
  });
  const validations = (spec.validations ?? []).flatMap(({ expression, messageExpression }, i) => {
    const program = attempt(expression, `spec.validations[${i}].expression`, all, ['bool']);
    const message =
      messageExpression === undefined || messageExpression === ''
        ? undefined
        : attempt(messageExpression, `spec.validations[${i}].messageExpression`, all, ['string']);
    return program === undefined ? [] : [{ program, message }];
  });
  const annotations = (spec.auditAnnotations ?? []).flatMap(({ key, valueExpression }, i) => {
    const program = attempt(valueExpression, `spec.auditAnnotations[${i}].valueExpression`, all, [
      'string',
      'null',
    ]);
    return program === undefined ? [] : [{ key, program }];
  });
  const compiled: Compiled = { spec, errors, variables, conditions, validations, annotations };
  return compiled;
}

function compileConditions(
  spec: PolicySpec,
  types: Record<string, Type>,
  attempt: (
    text: string | undefined,
    field: string,
    types: Record<string, Type>,
    kinds?: string[],
  ) => Program | undefined,
): Compiled['conditions'] {
  return (spec.matchConditions ?? []).flatMap(({ expression }, i) => {
    const program = attempt(expression, `spec.matchConditions[${i}].expression`, types, ['bool']);
    return program === undefined ? [] : [{ expression, program }];
  });
}

/** Evaluates match conditions, then all validations; variables lazily and once. An expression that fails counts as the
 * failurePolicy says. A policy that did not compile denies (or is passed over) as a whole. */
export function evaluatePolicy(policy: CompiledPolicy, input: PolicyInput): PolicyResult {
  const { spec, errors, variables, conditions, validations, annotations } = policy as Compiled;
  const fail = spec.failurePolicy !== 'Ignore';
  if (errors.length > 0) {
    const denials = errors.map((e) => ({
      message: `compilation error: ${e.message}`,
      reason: 'Invalid' as const,
      validation: -1,
    }));
    return fail ? { matched: true, denials, auditAnnotations: {} } : { matched: false };
  }
  const values = bindings(input);
  const conditionError = checkConditions(conditions, values);
  if (conditionError === false) return { matched: false };
  if (typeof conditionError === 'string') {
    if (!fail) return { matched: false };
    return {
      matched: true,
      denials: [{ message: conditionError, reason: 'Invalid', validation: -1 }],
      auditAnnotations: {},
    };
  }
  bindVariables(variables, values);
  const denials = validations.flatMap((v, i) => judge(v, i, spec, values, fail));
  return { matched: true, denials, auditAnnotations: annotate(annotations, values) };
}

function bindings(input: PolicyInput): Record<string, unknown> {
  const authorizer = new Check(
    AUTHORIZER_TYPE,
    input.authorizer ?? (() => ({ allowed: false, reason: 'no authorizer' })),
  );
  return {
    object: new Lazy(() => untyped(input.object)),
    oldObject: new Lazy(() => untyped(input.oldObject)),
    request: new Lazy(() => untyped(input.request)),
    params: new Lazy(() => untyped(input.params ?? null)),
    namespaceObject: new Lazy(() => untyped(input.namespaceObject ?? null)),
    authorizer,
    'authorizer.requestResource': new Lazy(() => requestResource(authorizer, input.request)),
  };
}

function requestResource(authorizer: Check, request: JsonObject): Check {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const resource = (request['resource'] ?? {}) as JsonObject;
  return authorizer.with('kubernetes.authorization.ResourceCheck', {
    group: text(resource['group']),
    resource: text(resource['resource']),
    subresource: text(request['subResource']),
    namespace: text(request['namespace']),
    name: text(request['name']),
  });
}

/** true: all hold; false: one does not; a text: none is false but one can't be evaluated. */
function checkConditions(
  conditions: Compiled['conditions'],
  values: Record<string, unknown>,
): boolean | string {
  let wrong: string | undefined;
  for (const { expression, program } of conditions) {
    try {
      if (program.evaluate(values) !== true) return false;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      wrong ??= `expression '${expression}' resulted in error: ${error.message}`;
    }
  }
  return wrong ?? true;
}

/** Variables by name, each computed when it is first asked for. */
class Variables extends Map<unknown, unknown> {
  override get(name: unknown): unknown {
    const value = super.get(name);
    return value instanceof Lazy ? value.get() : value;
  }
}

function bindVariables(variables: Compiled['variables'], values: Record<string, unknown>): void {
  const made = new Variables();
  values['variables'] = made;
  for (const { name, program } of variables) made.set(name, new Lazy(() => program.evaluate(values)));
}

function judge(
  validation: Compiled['validations'][number],
  index: number,
  spec: PolicySpec,
  values: Record<string, unknown>,
  fail: boolean,
): PolicyDenial[] {
  const source = spec.validations?.[index];
  const expression = source?.expression.trim() ?? '';
  try {
    if (validation.program.evaluate(values) === true) return [];
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const message = `expression '${expression}' resulted in error: ${error.message}`;
    return fail ? [{ message, reason: 'Invalid', validation: index }] : [];
  }
  const message =
    evaluated(validation.message, values) ?? nonEmpty(source?.message) ?? `failed expression: ${expression}`;
  const reason = source?.reason;
  const known =
    reason === 'Unauthorized' || reason === 'Forbidden' || reason === 'RequestEntityTooLarge'
      ? reason
      : 'Invalid';
  return [{ message, reason: known, validation: index }];
}

const nonEmpty = (text: string | undefined): string | undefined =>
  text === undefined || text.trim() === '' ? undefined : text.trim();

function evaluated(program: Program | undefined, values: Record<string, unknown>): string | undefined {
  if (program === undefined) return undefined;
  try {
    const text = program.evaluate(values);
    return typeof text === 'string' && !text.includes('\n') ? nonEmpty(text) : undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return undefined;
  }
}

function annotate(
  annotations: Compiled['annotations'],
  values: Record<string, unknown>,
): Record<string, string> {
  const out: Record<string, string> = {};
  for (const { key, program } of annotations) {
    const text = evaluated(program, values);
    if (text !== undefined) out[key] = text;
  }
  return out;
}
