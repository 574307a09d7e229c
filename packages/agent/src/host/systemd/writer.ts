import { alignmentOf, MarshalError, padded, splitSignature, Variant } from './signature.ts';
import type { DBusValue } from './signature.ts';

/** Writes values little-endian. Offsets count from the beginning of the buffer, which must be the message's or its body's. */
export class Writer {
  #buffer = Buffer.alloc(256);
  #length = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes one value per complete type of the signature. */
  writeAll(signature: string, values: readonly DBusValue[]): void {
    const types = splitSignature(signature);
    if (types.length !== values.length) {
      throw new MarshalError(
        `signature '${signature}' needs ${types.length} values and got ${values.length}`,
      );
    }
    for (const [index, type] of types.entries()) this.write(type, values[index] ?? '');
  }

  align(alignment: number): void {
    const end = padded(this.#length, alignment);
    this.#grow(end - this.#length);
    this.#buffer.fill(0, this.#length, end);
    this.#length = end;
  }

  /** Writes one value of one complete type. */
  write(type: string, value: DBusValue): void {
    this.align(alignmentOf(type));
    switch (type.charAt(0)) {
      case 's':
      case 'o':
        return this.#string(type, expect(type, value, 'string'));
      case 'g':
        return this.#signature(expect(type, value, 'string'));
      case 'v':
        return this.#variant(value);
      case 'a':
        return this.#array(type, value);
      case '(':
        return this.#struct(type, value);
      default:
        return this.#number(type, value);
    }
  }

  #number(type: string, value: DBusValue): void {
    const size = alignmentOf(type);
    this.#grow(size);
    const at = this.#length;
    this.#length += size;
    const buffer = this.#buffer;
    try {
      if (type === 'b') buffer.writeUInt32LE(expect(type, value, 'boolean') ? 1 : 0, at);
      else if (type === 'x') buffer.writeBigInt64LE(integer64(type, value), at);
      else if (type === 't') buffer.writeBigUInt64LE(integer64(type, value), at);
      else if (type === 'd') buffer.writeDoubleLE(expect(type, value, 'number'), at);
      else if (type === 'y') buffer.writeUInt8(expect(type, value, 'number'), at);
      else if (type === 'n') buffer.writeInt16LE(expect(type, value, 'number'), at);
      else if (type === 'q') buffer.writeUInt16LE(expect(type, value, 'number'), at);
      else if (type === 'i') buffer.writeInt32LE(expect(type, value, 'number'), at);
      else buffer.writeUInt32LE(expect(type, value, 'number'), at);
    } catch (error) {
      if (error instanceof RangeError)
        throw new MarshalError(`a value does not fit type '${type}': ${error.message}`, { cause: error });
      throw error;
    }
  }

  #string(type: string, text: string): void {
    if (text.includes('\0')) throw new MarshalError(`a value of type '${type}' contains a NUL byte`);
    const size = Buffer.byteLength(text);
    this.#number('u', size);
    this.#grow(size + 1);
    this.#buffer.write(text, this.#length, 'utf8');
    this.#buffer[this.#length + size] = 0;
    this.#length += size + 1;
  }

  #signature(text: string): void {
    splitSignature(text);
    if (text.length > 255) throw new MarshalError('a signature is longer than 255 bytes');
    this.#grow(text.length + 2);
    this.#buffer[this.#length] = text.length;
    this.#buffer.write(text, this.#length + 1, 'latin1');
    this.#buffer[this.#length + 1 + text.length] = 0;
    this.#length += text.length + 2;
  }

  #variant(value: DBusValue): void {
    if (!(value instanceof Variant) || splitSignature(value.signature).length !== 1) {
      throw new MarshalError('a variant needs exactly one complete type');
    }
    this.#signature(value.signature);
    this.write(value.signature, value.value);
  }

  #array(type: string, value: DBusValue): void {
    const element = type.slice(1);
    this.#number('u', 0);
    const sizeAt = this.#length - 4;
    this.align(alignmentOf(element));
    const start = this.#length;
    if (element.startsWith('{')) {
      if (!(value instanceof Map)) throw new MarshalError(`type '${type}' needs a Map`);
      const [keyType = '', valueType = ''] = splitSignature(element.slice(1, -1));
      for (const [key, item] of value) {
        this.align(8);
        this.write(keyType, key);
        this.write(valueType, item);
      }
    } else {
      if (!isList(value)) throw new MarshalError(`type '${type}' needs an array`);
      for (const item of value) this.write(element, item);
    }
    this.#buffer.writeUInt32LE(this.#length - start, sizeAt);
  }

  #struct(type: string, value: DBusValue): void {
    if (!isList(value)) throw new MarshalError(`type '${type}' needs an array of its fields`);
    this.writeAll(type.slice(1, -1), value);
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#buffer.length) return;
    const bigger = Buffer.alloc((this.#length + by) * 2);
    this.#buffer.copy(bigger, 0, 0, this.#length);
    this.#buffer = bigger;
  }
}

function expect(type: string, value: DBusValue, wanted: 'string'): string;
function expect(type: string, value: DBusValue, wanted: 'number'): number;
function expect(type: string, value: DBusValue, wanted: 'boolean'): boolean;
function expect(type: string, value: DBusValue, wanted: string): unknown {
  if (typeof value !== wanted)
    throw new MarshalError(`type '${type}' needs a ${wanted} and got a ${typeof value}`);
  return value;
}

function integer64(type: string, value: DBusValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new MarshalError(`type '${type}' needs a bigint or a whole number and got a ${typeof value}`);
}

function isList(value: DBusValue): value is readonly DBusValue[] {
  return Array.isArray(value);
}
