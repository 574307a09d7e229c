import { isTrue } from '@kubenode/runtime';
import { MachineImport } from '../../kinds.ts';
import type { Step, Work } from '../deps.ts';
import { agentTokenGroups, ensureToken, tokenId } from '../token.ts';

/** The agent asks within seconds of its start; an operator that was down for a while still finds the token valid. */
const agentTokenMs = 3_600_000;
/** The kubelet may be brought by a component much later, after other components. */
const kubeletTokenMs = 24 * 3_600_000;

/**
 * Gives the host what it needs to ask for identities of its own: a token that may speak for this machine only, and for a host that will be a Node
 * one for its kubelet. The keys are made on the host and never leave it.
 */
export const identity: Step = async (work) => {
  const { object, paths, server, signal } = work;
  const { name, nodeName } = object.spec.machine;
  const machine = await work.machine();
  const isIn = isTrue(machine?.status?.conditions, 'AgentReady');
  const host = await work.host();
  await host.writeFile(paths.ca, server.ca, { mode: 0o644 });
  if (!isIn) {
    const token = await importToken(work, {
      purpose: 'agent',
      machine: name,
      groups: agentTokenGroups,
      lifetimeMs: agentTokenMs,
    });
    await host.writeFile(paths.token, `${token}\n`, { mode: 0o600 });
  }
  if (nodeName !== undefined && machine?.status?.nodeRef === undefined) {
    const token = await importToken(work, { purpose: 'kubelet', groups: [], lifetimeMs: kubeletTokenMs });
    await host.writeFile(paths.kubeletKubeconfig, kubeletKubeconfig(server, token), { mode: 0o600 });
  }
  signal.throwIfAborted();
  // Last: the agent's unit is only started once this is there.
  await host.writeFile(paths.config, agentConfig(work), { mode: 0o644 });
  return {
    state: 'Done',
    message: isIn
      ? 'the agent has its identity already'
      : `the host has a token that may ask for the identity of ${name} only`,
  };
};

interface Purpose {
  readonly purpose: 'agent' | 'kubelet';
  readonly machine?: string;
  readonly groups: readonly string[];
  readonly lifetimeMs: number;
}

/** The IDs of an import's tokens follow from its UID. */
export function importTokenId(uid: string, purpose: Purpose['purpose']): string {
  return tokenId(uid, purpose);
}

async function importToken(work: Work, purpose: Purpose): Promise<string> {
  const { object, client, signal } = work;
  const uid = object.metadata.uid ?? '';
  const token = await ensureToken(
    client,
    {
      id: importTokenId(uid, purpose.purpose),
      ...(purpose.machine === undefined ? {} : { machine: purpose.machine }),
      groups: purpose.groups,
      description: `${MachineImport.kind} ${object.metadata.name}, ${purpose.purpose}`,
      lifetimeMs: purpose.lifetimeMs,
      owner: {
        apiVersion: object.apiVersion,
        kind: MachineImport.kind,
        name: object.metadata.name,
        uid,
      },
    },
    work.now(),
    signal,
  );
  if (token !== undefined) return token;
  const name = `kube-system/bootstrap-token-${importTokenId(uid, purpose.purpose)}`;
  throw new Error(
    `Secret ${name} exists and is not this import's: delete it if nobody needs it, or make the ${MachineImport.kind} anew, which gives it another UID`,
  );
}

function agentConfig({ object, paths, server }: Work): string {
  const { name, nodeName } = object.spec.machine;
  const config = {
    machine: name,
    server: server.url,
    caFile: paths.ca,
    bootstrapTokenFile: paths.token,
    ...(nodeName === undefined ? {} : { nodeName }),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** For the kubelet's --bootstrap-kubeconfig. JSON is YAML too. */
export function kubeletKubeconfig(server: Work['server'], token: string): string {
  const name = 'kubenode';
  const ca = Buffer.from(server.ca).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: server.url, 'certificate-authority-data': ca } }],
    users: [{ name: 'kubelet-bootstrap', user: { token } }],
    contexts: [{ name, context: { cluster: name, user: 'kubelet-bootstrap' } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
