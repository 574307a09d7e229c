/** What people and tools get wrong, and what becomes of it: nothing, on any host. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Machine, MachineComponent, MachineComponentSet } from '@kubenode/machine';
import { Event, Lease } from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';

export function mistakeStories(cluster: () => Cluster): void {
  describe("a GitOps tool's mistakes change nothing on any host", () => {
    const entries = async (): Promise<string> =>
      JSON.stringify(
        await Promise.all(['n1', 'n2', 'n3'].map(async (n) => (await cluster().machine(n)).spec.components)),
      );

    test('a revision in use is deleted: it stays, and says why', async () => {
      const was = await entries();
      await cluster().admin.delete(MachineComponent, 'runc-2');
      const events = await eventually(
        'an event tells',
        () => cluster().admin.list(Event),
        ({ items }) =>
          items.some((event) => event.reason === 'InUse' && event.involvedObject.name === 'runc-2'),
      );
      assert.match(
        events.items.find((event) => event.reason === 'InUse')?.message ?? '',
        /Kept until no Machine names it/,
      );
      assert.notEqual(await cluster().admin.get(MachineComponent, 'runc-2'), undefined);
      assert.equal(await entries(), was);
    });

    test('a set is deleted, a selector mistyped, labels wiped', async () => {
      const was = await entries();
      await cluster().admin.delete(MachineComponentSet, 'chrony');
      await cluster().set('cni', { revision: 'cni-1', selector: { matchLabels: { pool: 'wbe' } } });
      const none = await cluster().rolledOut('cni');
      assert.equal(none.status?.conditions?.find((c) => c.type === 'Ready')?.reason, 'NoMachines');
      const unlabelled = { type: 'merge', body: { metadata: { labels: null } } } as const;
      await cluster().admin.patch(Machine, 'n1', unlabelled);
      await cluster().set('cni', { revision: 'cni-1', selector: { matchLabels: { pool: 'web' } } });
      await eventually(
        'n2 and n3 are selected',
        () => cluster().admin.get(MachineComponentSet, 'cni'),
        (set) => set?.status?.machines === 2,
      );
      assert.equal(await entries(), was);
    });

    test('a Machine is deleted with policy Retain: it goes, and its host is told nothing', async () => {
      await cluster().admin.delete(Machine, 'n3');
      await eventually(
        'n3 is gone',
        () => cluster().admin.get(Machine, 'n3'),
        (machine) => machine === undefined,
      );
      assert.notEqual(
        await cluster().admin.get(Lease, { namespace: 'kubenode-system', name: 'n3' }),
        undefined,
      );
    });
  });
}
