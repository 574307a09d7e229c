import * as x509 from '@peculiar/x509';
import { BOOTSTRAPPERS, NODES } from '../authn/user.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { Control, Controller } from '../garbage/control.ts';
import { ignoreGone } from '../garbage/owners.ts';
import { Worker } from '../garbage/worker.ts';
import { at, child, isObj, list, strings, text, time, type KubeObject, type Obj } from '../object.ts';
import { internal } from '../registry/internal.ts';
import { BACKDATE, readCsr, type Authority, type Csr, type Issue } from './authority.ts';

const CLIENT = 'kubernetes.io/kube-apiserver-client';
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet';
/** Longest life of a certificate (ms) and the one given where none is asked for; kube-controller-manager's default of a year. */
const LIFE = 365 * 24 * 3600_000;

const CLIENT_USAGES = new Set(['digital signature', 'key encipherment', 'client auth']);
const KUBELET_USAGES = [
  ['client auth', 'digital signature'],
  ['client auth', 'digital signature', 'key encipherment'],
];

/** Approves the requests of kubelets for their own name, and signs what is approved, for the two client signers. */
export class Signer implements Controller {
  readonly #control: Control;
  readonly #authority: Authority;
  readonly #authorizer: Authorizer;
  readonly #worker: Worker;

  constructor(control: Control, authority: Authority, authorizer: Authorizer) {
    this.#control = control;
    this.#authority = authority;
    this.#authorizer = authorizer;
    this.#worker = new Worker((name) => this.#work(name), control.log);
  }

  seen(resource: string, object: KubeObject): void {
    if (resource !== 'certificatesigningrequests') return;
    if (text(object, 'status', 'certificate') || has(object, 'Denied') || has(object, 'Failed')) return;
    const signer = text(object, 'spec', 'signerName');
    if (signer === CLIENT || signer === KUBELET) this.#worker.add(object.metadata.name);
  }

  gone(): void {
    // A request that is gone needs nothing.
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async #work(name: string): Promise<void> {
    const object = this.#control.store.read('certificatesigningrequests', '', name);
    if (!object || text(object, 'status', 'certificate') || has(object, 'Denied') || has(object, 'Failed')) {
      return;
    }
    const csr = await read(object);
    if (!has(object, 'Approved')) {
      if (typeof csr !== 'string') await this.#approve(object, csr);
      return;
    }
    const problem = typeof csr === 'string' ? csr : refusal(object, csr);
    if (typeof csr === 'string' || problem) {
      await this.#fail(name, problem ?? '');
      return;
    }
    const certificate = await this.#sign(object, csr);
    await this.#write(name, 'status', (live) => ({
      ...child(live, 'status'),
      certificate: Buffer.from(certificate).toString('base64'),
    }));
  }

  /** As kube-controller-manager's csrapproving: a kubelet's request for the name of its own node. */
  async #approve(object: KubeObject, csr: Csr): Promise<void> {
    const spec = child(object, 'spec');
    if (spec['signerName'] !== KUBELET || refusal(object, csr)) return;
    const user = {
      username: text(spec, 'username') ?? '',
      groups: strings(spec, 'groups'),
    };
    const own = user.username === csr.commonName && user.groups.includes(NODES);
    const subresource = own ? 'selfnodeclient' : 'nodeclient';
    if (!own && !user.groups.includes(BOOTSTRAPPERS)) return;
    const decision = this.#authorizer.authorize({
      user,
      verb: 'create',
      group: 'certificates.k8s.io',
      version: 'v1',
      resource: 'certificatesigningrequests',
      subresource,
      namespace: '',
      name: '',
    });
    if (!decision.allowed) return;
    const now = time(this.#control.clock());
    await this.#write(object.metadata.name, 'approval', (live) => ({
      ...child(live, 'status'),
      conditions: [
        ...list(live, 'status', 'conditions'),
        {
          type: 'Approved',
          status: 'True',
          reason: 'AutoApproved',
          message: own
            ? 'Auto approving self kubelet client certificate after SubjectAccessReview.'
            : 'Auto approving kubelet client certificate after SubjectAccessReview.',
          lastUpdateTime: now,
          lastTransitionTime: now,
        },
      ],
    }));
  }

  async #sign(object: KubeObject, csr: Csr): Promise<string> {
    const now = this.#control.clock();
    const asked = at(object, 'spec', 'expirationSeconds');
    const life = Math.min(LIFE, typeof asked === 'number' ? Math.max(600, asked) * 1000 : LIFE);
    const usages = strings(object, 'spec', 'usages');
    return this.#authority.issue({
      subject: { commonName: csr.commonName, organizations: csr.organizations },
      publicKey: new Uint8Array(csr.publicKey),
      notBefore: now - BACKDATE,
      notAfter: now + life,
      ...keyUsages(usages),
      extendedUsages: [x509.ExtendedKeyUsage.clientAuth],
      names: csr.names,
    });
  }

  async #fail(name: string, message: string): Promise<void> {
    const now = time(this.#control.clock());
    await this.#write(name, 'status', (live) => ({
      ...child(live, 'status'),
      conditions: [
        ...list(live, 'status', 'conditions'),
        {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message,
          lastUpdateTime: now,
          lastTransitionTime: now,
        },
      ],
    }));
  }

  async #write(name: string, subresource: string, status: (live: KubeObject) => Obj): Promise<void> {
    const { clock, registry, resources } = this.#control;
    const resource = resources.get('certificatesigningrequests.certificates.k8s.io');
    if (!resource) throw new Error('the server serves no CertificateSigningRequests');
    const request = internal(resource, '', name, clock(), subresource);
    await ignoreGone(registry.modify(request, (live) => ({ ...live, status: status(live) })));
  }
}

/** Client certificates sign; `key encipherment` comes on top where it is asked for. */
function keyUsages(usages: string[]): Pick<Issue, 'keyUsages'> {
  if (!usages.includes('key encipherment')) return { keyUsages: x509.KeyUsageFlags.digitalSignature };
  return { keyUsages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment };
}

function has(object: KubeObject, type: string): boolean {
  return list(object, 'status', 'conditions').some((c) => isObj(c) && c['type'] === type);
}

/** The request inside, or what is wrong with it. */
async function read(object: KubeObject): Promise<Csr | string> {
  const pem = Buffer.from(text(object, 'spec', 'request') ?? '', 'base64').toString('utf8');
  try {
    return await readCsr(pem);
  } catch (error) {
    return `unable to parse csr ${JSON.stringify(object.metadata.name)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why the signer would not sign it, or undefined. */
function refusal(object: KubeObject, csr: Csr): string | undefined {
  const usages = strings(object, 'spec', 'usages');
  if (text(object, 'spec', 'signerName') === CLIENT) {
    if (!usages.includes('client auth')) return 'usages did not contain "client auth"';
    const other = usages.find((usage) => !CLIENT_USAGES.has(usage));
    return other && `usage ${JSON.stringify(other)} is not permitted by ${CLIENT}`;
  }
  const sorted = usages.toSorted().join(',');
  if (!KUBELET_USAGES.some((allowed) => allowed.join(',') === sorted)) {
    return 'usages did not match [client auth, digital signature] or [client auth, digital signature, key encipherment]';
  }
  if (csr.organizations.length !== 1 || csr.organizations[0] !== NODES) {
    return 'subject organization is not system:nodes';
  }
  if (!csr.commonName.startsWith('system:node:')) {
    return 'subject common name does not begin with system:node:';
  }
  return csr.hasNames ? 'subjectAltNames are not allowed' : undefined;
}
