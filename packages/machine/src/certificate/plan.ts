import { agentGroup, agentUser, bootstrapGroup, machineOfAgent } from '@kubenode/api';
import type { RequestedIdentity } from './request.ts';

/** Signer of the identities of agents. */
export const clientSigner = 'kubernetes.io/kube-apiserver-client';

export interface Request {
  readonly signerName: string;
  /** Who asks, as the API server saw it. */
  readonly username: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  /** What is asked for; a text where it could not be read. */
  readonly identity: RequestedIdentity | string;
  /** Labels of the Machine to be made, JSON. */
  readonly labels: string | undefined;
  readonly nodeName: string | undefined;
}

/** The bootstrap token that a request was made with. */
export interface Token {
  /** The only machine it may speak for; undefined: a join token. */
  readonly machine: string | undefined;
}

/** The Machine of the name that is asked for. */
export interface KnownMachine {
  readonly hasAgent: boolean;
  readonly deleting: boolean;
}

export interface NewMachine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nodeName: string | undefined;
}

export type Decision =
  | { readonly kind: 'Ignore' }
  | { readonly kind: 'Approve'; readonly reason: string; readonly create?: NewMachine }
  | { readonly kind: 'Deny'; readonly reason: string; readonly message: string };

const usages: ReadonlySet<string> = new Set(['client auth', 'digital signature']);
const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The machine that a request is about; undefined: it is none of ours. */
export function machineAskedFor(request: Request): string | undefined {
  const { identity, signerName } = request;
  if (signerName !== clientSigner || typeof identity === 'string') return undefined;
  const machine = machineOfAgent(identity.commonName);
  if (machine !== undefined) return machine;
  return identity.organizations.includes(agentGroup) ? '' : undefined;
}

/** The bootstrap token that asks; undefined: it is somebody else. */
export function tokenOf(request: Pick<Request, 'username' | 'groups'>): string | undefined {
  if (!request.groups.includes(bootstrapGroup)) return undefined;
  return /^system:bootstrap:([a-z0-9]{6})$/.exec(request.username)?.[1];
}

/**
 * Whether a request for an agent's identity is granted. Whoever asks gets the name of one machine, and only the one that is his: his own
 * when he renews, the one his import names, or with a join token one that nobody has yet. What is denied is never signed.
 */
export function decide(
  request: Request,
  token: Token | undefined,
  machine: KnownMachine | undefined,
): Decision {
  const name = machineAskedFor(request);
  if (name === undefined || typeof request.identity === 'string') return { kind: 'Ignore' };
  const fault = faultOf(request, request.identity, name);
  if (fault !== undefined) return deny('Malformed', fault);
  if (machine?.deleting === true) {
    return deny('MachineDeleting', `Machine ${name} is being deleted: wait until it is gone, and ask again.`);
  }
  const own = machineOfAgent(request.username);
  if (own !== undefined && request.groups.includes(agentGroup)) {
    if (own !== name)
      return deny('OtherMachine', `${request.username} may ask for its own name only, not for ${name}.`);
    return { kind: 'Approve', reason: 'Renewal' };
  }
  if (tokenOf(request) === undefined) {
    const message = `${request.username} may not ask for the identity of an agent: use a token of the group ${bootstrapGroup}.`;
    return deny('NotAllowed', message);
  }
  if (token === undefined)
    return deny('TokenGone', 'The bootstrap token does not exist any more: make another, and ask again.');
  if (token.machine !== undefined) {
    if (token.machine !== name)
      return deny('OtherMachine', `The token is for ${token.machine} only, not for ${name}.`);
    return { kind: 'Approve', reason: 'Import' };
  }
  return decideJoin(request, name, machine);
}

function decideJoin(request: Request, name: string, machine: KnownMachine | undefined): Decision {
  if (machine?.hasAgent === true) {
    const way = `To let the same host back in, import it, or use a token with the annotation kubenode.io/machine: ${name}.`;
    return deny('NameInUse', `Machine ${name} has an agent already: choose another name. ${way}`);
  }
  if (machine !== undefined) return { kind: 'Approve', reason: 'Join' };
  const labels = readLabels(request.labels);
  if (typeof labels === 'string') return deny('InvalidLabels', labels);
  if (request.nodeName !== undefined && !dnsName.test(request.nodeName)) {
    return deny(
      'InvalidNodeName',
      `kubenode.io/node-name: ${JSON.stringify(request.nodeName)} is no name of a Node.`,
    );
  }
  return { kind: 'Approve', reason: 'Join', create: { name, labels, nodeName: request.nodeName } };
}

function faultOf(request: Request, identity: RequestedIdentity, name: string): string | undefined {
  if (identity.commonName !== agentUser(name) || name.length > 253 || !dnsName.test(name)) {
    return `the common name must be ${agentUser('<machine>')}, with the name of a Machine, and is ${JSON.stringify(identity.commonName)}.`;
  }
  if (identity.organizations.length !== 1 || identity.organizations[0] !== agentGroup) {
    return `the organization must be ${agentGroup} alone, and is ${JSON.stringify(identity.organizations)}.`;
  }
  if (identity.otherParts.length > 0 || identity.hasExtensions) {
    return 'the request must name nothing but a common name and an organization.';
  }
  if (!identity.isP256) return 'the key must be ECDSA P-256.';
  const foreign = request.usages.filter((usage) => !usages.has(usage));
  if (foreign.length > 0 || !request.usages.includes('client auth')) {
    return `the usages must be client auth and digital signature, and are ${request.usages.join(', ')}.`;
  }
  return undefined;
}

const labelName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** The labels, or what is wrong with them. */
function readLabels(json: string | undefined): Readonly<Record<string, string>> | string {
  if (json === undefined) return {};
  const what = 'kubenode.io/machine-labels';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return `${what} is no JSON object.`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `${what} is no JSON object.`;
  const labels: Record<string, string> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (!labelName.test(key) || typeof entry !== 'string' || !labelValue.test(entry)) {
      return `${what}: ${key} is no label, or its value is none.`;
    }
    labels[key] = entry;
  }
  return labels;
}

function deny(reason: string, message: string): Decision {
  return { kind: 'Deny', reason, message };
}
