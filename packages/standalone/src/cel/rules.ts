import {
  equalJson,
  type FieldError,
  invalid,
  type JsonObject,
  type JsonSchema,
  required,
  forbidden,
  duplicate,
  stringifyJson,
  type ValidationRule,
} from '../schema/index.ts';
import { compile, type Program } from './compile.ts';
import { type Declaration, declare } from './convert.ts';
import { CelError, CostError } from './errors.ts';
import { KUBERNETES } from './library/index.ts';
import { optional } from './types.ts';
import { Optional } from './values.ts';

/** All rules of one schema, compiled. */
export interface SchemaRules {
  /** Errors of compilation, to be causes of a 422 for the CRD. */
  readonly errors: readonly FieldError[];
  /** How many rules run. */
  readonly count: number;
}

interface Rule {
  readonly source: ValidationRule;
  readonly program: Program;
  readonly message: Program | undefined;
  readonly usesOld: boolean;
  readonly path: string;
}

/** A schema's node with rules in it or below it. */
interface RuleNode {
  readonly schema: JsonSchema;
  readonly declaration: Declaration;
  readonly rules: readonly Rule[];
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  readonly items: RuleNode | undefined;
}

interface CompiledRules extends SchemaRules {
  readonly root: RuleNode | undefined;
}

/** Compiles every `x-kubernetes-validations` in a schema. `path` is where the schema stands in the CRD. Never throws: rules
 * that don't compile are in `errors` and are not run. */
export function compileSchemaRules(schema: JsonSchema, path = ''): SchemaRules {
  const errors: FieldError[] = [];
  const counter = { count: 0 };
  const root = compileNode(schema, { path, root: true, uncorrelatable: undefined }, errors, counter);
  const compiled: CompiledRules = { errors, count: counter.count, root };
  return compiled;
}

/** Where a node stands: in the CRD, and in which list it can't be told which old value is its own. */
interface Place {
  path: string;
  root: boolean;
  uncorrelatable: string | undefined;
}

function compileNode(
  schema: JsonSchema,
  place: Place,
  errors: FieldError[],
  counter: { count: number },
): RuleNode | undefined {
  const { path, root, uncorrelatable } = place;
  const declaration = declare(schema, 'selfType', root);
  const below = (inner: JsonSchema, step: string, within = uncorrelatable): RuleNode | undefined => {
    const at = { path: `${path}${step}`, root: false, uncorrelatable: within };
    return compileNode(inner, at, errors, counter);
  };
  const properties = new Map<string, RuleNode>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const node = below(property, `.properties[${key}]`);
    if (node !== undefined) properties.set(key, node);
  }
  const extra = schema.additionalProperties;
  const additional = typeof extra === 'object' ? below(extra, '.additionalProperties') : undefined;
  const keyed = schema['x-kubernetes-list-type'] === 'map';
  const items =
    schema.items === undefined
      ? undefined
      : below(schema.items, '.items', uncorrelatable ?? (keyed ? undefined : path));
  if (declaration === undefined) return undefined;
  const sources = schema['x-kubernetes-validations'] ?? [];
  const rules = sources.flatMap((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    return compileRule(rule, declaration, at, uncorrelatable, errors);
  });
  counter.count += rules.length;
  if (rules.length === 0 && properties.size === 0 && additional === undefined && items === undefined)
    return undefined;
  return { schema, declaration, rules, properties, additional, items };
}

/** A rule as the real server shows it in an error: Go's field names, HTML escaped. */
function ruleText(rule: ValidationRule): string {
  const {
    rule: Rule,
    message: Message = '',
    messageExpression: MessageExpression = '',
    reason: Reason = null,
  } = rule;
  const { fieldPath: FieldPath = '', optionalOldSelf: OptionalOldSelf = null } = rule;
  const text = JSON.stringify({ Rule, Message, MessageExpression, Reason, FieldPath, OptionalOldSelf });
  return text.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

function compileRule(
  source: ValidationRule,
  declaration: Declaration,
  path: string,
  uncorrelatable: string | undefined,
  errors: FieldError[],
): Rule[] {
  if (source.rule.trim() === '') {
    errors.push(required(`${path}.rule`, 'rule is not specified'));
    return [];
  }
  if (source.rule.trim().includes('\n') && (source.message ?? '') === '')
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  const oldSelf = source.optionalOldSelf === true ? optional(declaration.type) : declaration.type;
  const variables = { self: declaration.type, oldSelf };
  const attempt = (text: string, field: string, prefix: string, wanted: string): Program | undefined => {
    const wrong = (detail: string): undefined => {
      const message = `Invalid value: ${ruleText(source)}: ${detail}`;
      errors.push({ reason: 'FieldValueInvalid', message, field: `${path}.${field}` });
    };
    try {
      const program = compile(text, KUBERNETES, variables);
      if (program.type.kind === wanted || program.type.kind === 'dyn') return program;
      return wrong(
        wanted === 'bool' ? 'cel expression must evaluate to a bool' : `${field} must evaluate to a string`,
      );
    } catch (error) {
      return wrong(prefix + (error instanceof Error ? error.message : String(error)));
    }
  };
  const program = attempt(source.rule, 'rule', '', 'bool');
  if (program === undefined) return [];
  const text = source.messageExpression ?? '';
  const message =
    text === '' ? undefined : attempt(text, 'messageExpression', 'messageExpression ', 'string');
  const usesOld = program.uses.has('oldSelf');
  if (usesOld && uncorrelatable !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    errors.push(invalid(`${path}.rule`, source.rule, detail));
  } else if (!usesOld && source.optionalOldSelf !== undefined) {
    const detail = 'may not be set if oldSelf is not used in rule';
    errors.push(invalid(`${path}.optionalOldSelf`, source.optionalOldSelf, detail));
  }
  return [{ source, program, message, usesOld, path: normalFieldPath(source.fieldPath) }];
}

/** `.foo['bar']` as the path of an error: `foo[bar]`. */
function normalFieldPath(path: string | undefined): string {
  return (path ?? '').replace(/^\./, '').replace(/\['((?:[^'\\]|\\.)*)'\]/g, '[$1]');
}

