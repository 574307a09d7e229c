import { stringifyJson } from './json.ts';
import type { CauseReason, FieldError } from './types.ts';

/** A value as apimachinery's field errors write it: strings quoted, the rest as JSON. */
export function valueText(value: unknown): string {
  return value === undefined ? 'null' : stringifyJson(value, { sortKeys: true });
}

/** `Invalid value: <value>: <detail>`. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${valueText(value)}: ${detail}`, field };
}

/** `Required value` or `Required value: <detail>`. */
export function required(field: string, detail = ''): FieldError {
  return { reason: 'FieldValueRequired', message: withDetail('Required value', detail), field };
}

/** `Forbidden: <detail>`. */
export function forbidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', message: withDetail('Forbidden', detail), field };
}

/** `Duplicate value: <value>`. */
export function duplicate(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${valueText(value)}`, field };
}

/** `Unsupported value: <value>: supported values: <allowed>`. */
export function notSupported(field: string, value: unknown, allowed: readonly unknown[]): FieldError {
  const list = allowed.map((a) => valueText(typeof a === 'string' ? a : valueText(a))).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${valueText(value)}: supported values: ${list}`,
    field,
  };
}

const withDetail = (text: string, detail: string): string => (detail === '' ? text : `${text}: ${detail}`);

/** `field: message`, or `[field: message, field: message]` for several, each told once: the tail of a Status' message. */
export function aggregateMessage(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

const BLOCKING: ReadonlySet<CauseReason> = new Set<CauseReason>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** Whether the errors keep CEL rules from being run: values whose very shape is wrong are not shown to rules. */
export function blocksRules(errors: readonly FieldError[]): boolean {
  return errors.some((e) => BLOCKING.has(e.reason));
}
