import { CelError } from './errors.ts';
import { mapKey, ObjectValue, Optional, typeName, Uint } from './values.ts';

/** The value of a field. Throws `no such key: x`. */
export function select(of: unknown, field: string): unknown {
  if (of instanceof Optional) return present(of, field, true);
  const value = lookup(of, field);
  if (value === undefined) throw new CelError(`no such key: ${field}`);
  return value;
}

/** Whether a field is set, or (`asOptional`) its value as an optional. */
export function present(of: unknown, field: string, asOptional: true): Optional;
export function present(of: unknown, field: string, asOptional: false): boolean;
export function present(of: unknown, field: string, asOptional: boolean): Optional | boolean {
  if (of instanceof Optional) {
    if (!of.present) return asOptional ? Optional.none : false;
    return asOptional ? present(of.value, field, true) : present(of.value, field, false);
  }
  const value = lookup(of, field);
  if (!asOptional) return value !== undefined;
  return value === undefined ? Optional.none : new Optional(value);
}

function lookup(of: unknown, field: string): unknown {
  if (of instanceof ObjectValue) return of.get(field);
  if (of instanceof Map) return (of as Map<unknown, unknown>).get(field);
  throw new CelError(of === null ? `no such key: ${field}` : `no such overload: ${typeName(of)}.${field}`);
}

/** `of[index]`, or (`asOptional`) as an optional. */
export function indexValue(of: unknown, index: unknown, asOptional: boolean): unknown {
  if (of instanceof Optional) return of.present ? indexValue(of.value, index, true) : Optional.none;
  if (Array.isArray(of)) return listEntry(of as unknown[], index, asOptional);
  if (of instanceof Map) {
    const value = (of as Map<unknown, unknown>).get(mapKey(index));
    if (asOptional) return value === undefined ? Optional.none : new Optional(value);
    if (value === undefined)
      throw new CelError(`no such key: ${index instanceof Uint ? index.value : String(index)}`);
    return value;
  }
  throw new CelError('no such overload');
}

function listEntry(items: readonly unknown[], index: unknown, asOptional: boolean): unknown {
  const at = mapKey(index);
  if (typeof at !== 'bigint') throw new CelError(`unsupported index type '${typeName(index)}' in list`);
  const inside = at >= 0n && at < BigInt(items.length);
  if (asOptional) return inside ? new Optional(items[Number(at)]) : Optional.none;
  if (!inside) throw new CelError(`index out of bounds: ${at}`);
  return items[Number(at)];
}
