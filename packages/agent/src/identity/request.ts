import { createPublicKey, createSign, type KeyObject } from 'node:crypto';

/** DER of one element. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
const sequence = (...content: readonly Uint8Array[]) => element(0x30, ...content);
const set = (...content: readonly Uint8Array[]) => element(0x31, ...content);
const utf8 = (text: string) => element(0x0c, Buffer.from(text, 'utf8'));

/** Object identifiers, as they stand in DER: 2.5.4.3, 2.5.4.10, 1.2.840.10045.4.3.2. */
const commonName = Buffer.from('0603550403', 'hex');
const organization = Buffer.from('060355040a', 'hex');
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');

/**
 * A PKCS#10 certificate request (RFC 2986), as PEM.
 * @param key ECDSA P-256 private key.
 */
export function certificateRequest(
  key: KeyObject,
  subject: { readonly user: string; readonly group: string },
): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const name = sequence(
    set(sequence(organization, utf8(subject.group))),
    set(sequence(commonName, utf8(subject.user))),
  );
  const version = Buffer.from('020100', 'hex');
  const noAttributes = element(0xa0);
  const info = sequence(version, name, publicKey, noAttributes);
  const signature = createSign('sha256').update(info).sign(key);
  const request = sequence(info, sequence(ecdsaWithSha256), element(0x03, Buffer.from([0]), signature));
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}
