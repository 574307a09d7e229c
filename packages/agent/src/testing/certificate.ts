import { createPublicKey, createSign, type KeyObject } from 'node:crypto';
import { commonName, ecdsaWithSha256, element, pem, sequence, set, utf8 } from '../identity/der.ts';

/** A certificate for this key, signed by itself, valid between two moments (epoch milliseconds, whole seconds). */
export function certificateFor(key: KeyObject, notBefore: number, notAfter: number): string {
  const time = (ms: number) =>
    element(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')));
  const name = sequence(set(sequence(commonName, utf8('kubenode:agent:n1'))));
  const algorithm = sequence(ecdsaWithSha256);
  const info = sequence(
    Buffer.from('a003020102', 'hex'),
    Buffer.from('020101', 'hex'),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('sha256').update(info).sign(key);
  return pem('CERTIFICATE', sequence(info, algorithm, element(0x03, Buffer.from([0]), signature)));
}
