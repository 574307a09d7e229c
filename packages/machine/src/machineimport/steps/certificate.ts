import { agentUser, leaseStaleMs, systemNamespace } from '@kubenode/api';
import { CertificateSigningRequest, isTrue, Lease } from '@kubenode/runtime';
import { firstLine } from '../../ssh/index.ts';
import type { Step, Work } from '../deps.ts';
import { agentUnitName } from '../host.ts';
import type { Outcome } from '../plan.ts';
import { importTokenId } from './identity.ts';

const againMs = 1_000;
/** After so long without a request the agent's own word is asked for. */
const askAgentMs = 15_000;

/** The certificate that the agent asked for is approved and issued. */
export const certificate: Step = async (work) => {
  const { name } = work.object.spec.machine;
  const machine = await work.machine();
  if (isTrue(machine?.status?.conditions, 'AgentReady') || (await isKnown(work))) {
    return { state: 'Done', message: 'the agent has its certificate already' };
  }
  const request = await latestRequest(work);
  if (request === undefined) {
    const message = `waits for the agent to ask for its certificate (CertificateSigningRequest kubenode-agent-${name}-...)`;
    return { state: 'Waiting', message: message + (await agentsWord(work)), againMs };
  }
  return judge(request);
};

/**
 * Nobody but the agent of this name can write its Lease. It counts where no Machine says so: it was deleted, by itself or with its whole
 * kind, and an agent that has a certificate does not ask for another. One that came back without it asks, whatever is said here.
 */
async function isKnown(work: Work): Promise<boolean> {
  const key = { namespace: systemNamespace, name: work.object.spec.machine.name };
  const renewed = (await work.client.get(Lease, key, { signal: work.signal }))?.spec?.renewTime;
  return renewed !== undefined && Math.abs(work.now() - Date.parse(renewed)) < leaseStaleMs;
}

async function latestRequest(work: Work): Promise<CertificateSigningRequest | undefined> {
  const { object, client, signal } = work;
  const { name } = object.spec.machine;
  const askers = [`system:bootstrap:${importTokenId(object.metadata.uid ?? '', 'agent')}`, agentUser(name)];
  const { items } = await client.list(CertificateSigningRequest, {
    signal,
    fieldSelector: 'spec.signerName=kubernetes.io/kube-apiserver-client',
  });
  return items
    .filter(
      ({ metadata, spec }) =>
        metadata.name.startsWith(`kubenode-agent-${name}-`) && askers.includes(spec.username ?? ''),
    )
    .sort((a, b) => (madeAt(a) < madeAt(b) ? 1 : -1))[0];
}

function madeAt(request: CertificateSigningRequest): string {
  return request.metadata.creationTimestamp ?? '';
}

function judge({ metadata, status }: CertificateSigningRequest): Outcome {
  const what = `CertificateSigningRequest ${metadata.name}`;
  const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (refused !== undefined) {
    const why = refused.message ?? refused.reason ?? 'no reason given';
    return { state: 'Failed', message: `${what} was ${refused.type.toLowerCase()}: ${why}` };
  }
  if (status?.certificate !== undefined && status.certificate !== '') {
    return { state: 'Done', message: `${what} is approved and signed; the key never left the host` };
  }
  const isApproved = status?.conditions?.some(({ type }) => type === 'Approved') === true;
  const message = isApproved
    ? `${what} is approved; waits for the cluster to sign it (kube-controller-manager, --cluster-signing-cert-file)`
    : `${what} waits for the machine operator to approve it`;
  return { state: 'Waiting', message, againMs };
}

/** The last line that the agent logged, for a message; nothing where the host cannot be asked. */
export async function agentsWord(work: Work): Promise<string> {
  if (work.now() - work.since() < askAgentMs) return '';
  try {
    const { systemd } = await work.facts();
    const command = systemd
      ? ['journalctl', '--unit', agentUnitName, '--lines', '1', '--output', 'cat', '--no-pager']
      : ['tail', '-n', '1', work.paths.log];
    const result = await (await work.host()).exec(command, { timeoutMs: 10_000 });
    return firstLine(result.stdout, '. The agent says: ');
  } catch {
    return '. The host cannot be asked why';
  }
}
