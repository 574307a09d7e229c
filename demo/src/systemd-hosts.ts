/** Real hosts: Debian with systemd in systemd-nspawn, taken over by ssh. They keep their disks from one start to the next. */
import { cp, readFile } from 'node:fs/promises';
import { systemNamespace } from '@kubenode/api';
import {
  createLab,
  type Lab,
  missingForBuilds,
  openLab,
  type Progress,
  type Supply,
  supplyExamples,
} from '@kubenode/lab';
import { type AgentBinary } from '@kubenode/machine';
import { Secret } from '@kubenode/runtime';
import { buildAgent } from '../../packages/agent/build/sea.ts';
import { applyManifests, type Manifest } from './manifests.ts';
import type { Plane } from './plane.ts';
import type { StateFolder } from './state-folder.ts';

/** Built from Go modules; left out where there is no Go. The kubelet needs minutes to build: the lab and the tests have it. */
const fromGo = ['cni-plugins', 'node-exporter'];
const fromDebian = [
  'chrony',
  'containerd',
  'journald',
  'logrotate',
  'open-iscsi',
  'rsyslog',
  'runc',
  'sysctl',
];

const keySecret = 'demo-ssh-key';

/** Boots the hosts, or those of an earlier start. */
export async function bootHosts(
  folder: StateFolder,
  count: number,
  again: boolean,
  progress: Progress,
): Promise<Lab> {
  if (!again) return createLab({ dir: folder.at('lab'), hosts: count, kubelet: true, progress });
  const lab = await openLab(folder.at('lab'));
  await Promise.all(lab.hosts.map((host) => host.power('on')));
  return lab;
}

/** Gets and serves what the components are made of. */
export async function serveArtifacts(folder: StateFolder, lab: Lab, progress: Progress): Promise<Supply> {
  const go = (await missingForBuilds()).length === 0;
  if (!go) progress(`no Go here: ${fromGo.join(' and ')} are left out`);
  return supplyExamples({
    dir: folder.at('lab'),
    address: lab.address,
    only: [...fromDebian, ...(go ? fromGo : [])],
    progress,
  });
}

/** Builds the agent and puts it where hosts can pull it. */
export async function serveAgent(
  folder: StateFolder,
  progress: Progress,
): Promise<Record<string, AgentBinary>> {
  const agent = await buildAgent({ progress });
  const name = `kubenode-agent-${agent.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  await cp(agent.path, folder.at('lab', 'artifacts', name));
  return { [goArch()]: { url: `http://artifacts.lab/${name}`, digest: agent.digest } };
}

/** One MachineImport for each host, by the key that each host was seen to have when it was made. */
export async function importHosts(plane: Plane, lab: Lab): Promise<void> {
  await plane.client.apply(
    Secret,
    {
      metadata: { name: keySecret, namespace: systemNamespace },
      type: 'kubernetes.io/ssh-auth',
      data: { 'ssh-privatekey': (await readFile(lab.sshKey)).toString('base64') },
    },
    { fieldManager: 'kubenode-demo', force: true },
  );
  const imports = lab.hosts.map(
    (host, i): Manifest => ({
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'MachineImport',
      metadata: { name: host.name },
      spec: {
        state: 'Imported',
        ssh: { address: host.address, user: 'root', hostKey: host.hostKey, keySecretName: keySecret },
        machine: { name: host.name, labels: { pool: i === 0 ? 'canary' : 'web' } },
      },
    }),
  );
  await applyManifests(plane.client, imports);
}

/** This machine's architecture in Go's words. */
export function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
