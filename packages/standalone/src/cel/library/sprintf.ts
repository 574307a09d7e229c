import { fail } from '../errors.ts';
import { Duration, Timestamp, TypeValue, typeName, Uint } from '../values.ts';
import { Cidr, Ip } from './network.ts';
import { durationText, timestampText } from './time.ts';

/** `format`: %s %d %f %e %b %o %x %X and %%. Throws CelError for arguments that don't fit. */
export function formatText(pattern: string, args: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(
    /%(%|(?:\.(\d+))?(.)?)/gs,
    (_found, what: string, precision: string | undefined, clause: string | undefined) => {
      if (what === '%') return '%';
      if (next >= args.length) return fail(`index ${next} out of range`);
      return clauseText(clause ?? '', args[next++], precision === undefined ? 6 : Number(precision));
    },
  );
}

function clauseText(clause: string, value: unknown, precision: number): string {
  switch (clause) {
    case 's':
      return valueText(value);
    case 'd':
      return numeric(value)
        ? valueText(value)
        : fail(`decimal clause can only be used on integers, was given ${typeName(value)}`);
    case 'f':
      return special(value) ?? asNumber(value, 'fixed-point').toFixed(precision);
    case 'e':
      return (
        special(value) ??
        asNumber(value, 'scientific')
          .toExponential(precision)
          .replace(/e([+-])(\d+)$/, (_e, sign: string, digits: string) => `×10${superscript(sign, digits)}`)
      );
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : whole(value, 'binary').toString(2);
    case 'o':
      return whole(value, 'octal').toString(8);
    case 'x':
      return hex(value);
    case 'X':
      return hex(value).toUpperCase();
    default:
      return fail(`unrecognized formatting clause "${clause}"`);
  }
}

/** cel-go writes exponents raised: `3.140000×10⁰⁰`. */
function superscript(sign: string, digits: string): string {
  const raised = Array.from(digits.padStart(2, '0'), (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]).join('');
  return (sign === '-' ? '⁻' : '') + raised;
}

const numeric = (value: unknown): boolean =>
  typeof value === 'bigint' || value instanceof Uint || typeof value === 'number';

function special(value: unknown): string | undefined {
  if (typeof value !== 'number' || Number.isFinite(value)) return undefined;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function asNumber(value: unknown, clause: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  return fail(`${clause} clause can only be used on doubles, was given ${typeName(value)}`);
}

function whole(value: unknown, clause: string): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return value.value;
  return fail(`only integers and bools can be formatted as ${clause}, was given ${typeName(value)}`);
}

function hex(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return whole(value, 'hex').toString(16);
}

/** A value as %s writes it. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (value instanceof Map) {
    const entries = [...(value as Map<unknown, unknown>)].map(([k, v]) => `${valueText(k)}: ${valueText(v)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return special(value) ?? String(value);
  if (value instanceof Ip || value instanceof Cidr) return value.toString();
  return fail(`could not convert argument ${typeName(value)} to string`);
}
