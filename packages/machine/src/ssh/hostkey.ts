import { createHash, timingSafeEqual } from 'node:crypto';

/** A host's public key: the blob that goes over the wire, and its type (`ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`...). */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** Key types that a connection can be held to, and the signature algorithms by which a host proves that it has such a key. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  // RFC 8332: an RSA key signs with SHA-2; plain ssh-rsa (SHA-1) is not accepted.
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * Reads a host key as people have it at hand: `ssh-ed25519 AAAA...`, with a comment or without, or with the host in front as in
 * known_hosts and in what ssh-keyscan prints.
 *
 * @throws TypeError that says what is wrong with the text and how to get a right one.
 */
export function parseHostKey(text: string): HostKey {
  const words = text.trim().split(/\s+/);
  if (words[0] === '@cert-authority') {
    throw new TypeError('it is a certificate authority; give the public key of the host itself');
  }
  const at = words.findIndex((word) => word in algorithmsOf);
  const type = words[at];
  const encoded = words[at + 1];
  if (type === undefined || encoded === undefined || at > 1) {
    throw new TypeError(
      `it is not a public key of the kinds ${Object.keys(algorithmsOf).join(', ')}; ` +
        'give one line as "ssh-keyscan HOST" prints it, such as "ssh-ed25519 AAAA..."',
    );
  }
  const blob = Buffer.from(encoded, 'base64');
  if (typeOfBlob(blob) !== type) {
    throw new TypeError(`the text after ${type} is not a key of that type: it was cut or mistyped`);
  }
  return { type, blob };
}

/** The key as one writes it into `spec.ssh.hostKey`. */
export function formatHostKey(blob: Buffer): string {
  return `${typeOfBlob(blob) ?? 'unknown'} ${blob.toString('base64')}`;
}

/** The fingerprint as `ssh-keygen -l` prints it: SHA256 and unpadded base64. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Signature algorithms to offer so that the host proves to hold this very kind of key, and not another one that it also has. */
export function signatureAlgorithms(key: HostKey): readonly string[] {
  return algorithmsOf[key.type] ?? [];
}

export function sameKey(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** RFC 4253: a key's blob begins with its type, as a string with a length of four bytes in front. */
function typeOfBlob(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  if (length > 64 || blob.length < 4 + length) return undefined;
  return blob.subarray(4, 4 + length).toString('latin1');
}
