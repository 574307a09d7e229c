import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Authority of one test. Made anew each time, so that no key stands in the repository and nothing expires. */
export interface TestAuthority {
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  server(): TestCertificate;
  client(commonName: string): TestCertificate;
}

export function testAuthority(): TestAuthority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issue = (name: string, publicKey: KeyObject, extensions: readonly Buffer[]): string =>
    certificate(name, publicKey, own.privateKey, extensions);
  const leaf = (name: string, extensions: readonly Buffer[]): TestCertificate => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      cert: issue(name, pair.publicKey, extensions),
      key: createPrivateKey({
        key: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
        format: 'der',
        type: 'pkcs8',
      })
        .export({ format: 'pem', type: 'pkcs8' })
        .toString(),
    };
  };
  return {
    ca: issue(authorityName, own.publicKey, [
      extension('2.5.29.19', der(0x30, der(0x01, Buffer.from([0xff])))),
    ]),
    server: () =>
      leaf('server', [extension('2.5.29.17', der(0x30, altName('localhost'), altName('127.0.0.1')))]),
    client: (commonName) => leaf(commonName, []),
  };
}

const authorityName = 'test authority';
const ecdsaWithSha256 = der(0x30, oid('1.2.840.10045.4.3.2'));

function certificate(
  subject: string,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const time = (text: string): Buffer => der(0x18, Buffer.from(text));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(authorityName),
    der(0x30, time('20200101000000Z'), time('21200101000000Z')),
    commonName(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, signer));
  const base64 = der(0x30, body, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

function commonName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid('2.5.4.3'), der(0x0c, Buffer.from(name)))));
}

function altName(name: string): Buffer {
  return isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value));
}

/** Tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}
