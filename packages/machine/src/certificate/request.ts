/** What a certificate request asks for, as far as the approver judges it. */
export interface RequestedIdentity {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Parts of the subject besides CN and O, by their object identifier. */
  readonly otherParts: readonly string[];
  /** It asks for extensions (names of hosts, constraints): an agent has no use for any. */
  readonly hasExtensions: boolean;
  readonly isP256: boolean;
}

/** The text is no certificate request. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

const oid = {
  commonName: '550403',
  organization: '55040a',
  extensionRequest: '2a864886f70d01090e',
  ecPublicKey: '2a8648ce3d0201',
  p256: '2a8648ce3d030107',
} as const;
const tag = { sequence: 0x30, set: 0x31, oid: 0x06, attributes: 0xa0 } as const;
/** The kinds of string that a name may be written in: UTF8String, PrintableString, IA5String. */
const strings: readonly number[] = [0x0c, 0x13, 0x16];

/**
 * Reads a PKCS#10 request (RFC 2986). Only what is needed to judge it; the signer checks its signature.
 * @param base64 PEM in base64, as in spec.request
 * @throws RequestError
 */
export function readRequest(base64: string): RequestedIdentity {
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  const match = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(pem);
  if (match?.[1] === undefined) throw new RequestError('spec.request holds no PEM CERTIFICATE REQUEST');
  const [info] = children(one(read(Buffer.from(match[1], 'base64')), tag.sequence));
  const [, subject, key, ...rest] = children(one(info === undefined ? [] : [info], tag.sequence));
  const names =
    subject === undefined
      ? []
      : children(one([subject], tag.sequence))
          .flatMap(children)
          .map(children);
  const parts = names.map(([type, value]) => ({ type: type?.content.toString('hex') ?? '', value }));
  const all = (type: string): string[] =>
    parts.filter((part) => part.type === type).map((part) => text(part.value));
  const commonNames = all(oid.commonName);
  if (commonNames.length !== 1) throw new RequestError('the subject must have exactly one common name');
  return {
    commonName: commonNames[0] ?? '',
    organizations: all(oid.organization),
    otherParts: parts
      .map((part) => part.type)
      .filter((type) => type !== oid.commonName && type !== oid.organization),
    hasExtensions: rest
      .filter((item) => item.tag === tag.attributes)
      .flatMap(children)
      .some((attribute) => children(attribute)[0]?.content.toString('hex') === oid.extensionRequest),
    isP256: isP256(key),
  };
}

function isP256(key: Element | undefined): boolean {
  const [algorithm] = key === undefined ? [] : children(key);
  const [type, curve] = algorithm === undefined ? [] : children(algorithm);
  return type?.content.toString('hex') === oid.ecPublicKey && curve?.content.toString('hex') === oid.p256;
}

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function children(element: Element): Element[] {
  return read(element.content);
}

function one(elements: readonly Element[], expected: number): Element {
  const [first] = elements;
  if (first?.tag !== expected) throw new RequestError('the request is not well-formed DER');
  return first;
}

function text(element: Element | undefined): string {
  if (element === undefined || !strings.includes(element.tag)) {
    throw new RequestError('a name in the subject is written in an uncommon kind of string');
  }
  return element.content.toString('utf8');
}

function read(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) throw new RequestError('the request is cut off');
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

function readLength(bytes: Buffer, at: number): { length: number; start: number } {
  const first = bytes[at] ?? 0x80;
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 1 + count > bytes.length) {
    throw new RequestError('the request is not well-formed DER');
  }
  return { length: bytes.readUIntBE(at + 1, count), start: at + 1 + count };
}
