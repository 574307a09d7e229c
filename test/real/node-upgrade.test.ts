/** Three Nodes get another minor version of the kubelet and another containerd while pods run: no container is restarted. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { ensureOlderKubelet, type LabHost } from '@kubenode/lab';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import { Node, Pod } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { type Fleet, startFleet } from './fleet.ts';

const image = 'registry.lab:5000/pause:1';
const components = ['kubelet', 'containerd', 'runc', 'cni-plugins', 'sysctl'];
const podsPerHost = 2;

describe('Nodes of a real Kubernetes, with pods running', () => {
  let fleet: Fleet;
  let hosts: readonly LabHost[];
  let older: string;

  before(async () => {
    fleet = await startFleet({ plane: 'kubernetes', hosts: 3, kubelet: true, components });
    ({ hosts } = fleet.lab);
    older = await serveOlderKubelet(fleet);
    await fleet.applyComponents(components, (manifest) => {
      if (manifest.kind !== 'MachineComponentSet') return;
      if (manifest.spec.component === 'kubelet') manifest.spec['revision'] = older;
      if (manifest.spec.component === 'containerd') manifest.spec['revision'] = 'containerd-1.6.20-1';
    });
    await Promise.all(hosts.map((host) => fleet.import(host, { nodeName: host.name })));
    await fleet.untilReady(hosts, components.length);
    for (const host of hosts) {
      for (let i = 1; i <= podsPerHost; i += 1) await runPod(fleet, `${host.name}-${i}`, host.name);
    }
  });
  after(async () => fleet?.close());

  const upgrades = {
    kubelet: 'kubelet-1.36.3-1',
    containerd: 'containerd-1.6.20-2',
  };
  for (const [component, revision] of Object.entries(upgrades)) {
    it(`${component} moves to ${revision}, and no container is restarted`, async (t) => {
      const was = await containersOf(fleet);
      assert.equal(was.size, hosts.length * podsPerHost);
      const begun = performance.now();
      await fleet.client.patch(MachineComponentSet, component, {
        type: 'merge',
        body: { spec: { revision } },
      });
      await fleet.until(
        `${revision} everywhere`,
        async () => {
          const set = await fleet.client.get(MachineComponentSet, component);
          return (
            set?.status?.currentRevision === revision &&
            set.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
          );
        },
        180_000,
        async () => (await fleet.client.get(MachineComponentSet, component))?.status,
      );
      t.diagnostic(`${hosts.length} Nodes: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      for (const { name } of hosts) {
        const machine = await fleet.client.get(Machine, name);
        const status = machine?.status?.components?.find((one) => one.name === component);
        assert.deepEqual([status?.running, status?.state], [revision, 'Ready']);
      }
      assert.deepEqual(await containersOf(fleet), was);
    });
  }

  it('the Nodes say the new versions, and are Ready', async () => {
    for (const { name } of hosts) {
      const node = await fleet.until(`Node ${name} Ready with its new kubelet`, async () => {
        const found = await fleet.client.get(Node, name);
        const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
        return found?.status?.nodeInfo?.kubeletVersion === 'v1.36.3' && ready?.status === 'True' && found;
      });
      assert.equal(node.spec?.unschedulable ?? false, false);
    }
  });
});

/** A revision of the kubelet like the example's, with the program of the minor version before. @returns its name. */
async function serveOlderKubelet(fleet: Fleet): Promise<string> {
  const { version, file } = await ensureOlderKubelet((line) => process.stderr.write(`    ${line}\n`));
  const path = `/kubelet/v${version}/linux-amd64/kubelet`;
  const digest = await fleet.supply.fileServer.put(path, await readFile(file));
  const example = fleet.supply.examples.manifests.find(
    ({ kind, spec }) => kind === 'MachineComponent' && spec.component === 'kubelet',
  );
  assert.ok(example);
  const { artifacts, ...spec } = structuredClone(example.spec) as unknown as {
    artifacts: [{ file: { url: string; digest: string } }];
  };
  const name = `kubelet-${version}-1`;
  const [artifact] = artifacts;
  const source = { ...artifact.file, url: `http://artifacts.lab${path}`, digest };
  await applyManifests(fleet.client, [
    {
      ...example,
      metadata: { name },
      spec: { ...spec, version, artifacts: [{ ...artifact, file: source }] },
    } as never,
  ]);
  return name;
}

/** A pod bound to a Node, running. */
async function runPod(fleet: Fleet, name: string, node: string): Promise<void> {
  await fleet.client.create(Pod, {
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: node,
      containers: [{ name: 'pause', image }],
      tolerations: [{ operator: 'Exists' }],
    },
  });
  await fleet.until(`pod ${name} runs`, async () => {
    const pod = await fleet.client.get(Pod, { namespace: 'default', name });
    return pod?.status?.containerStatuses?.every(({ ready }) => ready) === true;
  });
}

/** By pod: its container, how often it was restarted, and its process on the host. */
async function containersOf(fleet: Fleet): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { items } = await fleet.client.list(Pod, { namespace: 'default' });
  for (const { metadata, spec, status } of items) {
    const [container] = status?.containerStatuses ?? [];
    const id = container?.containerID?.replace('containerd://', '') ?? '';
    const task = await fleet
      .host(spec?.nodeName ?? '')
      .exec(['ctr', '--namespace', 'k8s.io', 'task', 'list']);
    const [, pid = ''] =
      task.stdout
        .split('\n')
        .find((line) => line.startsWith(id))
        ?.split(/\s+/) ?? [];
    found.set(metadata.name, `${id} pid ${pid} restarted ${container?.restartCount ?? 0} times`);
  }
  return found;
}
