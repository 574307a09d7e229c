import type { Node } from './compile.ts';
import { invalid } from './messages.ts';
import type { FieldError } from './types.ts';

/** What is wrong with a number: its range by type and format, then multipleOf, minimum and maximum. */
export function numberErrors(value: number | bigint, node: Node, path: string, errors: FieldError[]): void {
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node.source;
  if (node.types.length === 1 && node.types[0] === 'integer' && !fits(value, node.format)) {
    const format =
      node.format === 'int32' || node.format === 'int64' ? `with format ${node.format}` : '(default format)';
    errors.push(invalid('<nil>', '', `Checked value must be of type integer ${format} in ${path}`));
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    errors.push(invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`));
  }
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    const limit = exclusiveMinimum === true ? 'greater than' : 'greater than or equal to';
    errors.push(invalid(path, value, `${path} in body should be ${limit} ${minimum}`));
  }
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    const limit = exclusiveMaximum === true ? 'less than' : 'less than or equal to';
    errors.push(invalid(path, value, `${path} in body should be ${limit} ${maximum}`));
  }
}

function fits(value: number | bigint, format: string | undefined): boolean {
  if (typeof value === 'number' && !Number.isInteger(value)) return false;
  if (format === 'int32') return value >= -2147483648 && value <= 2147483647;
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') return Number.isInteger(factor) ? value % BigInt(factor) === 0n : true;
  // As kube-openapi does it: 0.3 is a multiple of 0.1, though 0.3 / 0.1 isn't an integer.
  return Number.isInteger(factor < 1 ? (1 / factor) * value : value / factor);
}
