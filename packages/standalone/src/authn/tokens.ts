import { createHash, randomUUID, sign, timingSafeEqual, verify } from 'node:crypto';
import type { Authority } from '../certificates/authority.ts';
import { at, isObj, text, type KubeObject } from '../object.ts';
import type { Store } from '../store/store.ts';
import { AUTHENTICATED, type User } from './user.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** What a ServiceAccount token is bound to besides its account. */
export interface BoundTo {
  kind: string;
  name: string;
  uid: string;
}

export interface TokenRequest {
  account: KubeObject;
  audiences: string[];
  expirationSeconds: number;
  bound?: BoundTo | undefined;
  now: number;
}

/** Bootstrap tokens and ServiceAccount tokens. */
export class Tokens {
  readonly #store: Store;
  readonly #authority: Authority;

  constructor(store: Store, authority: Authority) {
    this.#store = store;
    this.#authority = authority;
  }

  /** The user of a bearer token, or undefined where it is of nobody. `now` in ms. */
  authenticate(token: string, now: number): User | undefined {
    const bootstrap = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token);
    if (bootstrap) return this.#bootstrap(bootstrap[1] ?? '', bootstrap[2] ?? '', now);
    return this.#serviceAccount(token, now);
  }

  #bootstrap(id: string, secret: string, now: number): User | undefined {
    const object = this.#store.read('secrets', 'kube-system', `bootstrap-token-${id}`);
    if (!object || object['type'] !== 'bootstrap.kubernetes.io/token' || object.metadata.deletionTimestamp) {
      return undefined;
    }
    const data = (key: string): string =>
      Buffer.from(text(object, 'data', key) ?? '', 'base64').toString('utf8');
    if (data('token-id') !== id || !sameSecret(data('token-secret'), secret)) return undefined;
    if (data('usage-bootstrap-authentication') !== 'true') return undefined;
    const end = data('expiration');
    // An expiration that can't be read counts as past, as in the real server.
    if (end !== '' && !(Date.parse(end) > now)) return undefined;
    const extra = data('auth-extra-groups')
      .split(',')
      .filter((group) => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group));
    return {
      username: `system:bootstrap:${id}`,
      groups: ['system:bootstrappers', ...extra, AUTHENTICATED],
    };
  }

  #serviceAccount(token: string, now: number): User | undefined {
    const parts = token.split('.');
    const [header = '', payload = '', signature = ''] = parts;
    if (parts.length !== 3) return undefined;
    const ok = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: this.#authority.tokenPublicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    if (!ok) return undefined;
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (!isObj(claims)) return undefined;
    const { exp, nbf, aud, iss } = claims;
    if (iss !== ISSUER || typeof exp !== 'number' || exp * 1000 <= now) return undefined;
    if (typeof nbf === 'number' && nbf * 1000 > now + 60_000) return undefined;
    if (!Array.isArray(aud) || !aud.includes(ISSUER)) return undefined;
    const own = at(claims, 'kubernetes.io');
    const namespace = text(own, 'namespace') ?? '';
    const name = text(own, 'serviceaccount', 'name') ?? '';
    const uid = text(own, 'serviceaccount', 'uid') ?? '';
    // Deleting the account, or what the token is bound to, revokes it.
    const account = this.#store.read('serviceaccounts', namespace, name);
    if (account?.metadata.uid !== uid) return undefined;
    for (const [claim, resource] of [
      ['pod', 'pods'],
      ['secret', 'secrets'],
    ] as const) {
      const bound = text(own, claim, 'uid');
      if (bound === undefined) continue;
      if (this.#store.read(resource, namespace, text(own, claim, 'name') ?? '')?.metadata.uid !== bound) {
        return undefined;
      }
    }
    const id = text(claims, 'jti');
    return {
      username: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
      ...(id ? { extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${id}`] } } : {}),
    };
  }

  /** A signed token. */
  issue(request: TokenRequest): { token: string; expires: number } {
    const { metadata } = request.account;
    const seconds = Math.floor(request.now / 1000);
    const exp = seconds + request.expirationSeconds;
    const key = createHash('sha256')
      .update(this.#authority.tokenPublicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    const claims = {
      aud: request.audiences,
      exp,
      iat: seconds,
      iss: ISSUER,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: metadata.namespace,
        serviceaccount: { name: metadata.name, uid: metadata.uid },
        ...(request.bound
          ? { [request.bound.kind.toLowerCase()]: { name: request.bound.name, uid: request.bound.uid } }
          : {}),
      },
      nbf: seconds,
      sub: `system:serviceaccount:${metadata.namespace}:${metadata.name}`,
    };
    const body = `${encode({ alg: 'ES256', kid: key })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(body), {
      key: this.#authority.tokenKey,
      dsaEncoding: 'ieee-p1363',
    });
    return { token: `${body}.${signature.toString('base64url')}`, expires: exp * 1000 };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Compares in time that does not tell how much was right. */
function sameSecret(a: string, b: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}
