import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { run } from '../system/run.ts';

/** A bootstrap token, as it is written in a Secret of kube-system. */
export interface BootstrapToken {
  id: string;
  secret: string;
  /** `ID.SECRET`, what a client sends. */
  token: string;
}

/** What is needed to write to a cluster: kubectl's program and a kubeconfig (an admin's). */
interface Cluster {
  kubeconfig: string;
  binaries: { kubectl: string };
}

/**
 * Lets kubelets get their node certificate: who comes with a bootstrap token of the group `system:bootstrappers` may ask, the request is
 * approved by the controller manager, and nodes renew theirs. On a cluster made by kubeadm this is there already.
 */
export async function allowNodeBootstrap(cluster: Cluster): Promise<void> {
  const signing = 'system:certificates.k8s.io:certificatesigningrequests';
  await apply(cluster, [
    binding('kubenode-lab:node-bootstrapper', 'system:node-bootstrapper', 'system:bootstrappers'),
    binding('kubenode-lab:approve-node-client', `${signing}:nodeclient`, 'system:bootstrappers'),
    binding('kubenode-lab:renew-node-client', `${signing}:selfnodeclient`, 'system:nodes'),
  ]);
}

/** Makes a bootstrap token that is good for a day. @param groups further groups, each below `system:bootstrappers:`. */
export async function createBootstrapToken(
  cluster: Cluster,
  groups: readonly string[] = [],
): Promise<BootstrapToken> {
  const id = randomBytes(3).toString('hex');
  const secret = randomBytes(8).toString('hex');
  await apply(cluster, [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      stringData: {
        'token-id': id,
        'token-secret': secret,
        'usage-bootstrap-authentication': 'true',
        'usage-bootstrap-signing': 'true',
        expiration: new Date(Date.now() + 86_400_000).toISOString(),
        ...(groups.length === 0 ? {} : { 'auth-extra-groups': groups.join(',') }),
      },
    },
  ]);
  return { id, secret, token: `${id}.${secret}` };
}

/**
 * Writes the kubeconfig by which a kubelet asks for its identity, readable by root only. An import or a join leaves it on a host at
 * `/etc/kubenode/kubelet-bootstrap.kubeconfig` (see `examples/components/kubelet.yaml`); this is for hosts that are set up by hand.
 */
export async function writeBootstrapKubeconfig(
  file: string,
  cluster: { server: string; caFile: string },
  token: BootstrapToken,
): Promise<void> {
  const ca = (await readFile(cluster.caFile)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server: cluster.server, 'certificate-authority-data': ca } }],
    users: [{ name: 'kubelet-bootstrap', user: { token: token.token } }],
    contexts: [{ name: 'bootstrap', context: { cluster: 'cluster', user: 'kubelet-bootstrap' } }],
    'current-context': 'bootstrap',
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}

function binding(name: string, role: string, group: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  };
}

/** By standard input, so that no secret stands in a command line. */
async function apply(cluster: Cluster, items: readonly object[]): Promise<void> {
  await run([cluster.binaries.kubectl, '--kubeconfig', cluster.kubeconfig, 'apply', '-f', '-'], {
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    timeoutMs: 30_000,
  });
}
