import { alignmentOf, MarshalError, padded, splitSignature, Variant } from './signature.ts';
import type { DBusValue } from './signature.ts';

/** Reads values of either byte order. Offsets count from the beginning of the buffer. */
export class Reader {
  readonly #buffer: Buffer;
  readonly #little: boolean;
  #offset: number;

  constructor(buffer: Buffer, options: { readonly littleEndian: boolean; readonly offset?: number }) {
    this.#buffer = buffer;
    this.#little = options.littleEndian;
    this.#offset = options.offset ?? 0;
  }

  /** One value per complete type of the signature. */
  readAll(signature: string): readonly DBusValue[] {
    return splitSignature(signature).map((type) => this.read(type));
  }

  read(type: string): DBusValue {
    this.#offset = padded(this.#offset, alignmentOf(type));
    switch (type.charAt(0)) {
      case 's':
      case 'o':
        return this.#text(this.#number('u'));
      case 'g':
        return this.#text(this.#number('y'));
      case 'v':
        return this.#variant();
      case 'a':
        return this.#array(type);
      case '(':
        return splitSignature(type.slice(1, -1)).map((field) => this.read(field));
      case 'b':
        return this.#number('u') !== 0;
      case 'x':
        return this.#little
          ? this.#buffer.readBigInt64LE(this.#take(8))
          : this.#buffer.readBigInt64BE(this.#take(8));
      case 't':
        return this.#little
          ? this.#buffer.readBigUInt64LE(this.#take(8))
          : this.#buffer.readBigUInt64BE(this.#take(8));
      default:
        return this.#number(type);
    }
  }

  #number(type: string): number {
    const little = this.#little;
    const buffer = this.#buffer;
    const at = this.#take(alignmentOf(type));
    switch (type) {
      case 'y':
        return buffer.readUInt8(at);
      case 'n':
        return little ? buffer.readInt16LE(at) : buffer.readInt16BE(at);
      case 'q':
        return little ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
      case 'i':
        return little ? buffer.readInt32LE(at) : buffer.readInt32BE(at);
      case 'd':
        return little ? buffer.readDoubleLE(at) : buffer.readDoubleBE(at);
      default:
        return little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
    }
  }

  #text(size: number): string {
    const at = this.#take(size + 1);
    return this.#buffer.toString('utf8', at, at + size);
  }

  #variant(): Variant {
    const signature = this.#text(this.#number('y'));
    if (splitSignature(signature).length !== 1)
      throw new MarshalError(`variant with signature '${signature}'`);
    return new Variant(signature, this.read(signature));
  }

  #array(type: string): DBusValue {
    const element = type.slice(1);
    const size = this.#number('u');
    this.#offset = padded(this.#offset, alignmentOf(element));
    const end = this.#offset + size;
    if (end > this.#buffer.length)
      throw new MarshalError(`an array of ${size} bytes does not fit its message`);
    if (!element.startsWith('{')) {
      const items: DBusValue[] = [];
      while (this.#offset < end) items.push(this.read(element));
      return items;
    }
    const [keyType = '', valueType = ''] = splitSignature(element.slice(1, -1));
    const map = new Map<DBusValue, DBusValue>();
    while (this.#offset < end) {
      this.#offset = padded(this.#offset, 8);
      const key = this.read(keyType);
      map.set(key, this.read(valueType));
    }
    return map;
  }

  #take(size: number): number {
    const at = this.#offset;
    if (at + size > this.#buffer.length) throw new MarshalError('a message ends before its last value');
    this.#offset = at + size;
    return at;
  }
}
