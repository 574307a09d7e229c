import './reflect.ts';
import * as x509 from '@peculiar/x509';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { ...CURVE, hash: 'SHA-256' };
const DAY = 24 * 3600_000;
/** A clock on a host may be behind by this much (ms) and still accept a new certificate; kube-controller-manager's own margin. */
export const BACKDATE = 5 * 60_000;

export interface KeyPair {
  cert: string;
  key: string;
}

/** Who a certificate names. */
export interface Subject {
  commonName: string;
  organizations?: string[];
}

export interface Issue {
  subject: Subject;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array<ArrayBuffer>;
  notBefore: number;
  notAfter: number;
  keyUsages: x509.KeyUsageFlags;
  extendedUsages: string[];
  names?: x509.JsonGeneralNames;
}

/** A certificate authority of our own, kept under one folder with its keys readable by their owner only. */
export class Authority {
  readonly #dir: string;
  readonly #signer: webcrypto.CryptoKey;
  readonly #certificate: x509.X509Certificate;
  readonly pem: string;
  /** Signs ServiceAccount tokens (ES256). */
  readonly tokenKey: KeyObject;
  readonly tokenPublicKey: KeyObject;

  private constructor(dir: string, signer: webcrypto.CryptoKey, pem: string, tokenKey: KeyObject) {
    this.#dir = dir;
    this.#signer = signer;
    this.#certificate = new x509.X509Certificate(pem);
    this.pem = pem;
    this.tokenKey = tokenKey;
    this.tokenPublicKey = createPublicKey(tokenKey);
  }

  /** Loads the authority of `dir`, or makes one (ten years). */
  static async open(dir: string, now: number): Promise<Authority> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const [crt, key, token] = [join(dir, 'ca.crt'), join(dir, 'ca.key'), join(dir, 'sa.key')];
    if (!existsSync(token)) writeSecret(token, newKey());
    if (!existsSync(crt) || !existsSync(key)) {
      const pem = newKey();
      const signer = await importKey(pem);
      const publicKey = publicDer(pem);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: [{ CN: ['kubenode-ca'] }],
        issuer: [{ CN: ['kubenode-ca'] }],
        notBefore: new Date(now - BACKDATE),
        notAfter: new Date(now + 3650 * DAY),
        signingAlgorithm: SIGNING,
        publicKey,
        signingKey: signer,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
            true,
          ),
          await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(publicKey)),
        ],
      });
      writeSecret(key, pem);
      writeFileSync(crt, `${certificate.toString('pem')}\n`);
    }
    const signer = await importKey(readFileSync(key, 'utf8'));
    return new Authority(dir, signer, readFileSync(crt, 'utf8'), createPrivateKey(readFileSync(token)));
  }

  /** Signs a certificate. */
  async issue(issue: Issue): Promise<string> {
    const { commonName, organizations = [] } = issue.subject;
    const publicKey = new x509.PublicKey(issue.publicKey);
    const extensions: x509.Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(issue.keyUsages, true),
      await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
    ];
    if (issue.extendedUsages.length > 0) {
      extensions.push(new x509.ExtendedKeyUsageExtension(issue.extendedUsages));
    }
    if (issue.names?.length) extensions.push(new x509.SubjectAlternativeNameExtension(issue.names));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
      issuer: this.#certificate.subjectName.toJSON(),
      notBefore: new Date(issue.notBefore),
      notAfter: new Date(Math.min(issue.notAfter, this.#certificate.notAfter.getTime())),
      signingAlgorithm: SIGNING,
      publicKey,
      signingKey: this.#signer,
      extensions,
    });
    return `${certificate.toString('pem')}\n`;
  }

  /** The serving pair for these names and addresses, kept in the folder; made again when they changed or it ends soon. */
  async serving(names: string[], now: number): Promise<KeyPair> {
    const wanted = names.toSorted().join('\n');
    return this.#kept('apiserver', wanted, now, async (publicKey) =>
      this.issue({
        subject: { commonName: 'kube-apiserver' },
        publicKey,
        notBefore: now - BACKDATE,
        notAfter: now + 365 * DAY,
        keyUsages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        extendedUsages: [x509.ExtendedKeyUsage.serverAuth],
        names: names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
      }),
    );
  }

  /** A client pair for a user, kept in the folder as `<file>.crt` and `<file>.key`. */
  async client(file: string, subject: Subject, now: number): Promise<KeyPair> {
    return this.#kept(file, JSON.stringify(subject), now, async (publicKey) =>
      this.issue({
        subject,
        publicKey,
        notBefore: now - BACKDATE,
        notAfter: now + 365 * DAY,
        keyUsages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        extendedUsages: [x509.ExtendedKeyUsage.clientAuth],
      }),
    );
  }

  async #kept(
    file: string,
    wanted: string,
    now: number,
    make: (publicKey: Uint8Array<ArrayBuffer>) => Promise<string>,
  ): Promise<KeyPair> {
    const [crt, key, about] = ['crt', 'key', 'for'].map((end) => join(this.#dir, `${file}.${end}`)) as [
      string,
      string,
      string,
    ];
    if ([crt, key, about].every((path) => existsSync(path)) && readFileSync(about, 'utf8') === wanted) {
      const cert = readFileSync(crt, 'utf8');
      const held = new x509.X509Certificate(cert);
      if (held.notAfter.getTime() > now + 30 * DAY) return { cert, key: readFileSync(key, 'utf8') };
    }
    const pem = newKey();
    const cert = await make(publicDer(pem));
    writeSecret(key, pem);
    writeFileSync(crt, cert);
    writeFileSync(about, wanted);
    return { cert, key: pem };
  }
}

/** What a certificate signing request (PEM) asks for. */
export interface Csr extends Subject {
  organizations: string[];
  publicKey: ArrayBuffer;
  /** True when the request carries names, addresses, mail addresses or URIs. */
  hasNames: boolean;
  names: x509.JsonGeneralNames;
}

/** @throws Error when it is no request, or its signature is not its key's. */
export async function readCsr(pem: string): Promise<Csr> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error('the signature of the request is not of its key');
  const names = request.extensions
    .filter((extension) => extension instanceof x509.SubjectAlternativeNameExtension)
    .flatMap((extension) => extension.names.toJSON());
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    publicKey: request.publicKey.rawData,
    hasNames: names.length > 0,
    names,
  };
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function publicDer(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), CURVE, false, ['sign']);
}

function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** Written whole or not at all, so that a crash leaves no half a key. */
function writeSecret(path: string, content: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, content, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}
