import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import type { HostFiles } from '../ports.ts';

/** Where the identity stands on the host. */
export const pkiFolder = '/etc/kubenode/pki';

/** A key and the certificate for it, as PEM, with the certificate's time. */
export interface StoredIdentity {
  readonly key: string;
  readonly cert: string;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const keyPath = `${pkiFolder}/agent.key`;
const certPath = `${pkiFolder}/agent.crt`;
/** The key of a request under way; it becomes the key when its certificate is there. */
const nextKeyPath = `${pkiFolder}/agent.key.next`;

/** The agent's key and certificate on the host. The key is made there and never leaves it. */
export class IdentityFiles {
  readonly #files: HostFiles;

  constructor(files: HostFiles) {
    this.#files = files;
  }

  /** The stored identity; undefined where there is none, or where key and certificate do not belong together. */
  async read(): Promise<StoredIdentity | undefined> {
    const cert = await this.#text(certPath);
    if (cert === undefined) return undefined;
    let parsed: X509Certificate;
    try {
      parsed = new X509Certificate(cert);
    } catch {
      return undefined;
    }
    const times = { notBefore: Date.parse(parsed.validFrom), notAfter: Date.parse(parsed.validTo) };
    for (const path of [keyPath, nextKeyPath]) {
      const key = await this.#text(path);
      if (key === undefined || !fits(parsed, key)) continue;
      // Killed on the way into use, at either end of it: a key for another request does not fit.
      const next = await this.#text(nextKeyPath);
      if (next !== undefined && fits(parsed, next)) await this.#promote();
      return { key, cert, ...times };
    }
    return undefined;
  }

  /** The key for a request under way, made and on disk before anybody is asked to sign for it. */
  async nextKey(): Promise<KeyObject> {
    const kept = await this.#text(nextKeyPath);
    if (kept !== undefined) {
      const key = parseKey(kept);
      if (key !== undefined) return key;
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await this.#files.write(nextKeyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), {
      mode: 0o600,
    });
    return privateKey;
  }
  /** A new key has to be made for the next request. */
  async dropNextKey(): Promise<void> {
    await this.#files.remove(nextKeyPath);
  }

  /** Takes the certificate for the next key into use. Killed in between, `read` finishes it. */
  async store(cert: string): Promise<void> {
    await this.#files.write(certPath, cert, { mode: 0o644 });
    await this.#promote();
  }

  async #promote(): Promise<void> {
    if ((await this.#files.state(nextKeyPath)) === undefined) return;
    await this.#files.install(nextKeyPath, keyPath, { mode: 0o600 });
    await this.#files.remove(nextKeyPath);
  }
  async #text(path: string): Promise<string | undefined> {
    return (await this.#files.state(path)) === undefined
      ? undefined
      : (await this.#files.read(path)).toString('utf8');
  }
}

function fits(cert: X509Certificate, key: string): boolean {
  const parsed = parseKey(key);
  return parsed !== undefined && cert.checkPrivateKey(parsed);
}
function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
