import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { agentGroup, agentUser, machineLabelsAnnotation, nodeNameAnnotation } from '@kubenode/api';
import { CertificateSigningRequest, type Client, isAlreadyExists } from '@kubenode/runtime';
import type { Clock } from '../clock.ts';
import { certificateRequest } from './request.ts';

export interface EnrolRequest {
  readonly machine: string;
  readonly key: KeyObject;
  /** Labels and nodeName of the Machine to be made by a join. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly nodeName?: string;
}

/** The request was refused: nothing is signed for it, and a person has to look. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
}

const signerName = 'kubernetes.io/kube-apiserver-client';
const firstAskMs = 500;
const longestAskMs = 5_000;
/** A request that nobody signs is given up after this time, and posted anew. */
const giveUpMs = 600_000;

/** Asks the cluster to sign for this machine's agent and waits for it. @returns the certificate with its chain, PEM. @throws DeniedError */
export async function enrol(
  client: Client,
  request: EnrolRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const name = requestName(request);
  const annotations = {
    ...(request.labels === undefined ? {} : { [machineLabelsAnnotation]: JSON.stringify(request.labels) }),
    ...(request.nodeName === undefined ? {} : { [nodeNameAnnotation]: request.nodeName }),
  };
  const pem = certificateRequest(request.key, { user: agentUser(request.machine), group: agentGroup });
  try {
    await client.create(
      CertificateSigningRequest,
      {
        metadata: { name, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
        spec: {
          request: Buffer.from(pem).toString('base64'),
          signerName,
          usages: ['client auth', 'digital signature'],
        },
      },
      { signal },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const until = clock.now() + giveUpMs;
  for (let wait = firstAskMs; clock.now() < until; wait = Math.min(wait * 1.5, longestAskMs)) {
    const object = await client.get(CertificateSigningRequest, name, { signal });
    if (object === undefined)
      throw new Error(`CertificateSigningRequest ${name} was deleted before it was signed; asked again`);
    for (const { type, message, reason } of object.status?.conditions ?? []) {
      if (type === 'Denied' || type === 'Failed') {
        throw new DeniedError(
          `CertificateSigningRequest ${name} was ${type.toLowerCase()}: ${message ?? reason ?? 'no reason given'}`,
        );
      }
    }
    if (object.status?.certificate) return Buffer.from(object.status.certificate, 'base64').toString('utf8');
    await clock.sleep(wait, signal);
  }
  throw new Error(
    `CertificateSigningRequest ${name} was not signed within ${giveUpMs / 60_000} min: does the machine operator run, and may it approve? (kubectl describe csr ${name})`,
  );
}

/** One name per key, so that a request that is posted again after a crash is the same one. */
function requestName({ machine, key }: EnrolRequest): string {
  const digest = createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return `kubenode-agent-${machine}-${digest.slice(0, 10)}`;
}
