import { Reader } from './reader.ts';
import type { DBusValue } from './signature.ts';
import { MarshalError, Variant } from './signature.ts';
import { Writer } from './writer.ts';

/** Types of messages, by the specification. */
export const messageType = { call: 1, reply: 2, error: 3, signal: 4 } as const;
/** Header fields, by the specification. */
const field = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  sender: 7,
  signature: 8,
} as const;
const littleEndian = 0x6c;
const protocolVersion = 1;
/** Bytes before the header fields: order, type, flags, version, body size, serial, size of the fields. */
const fixedHeader = 16;
/** systemd's largest answers (all units of a host) are below 1 MiB; more is a broken stream. */
const maxMessage = 16 * 1024 * 1024;

/** A message as received. The body is only unmarshalled when asked for: most signals are looked at by their path alone. */
export interface Message {
  readonly type: number;
  readonly serial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly errorName: string;
  readonly replySerial: number;
  body(): readonly DBusValue[];
}

export interface Call {
  /** Left out on a direct connection, which has only one peer. */
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly DBusValue[];
}

export function encodeCall(call: Call, serial: number): Buffer {
  const fields: DBusValue[] = [
    [field.path, new Variant('o', call.path)],
    [field.interface, new Variant('s', call.interface)],
    [field.member, new Variant('s', call.member)],
  ];
  if (call.destination !== undefined) fields.push([field.destination, new Variant('s', call.destination)]);
  return encode(messageType.call, serial, fields, call.signature ?? '', call.body ?? []);
}

/** For a peer that answers: the fake bus of the tests. */
export function encodeAnswer(
  type: number,
  serial: number,
  head: { replySerial?: number; errorName?: string; path?: string; interface?: string; member?: string },
  signature: string,
  body: readonly DBusValue[],
): Buffer {
  const fields: DBusValue[] = [];
  if (head.path !== undefined) fields.push([field.path, new Variant('o', head.path)]);
  if (head.interface !== undefined) fields.push([field.interface, new Variant('s', head.interface)]);
  if (head.member !== undefined) fields.push([field.member, new Variant('s', head.member)]);
  if (head.errorName !== undefined) fields.push([field.errorName, new Variant('s', head.errorName)]);
  if (head.replySerial !== undefined) fields.push([field.replySerial, new Variant('u', head.replySerial)]);
  return encode(type, serial, fields, signature, body);
}

function encode(
  type: number,
  serial: number,
  fields: DBusValue[],
  signature: string,
  body: readonly DBusValue[],
): Buffer {
  if (signature !== '') fields.push([field.signature, new Variant('g', signature)]);
  const bodyWriter = new Writer();
  bodyWriter.writeAll(signature, body);
  const header = new Writer();
  header.writeAll('yyyyuua(yv)', [
    littleEndian,
    type,
    0,
    protocolVersion,
    bodyWriter.bytes().length,
    serial,
    fields,
  ]);
  header.align(8);
  return Buffer.concat([header.bytes(), bodyWriter.bytes()]);
}

/** Takes the messages that are whole out of the bytes received so far. Throws MarshalError on a stream that is no D-Bus. */
export function takeMessages(buffer: Buffer): {
  readonly messages: readonly Message[];
  readonly rest: Buffer;
} {
  const messages: Message[] = [];
  let at = 0;
  while (buffer.length - at >= fixedHeader) {
    const order = buffer[at];
    if (order !== littleEndian && order !== 0x42) throw new MarshalError('the peer does not speak D-Bus');
    const little = order === littleEndian;
    const u32 = (offset: number): number =>
      little ? buffer.readUInt32LE(at + offset) : buffer.readUInt32BE(at + offset);
    const headerSize = Math.ceil((fixedHeader + u32(12)) / 8) * 8;
    const total = headerSize + u32(4);
    if (total > maxMessage)
      throw new MarshalError(`a message of ${total} bytes is more than the ${maxMessage} allowed`);
    if (buffer.length - at < total) break;
    messages.push(decode(buffer.subarray(at, at + total), headerSize, little));
    at += total;
  }
  return { messages, rest: buffer.subarray(at) };
}

function decode(bytes: Buffer, headerSize: number, littleEndian: boolean): Message {
  const [, type = 0, , , , serial = 0, fields] = new Reader(bytes, { littleEndian }).readAll('yyyyuua(yv)');
  const head = new Map<number, DBusValue>();
  for (const entry of list(fields)) {
    const [code, value] = list(entry);
    if (typeof code === 'number' && value instanceof Variant) head.set(code, value.value);
  }
  const signature = text(head.get(field.signature));
  return {
    type: Number(type),
    serial: Number(serial),
    path: text(head.get(field.path)),
    interface: text(head.get(field.interface)),
    member: text(head.get(field.member)),
    errorName: text(head.get(field.errorName)),
    replySerial: Number(head.get(field.replySerial) ?? 0),
    body: () => new Reader(bytes.subarray(headerSize), { littleEndian }).readAll(signature),
  };
}

/** The value as text; '' for anything else. */
export function text(value: DBusValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The value as array; empty for anything else. */
export function list(value: DBusValue | undefined): readonly DBusValue[] {
  return Array.isArray(value) ? (value as readonly DBusValue[]) : [];
}