/** Runs the rules. Without `old` (a create) transition rules are left out; with it they run where old and new correlate: fields
 * of objects and maps, entries of list-type map by key. Don't call it where `blocksRules` says so. */
export function runSchemaRules(rules: SchemaRules, object: JsonObject, old?: JsonObject): FieldError[] {
  const { root } = rules as CompiledRules;
  const errors: FieldError[] = [];
  if (root === undefined) return errors;
  try {
    run(root, object, old, '', old !== undefined, errors);
  } catch (error) {
    if (!(error instanceof CostError)) throw error;
  }
  return errors;
}

/** `ratchet`: this is an update, so that errors of values that did not change are let pass. */
function run(
  node: RuleNode,
  value: unknown,
  old: unknown,
  path: string,
  ratchet: boolean,
  errors: FieldError[],
): void {
  if (value === null || value === undefined) return;
  if (node.rules.length > 0) runRules(node, value, old, path, ratchet, errors);
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    const oldEntry = correlate(node.schema, old);
    for (const [i, item] of value.entries())
      run(node.items, item, oldEntry(item), `${path}[${i}]`, ratchet, errors);
  } else if (typeof value === 'object') {
    const before =
      typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as JsonObject) : undefined;
    for (const [key, item] of Object.entries(value as JsonObject)) {
      const property = node.properties.get(key);
      if (property !== undefined)
        run(property, item, before?.[key], path === '' ? key : `${path}.${key}`, ratchet, errors);
      else if (node.additional !== undefined)
        run(node.additional, item, before?.[key], `${path}[${key}]`, ratchet, errors);
    }
  }
}

function correlate(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined;
  const keyText = (item: unknown): string => {
    const entry = (typeof item === 'object' && item !== null ? item : {}) as JsonObject;
    return stringifyJson(keys.map((key) => entry[key] ?? schema.items?.properties?.[key]?.default ?? null));
  };
  const byKey = new Map<string, unknown>(old.map((item: unknown) => [keyText(item), item]));
  return (item) => byKey.get(keyText(item));
}

function runRules(
  node: RuleNode,
  value: unknown,
  old: unknown,
  path: string,
  ratchet: boolean,
  errors: FieldError[],
): void {
  const type = node.schema.type ?? '';
  const field = path === '' ? '<nil>' : path;
  let self: unknown;
  let oldSelf: unknown;
  try {
    self = node.declaration.convert(value);
    oldSelf = old === undefined || old === null ? undefined : node.declaration.convert(old);
  } catch (error) {
    errors.push(invalid(field, type, error instanceof Error ? error.message : String(error)));
    return;
  }
  let unchanged: boolean | undefined;
  for (const rule of node.rules) {
    if (rule.usesOld && oldSelf === undefined && rule.source.optionalOldSelf !== true) continue;
    const asOptional = rule.source.optionalOldSelf === true;
    const before = asOptional ? (oldSelf === undefined ? Optional.none : new Optional(oldSelf)) : oldSelf;
    const variables = { self, oldSelf: before };
    let holds: unknown;
    try {
      holds = rule.program.evaluate(variables);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      errors.push(invalid(field, type, runtimeText(error, rule.source)));
      if (error instanceof CostError) throw error;
      continue;
    }
    if (holds === true) continue;
    if (ratchet && !rule.usesOld) {
      unchanged ??= old !== undefined && equalJson(value, old);
      if (unchanged) continue;
    }
    errors.push(failure(rule, variables, value, path));
  }
}

function runtimeText(error: CelError, rule: ValidationRule): string {
  const shown = rule.rule.trim();
  if (error instanceof CostError)
    return `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`;
  if (error.message.startsWith('no such overload'))
    return `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`;
  return `${error.message} evaluating rule: ${shown}`;
}

function failure(rule: Rule, variables: Record<string, unknown>, value: unknown, path: string): FieldError {
  const field =
    rule.path === ''
      ? path
      : path === ''
        ? rule.path
        : rule.path.startsWith('[')
          ? path + rule.path
          : `${path}.${rule.path}`;
  const shown = field === '' ? '<nil>' : field;
  const detail = messageOf(rule, variables);
  switch (rule.source.reason) {
    case 'FieldValueForbidden':
      return forbidden(shown, detail);
    case 'FieldValueRequired':
      return required(shown, detail);
    case 'FieldValueDuplicate':
      return typeof value === 'object'
        ? { reason: 'FieldValueDuplicate', message: 'Duplicate value', field: shown }
        : duplicate(shown, value);
    case 'FieldValueInvalid':
    case undefined:
    default:
      // Objects and lists are not shown whole.
      return typeof value === 'object'
        ? { reason: 'FieldValueInvalid', message: `Invalid value: ${detail}`, field: shown }
        : invalid(shown, value, detail);
  }
}

function messageOf(rule: Rule, variables: Record<string, unknown>): string {
  if (rule.message !== undefined) {
    try {
      const text = rule.message.evaluate(variables);
      // A message must be one line of text; if it isn't, the fixed one stands in.
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
    }
  }
  const message = rule.source.message?.trim() ?? '';
  return message === '' ? `failed rule: ${rule.source.rule.trim()}` : message;
}
