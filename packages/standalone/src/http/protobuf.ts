import { readFileSync } from 'node:fs';
import { isObj, time, type Obj } from '../object.ts';
import { badRequest } from './status.ts';

type Message = Record<string, [name: string, type: string, shape: '' | 'repeated' | 'map']>;

let messages: Record<string, Message> | undefined;

/** Messages of the built-in kinds, by full name; made by `generate/kubernetes.ts`. Read on first use. */
function descriptors(): Record<string, Message> {
  messages ??= JSON.parse(
    readFileSync(new URL('../kinds/generated/protobuf.json', import.meta.url), 'utf8'),
  ) as Record<string, Message>;
  return messages;
}

const MAGIC = 'k8s\0';
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const decoder = new TextDecoder();

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw badRequest('the protobuf body ends in the middle of a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw badRequest('the protobuf body has a number longer than 64 bits');
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint()));
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw badRequest('the protobuf body is shorter than it says');
    const out = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return out;
  }

  /** The next field: its number and its value, bytes or a number. */
  field(): [number, Uint8Array | bigint] {
    const tag = Number(this.varint());
    const wire = tag & 7;
    const number = tag >>> 3;
    if (wire === 0) return [number, this.varint()];
    if (wire === 2) return [number, this.bytes()];
    if (wire === 1) return [number, this.#take(8)];
    if (wire === 5) return [number, this.#take(4)];
    throw badRequest(`the protobuf body uses wire type ${wire}, which is not supported`);
  }
}

/**
 * Decodes `application/vnd.kubernetes.protobuf` into the object's JSON form.
 * @throws ApiError 400 for what is none, or is of a kind that is not known here.
 */
export function decodeProtobuf(body: Uint8Array): Obj {
  if (decoder.decode(body.subarray(0, 4)) !== MAGIC) {
    throw badRequest('the body is no Kubernetes protobuf: it does not begin with "k8s\\x00"');
  }
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  const envelope = new Reader(body.subarray(4));
  while (!envelope.done) {
    const [number, value] = envelope.field();
    if (typeof value === 'bigint') continue;
    if (number === 1) {
      const type = new Reader(value);
      while (!type.done) {
        const [field, text] = type.field();
        if (typeof text === 'bigint') continue;
        if (field === 1) apiVersion = decoder.decode(text);
        else if (field === 2) kind = decoder.decode(text);
      }
    } else if (number === 2) raw = value;
  }
  const found = messageFor(apiVersion, kind);
  if (!found) throw badRequest(`${kind} of ${apiVersion} can't be read as protobuf here; send JSON`);
  return { apiVersion, kind, ...message(raw, found) };
}

function messageFor(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? 'core' : (apiVersion.slice(0, slash).split('.')[0] ?? '');
  const names = [`k8s.io.api.${group}.${apiVersion.slice(slash + 1)}.${kind}`, `${META}${kind}`];
  return names.find((name) => Object.hasOwn(descriptors(), name));
}

function message(bytes: Uint8Array, type: string): Obj {
  const fields = descriptors()[type] ?? {};
  const reader = new Reader(bytes);
  const out: Obj = {};
  while (!reader.done) {
    const [number, raw] = reader.field();
    const field = fields[number];
    if (!field) continue;
    const [name, inner, shape] = field;
    if (shape === 'map' && typeof raw !== 'bigint') {
      const map = isObj(out[name]) ? out[name] : {};
      const [key, value] = mapEntry(raw, inner);
      map[key] = value;
      out[name] = map;
    } else if (shape === 'repeated') {
      const items = Array.isArray(out[name]) ? out[name] : [];
      items.push(scalar(raw, inner));
      out[name] = items;
    } else {
      const value = scalar(raw, inner);
      // Go writes its zero values too: the empty object and string mean absent.
      if (value !== '' && !(isObj(value) && Object.keys(value).length === 0) && value !== undefined)
        out[name] = value;
    }
  }
  return out;
}

function mapEntry(bytes: Uint8Array, type: string): [string, unknown] {
  const reader = new Reader(bytes);
  let key = '';
  let value: unknown = type === 'string' || type === 'bytes' ? '' : {};
  while (!reader.done) {
    const [number, raw] = reader.field();
    if (number === 1 && typeof raw !== 'bigint') key = decoder.decode(raw);
    else if (number === 2) value = scalar(raw, type);
  }
  return [key, value];
}

function scalar(raw: Uint8Array | bigint, type: string): unknown {
  if (typeof raw === 'bigint') return type === 'bool' ? raw !== 0n : Number(raw);
  if (type === 'string') return decoder.decode(raw);
  if (type === 'bytes') return Buffer.from(raw).toString('base64');
  if (type === 'double') return new DataView(raw.buffer, raw.byteOffset).getFloat64(0, true);
  return special(raw, type);
}

/** Types whose JSON form is no object. */
function special(raw: Uint8Array, type: string): unknown {
  const fields = (): Map<number, Uint8Array | bigint> => {
    const reader = new Reader(raw);
    const out = new Map<number, Uint8Array | bigint>();
    while (!reader.done) out.set(...reader.field());
    return out;
  };
  switch (type) {
    case `${META}Time`:
    case `${META}MicroTime`: {
      const found = fields();
      if (found.size === 0) return undefined;
      const seconds = Number(found.get(1) ?? 0n);
      const micros = Math.trunc(Number(found.get(2) ?? 0n) / 1000);
      const at = time(seconds * 1000);
      return type.endsWith('MicroTime') ? at.replace('Z', `.${String(micros).padStart(6, '0')}Z`) : at;
    }
    case 'k8s.io.apimachinery.pkg.api.resource.Quantity':
    case 'k8s.io.apimachinery.pkg.util.intstr.IntOrString': {
      const found = fields();
      const text = found.get(type.endsWith('Quantity') ? 1 : 3);
      if (text instanceof Uint8Array && text.length > 0) return decoder.decode(text);
      return Number(found.get(2) ?? 0n);
    }
    case `${META}FieldsV1`:
    case 'k8s.io.apimachinery.pkg.runtime.RawExtension': {
      const json = fields().get(1);
      return json instanceof Uint8Array ? (JSON.parse(decoder.decode(json)) as unknown) : {};
    }
    default:
      if (type.endsWith('.ExtraValue')) return message(raw, type)['items'] ?? [];
      return message(raw, type);
  }
}
