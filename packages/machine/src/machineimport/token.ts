import { createHash, randomBytes } from 'node:crypto';
import { bootstrapGroup, machineLabel } from '@kubenode/api';
import { type Client, isAlreadyExists, type OwnerReference, Secret, timestamp } from '@kubenode/runtime';

const tokenNamespace = 'kube-system';

/** What a bootstrap token is for. */
export interface TokenRequest {
  /** 6 characters of a-z0-9. */
  readonly id: string;
  /** The only machine it may speak for; undefined: a join token. */
  readonly machine?: string;
  /** Groups besides system:bootstrappers, which every bootstrap token has. */
  readonly groups: readonly string[];
  /** For people. */
  readonly description: string;
  readonly lifetimeMs: number;
  readonly owner?: OwnerReference;
}

/** The groups of a token that an agent joins with. */
export const agentTokenGroups = [bootstrapGroup] as const;

/**
 * Makes the bootstrap token, or gives back the one of that ID while it holds for at least half of its life.
 *
 * @returns `<id>.<secret>`; undefined where another's token has the ID
 */
export async function ensureToken(
  client: Client,
  request: TokenRequest,
  now: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = { namespace: tokenNamespace, name: `bootstrap-token-${request.id}` };
  const found = await client.get(Secret, key, { signal });
  if (found !== undefined) {
    if (found.metadata.annotations?.[machineLabel] !== request.machine) return undefined;
    if (found.metadata.ownerReferences?.[0]?.uid !== request.owner?.uid) return undefined;
    const until = Date.parse(decoded(found, 'expiration'));
    const secret = decoded(found, 'token-secret');
    if (secret !== '' && until - now > request.lifetimeMs / 2) return `${request.id}.${secret}`;
    await client.delete(Secret, key, { signal });
  }
  const secret = randomText(16);
  try {
    await client.create(Secret, tokenSecret(request, secret, now), { signal });
  } catch (error) {
    // Another one made it in between: that one's secret counts.
    if (isAlreadyExists(error)) return ensureToken(client, request, now, signal);
    throw error;
  }
  return `${request.id}.${secret}`;
}

export async function deleteToken(client: Client, id: string, signal: AbortSignal): Promise<void> {
  await client.delete(Secret, { namespace: tokenNamespace, name: `bootstrap-token-${id}` }, { signal });
}

function tokenSecret(
  request: TokenRequest,
  secret: string,
  now: number,
): Secret & { metadata: { name: string } } {
  return {
    metadata: {
      name: `bootstrap-token-${request.id}`,
      namespace: tokenNamespace,
      ...(request.machine === undefined ? {} : { annotations: { [machineLabel]: request.machine } }),
      ...(request.owner === undefined ? {} : { ownerReferences: [request.owner] }),
    },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': request.id,
      'token-secret': secret,
      description: request.description,
      expiration: timestamp(now + request.lifetimeMs),
      'usage-bootstrap-authentication': 'true',
      ...(request.groups.length === 0 ? {} : { 'auth-extra-groups': request.groups.join(',') }),
    },
  };
}

function decoded(secret: Secret, field: string): string {
  return Buffer.from(secret.data?.[field] ?? '', 'base64').toString('utf8');
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** The ID of the token for a purpose of one object: always the same, so that a crash between making it and writing it down makes no second one. */
export function tokenId(uid: string, purpose: string): string {
  return spell(createHash('sha256').update(`${uid}/${purpose}`).digest(), 6);
}

/** Characters of a-z0-9, from the system's random numbers. */
export function randomText(length: number): string {
  // A byte of 252 to 255 would favour the first four characters.
  let bytes = Buffer.alloc(0);
  while (bytes.length < length)
    bytes = Buffer.concat([bytes, randomBytes(2 * length).filter((byte) => byte < 252)]);
  return spell(bytes, length);
}

function spell(bytes: Uint8Array, length: number): string {
  return Array.from({ length }, (_, i) => alphabet[(bytes[i] ?? 0) % 36]).join('');
}
