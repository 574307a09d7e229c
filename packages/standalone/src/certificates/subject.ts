import './reflect.ts';
import { Pkcs10CertificateRequest } from '@peculiar/x509';

/** The subject of a request (base64 of PEM), without looking at its signature; empty for what can't be read. */
export function readSubject(base64: string): { commonName: string; organizations: string[] } {
  try {
    const request = new Pkcs10CertificateRequest(Buffer.from(base64, 'base64').toString('utf8'));
    return {
      commonName: request.subjectName.getField('CN')[0] ?? '',
      organizations: request.subjectName.getField('O'),
    };
  } catch {
    // The signer reads it again, with its signature, and says what is wrong.
    return { commonName: '', organizations: [] };
  }
}
