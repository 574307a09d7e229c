import { createPublicKey, createSign, type KeyObject } from 'node:crypto';
import { commonName, ecdsaWithSha256, element, organization, pem, sequence, set, utf8 } from './der.ts';

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
  return pem('CERTIFICATE REQUEST', request);
}
