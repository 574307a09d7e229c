/** Three hosts with a real kubelet are taken over; what is declared reaches their Nodes and nothing else; one component moves on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NodeTemplate } from '@kubenode/api';
import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { Node } from '@kubenode/runtime';
import { type Fleet, type PlaneKind, startFleet } from './fleet.ts';

const declared: NodeTemplate = {
  labels: { 'example.org/pool': 'web', 'example.org/rack': 'r7' },
  taints: [{ key: 'example.org/dedicated', value: 'web', effect: 'NoSchedule', propagation: 'Always' }],
};
const uninitialized = 'kubenode.io/uninitialized';

for (const plane of ['embedded', 'kubernetes'] satisfies PlaneKind[]) {
  describe(`three hosts with a kubelet, imported by the ${plane} control plane`, () => {
    let fleet: Fleet;

    before(async () => {
      fleet = await startFleet({ plane, hosts: 3, kubelet: true });
    });
    after(async () => fleet?.close());

    it('get all components, a Ready Node, and the labels and taints that are declared', async (t) => {
      const { hosts } = fleet.lab;
      const components = fleet.supply.examples.sets.length;
      assert.ok(components >= 10, `${components} examples`);
      await fleet.applyComponents();
      const watching = new AbortController();
      const registered = taintsAtRegistration(fleet, watching.signal);
      const begun = performance.now();
      await Promise.all(hosts.map((host) => fleet.import(host, { nodeName: host.name, node: declared })));
      await fleet.untilReady(hosts, components);
      t.diagnostic(
        `${plane}: ${hosts.length} imports to Ready, ${components} components and a Node each: ${seconds(begun)}`,
      );
      watching.abort();
      const taints = await registered;
      for (const { name } of hosts) {
        assert.ok(taints.get(name)?.includes(uninitialized), 'no pod got onto the Node before it was Ready');
        const machine = await fleet.client.get(Machine, name);
        assert.equal(machine?.status?.summary, `${components}/${components}`);
        await assertNode(fleet, name, { ...declared.labels, 'kubenode.io/machine': name });
      }
      for (const { name } of hosts) {
        await fleet.until(`the import of ${name} at its end`, async () => {
          const { status } = (await fleet.client.get(MachineImport, name)) ?? {};
          return status?.phase === 'Imported' && status.steps?.every(({ state }) => state === 'Done');
        });
      }
    });

    it('lose the label that the Machine no longer declares, and keep the one that somebody put there', async () => {
      const [host] = fleet.lab.hosts;
      assert.ok(host);
      const { client } = fleet;
      await client.patch(Node, host.name, {
        type: 'merge',
        body: { metadata: { labels: { 'example.org/by-hand': 'yes' } } },
      });
      await client.patch(Machine, host.name, {
        type: 'merge',
        body: { spec: { node: { labels: { 'example.org/rack': null } } } },
      });
      await fleet.until(
        'the label is gone from the Node',
        async () => {
          const labels = (await client.get(Node, host.name))?.metadata.labels;
          return labels !== undefined && !('example.org/rack' in labels);
        },
        15_000,
      );
      await assertNode(fleet, host.name, {
        'example.org/pool': 'web',
        'example.org/by-hand': 'yes',
        'kubenode.io/machine': host.name,
      });
    });

    it('get another revision batch by batch', async (t) => {
      const { client } = fleet;
      const { hosts } = fleet.lab;
      const from = 'node-exporter-1.11.1-1';
      const to = 'node-exporter-1.12.1-1';
      const pids = await Promise.all(hosts.map((host) => pidOf(fleet, host.name, 'containerd.service')));
      const begun = performance.now();
      await client.patch(MachineComponentSet, 'node-exporter', {
        type: 'merge',
        body: { spec: { revision: to } },
      });
      await fleet.until(
        `${to} everywhere`,
        async () => {
          const set = await client.get(MachineComponentSet, 'node-exporter');
          return (
            set?.status?.currentRevision === to &&
            set.status.updated === hosts.length &&
            set.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
          );
        },
        120_000,
        async () => (await client.get(MachineComponentSet, 'node-exporter'))?.status,
      );
      t.diagnostic(`${plane}: ${from} to ${to} on ${hosts.length} machines: ${seconds(begun)}`);
      const moved = await Promise.all(hosts.map(({ name }) => moveOf(fleet, name, 'node-exporter', to)));
      const batches = [...new Set(moved.map(({ batch }) => batch))].toSorted((a, b) => a - b);
      assert.deepEqual(
        batches.map((batch) => moved.filter((move) => move.batch === batch).length),
        [1, 2],
        JSON.stringify(moved),
      );
      const [first = 0, second = 0] = batches;
      const readyFirst = Math.max(...moved.filter(({ batch }) => batch === first).map(({ ready }) => ready));
      const movedSecond = Math.min(...moved.filter(({ batch }) => batch === second).map(({ at }) => at));
      assert.ok(
        readyFirst <= movedSecond,
        `the second batch began before the first was Ready: ${JSON.stringify(moved)}`,
      );
      for (const host of hosts) {
        const told = await host.exec(['/usr/local/bin/node_exporter', '--version']);
        assert.match(told.stdout, /version 1\.12\.1/);
      }
      assert.deepEqual(
        await Promise.all(hosts.map((host) => pidOf(fleet, host.name, 'containerd.service'))),
        pids,
        'an upgrade of one component restarted another',
      );
    });
  });
}

/** The taints that each Node came with. Ends with the signal. */
async function taintsAtRegistration(
  fleet: Fleet,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const seen = new Map<string, readonly string[]>();
  for await (const event of fleet.client.watch(Node, { signal })) {
    if (event.type !== 'ADDED') continue;
    const { metadata, spec } = event.object;
    seen.set(metadata.name, spec?.taints?.map(({ key }) => key) ?? []);
  }
  return seen;
}

/** The Node is Ready, carries these labels beside the kubelet's own, the declared taint, and not the one that kept pods away. */
async function assertNode(
  fleet: Fleet,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const node = await fleet.client.get(Node, name);
  assert.ok(node, `Node ${name}`);
  assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  const foreign = /kubernetes\.io\//;
  const own = Object.entries(node.metadata.labels ?? {}).filter(([key]) => !foreign.test(key));
  assert.deepEqual(Object.fromEntries(own), labels);
  const taints = (node.spec?.taints ?? []).map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`);
  assert.ok(taints.includes('example.org/dedicated=web:NoSchedule'), taints.join());
  assert.ok(!taints.some((taint) => taint.startsWith(uninitialized)), taints.join());
}

interface Move {
  readonly batch: number;
  /** When the assigner moved it, epoch milliseconds. */
  readonly at: number;
  /** Since when the agent says it is Ready. */
  readonly ready: number;
}

async function moveOf(fleet: Fleet, machine: string, component: string, revision: string): Promise<Move> {
  const { spec, status } = (await fleet.client.get(Machine, machine)) ?? {};
  const entry = spec?.components?.find(({ name }) => name === component);
  const told = status?.components?.find(({ name }) => name === component);
  assert.equal(told?.running, revision, machine);
  assert.equal(told?.state, 'Ready', machine);
  return {
    batch: entry?.batch ?? -1,
    at: Date.parse(entry?.movedAt ?? ''),
    ready: Date.parse(told?.since ?? ''),
  };
}

async function pidOf(fleet: Fleet, host: string, unit: string): Promise<string> {
  const { stdout } = await fleet.host(host).exec(['systemctl', 'show', '-P', 'MainPID', unit]);
  return stdout.trim();
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
