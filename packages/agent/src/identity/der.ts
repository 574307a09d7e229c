/** DER of one element: its tag, the length, the content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
export const sequence = (...content: readonly Uint8Array[]) => element(0x30, ...content);
export const set = (...content: readonly Uint8Array[]) => element(0x31, ...content);
export const utf8 = (text: string) => element(0x0c, Buffer.from(text, 'utf8'));

/** Object identifiers, as they stand in DER: 2.5.4.3, 2.5.4.10, 1.2.840.10045.4.3.2. */
export const commonName = Buffer.from('0603550403', 'hex');
export const organization = Buffer.from('060355040a', 'hex');
export const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');

/** PEM of some DER. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
