/** Absence means hold; removal only where it was asked for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import { type Client, CustomResourceDefinition, Lease, Node } from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';

export function removalStories(cluster: () => Cluster, agent: (name: string) => Client): void {
  describe('the definitions are deleted and applied again', () => {
    test('no agent is told to remove anything, whatever policies say, and all goes on afterwards', async () => {
      await cluster().set('containerd', { revision: 'containerd-1', removal: 'Remove' });
      await cluster().admin.patch(Machine, 'n1', {
        type: 'merge',
        body: { spec: { deletionPolicy: 'Delete' } },
      });
      await eventually(
        'the set is held',
        () => cluster().admin.get(MachineComponentSet, 'containerd'),
        (set) => set?.metadata.finalizers?.length === 1,
      );
      const plurals = ['machines', 'machinecomponentsets', 'machinecomponents', 'machineimports'];
      for (const plural of plurals)
        await cluster().admin.delete(CustomResourceDefinition, `${plural}.kubenode.io`);
      for (const plural of plurals) {
        await eventually(
          `${plural} are gone`,
          () => cluster().admin.get(CustomResourceDefinition, `${plural}.kubenode.io`),
          (definition) => definition === undefined,
        );
      }
      assert.deepEqual([...cluster().toldToRemove], []);
      await cluster().install();
      for (const name of ['runc-2', 'containerd-1']) await cluster().revision(name);
      const machine = {
        metadata: { name: 'n1' },
        spec: { deletionPolicy: 'Retain', paused: false },
      } as const;
      await cluster().admin.create(Machine, machine);
      await cluster().admin.create(Machine, {
        ...machine,
        metadata: { name: 'n2' },
        spec: { ...machine.spec, nodeName: 'k1' },
      });
      await cluster().set('runc', { revision: 'runc-2' });
      await cluster().set('containerd', { revision: 'containerd-1' });
      for (const name of ['runc', 'containerd']) {
        const found = await eventually(
          `${name} is on both again`,
          () => cluster().admin.get(MachineComponentSet, name),
          (set) => set?.status?.ready === 2,
        );
        assert.equal(found?.status?.machines, 2);
      }
      assert.deepEqual([...cluster().toldToRemove], []);
    });
  });

  describe('removal, where it was asked for', () => {
    test('a set deleted with removal: Remove cleans its machines and goes', async () => {
      await cluster().set('containerd', { revision: 'containerd-1', removal: 'Remove' });
      await cluster().rolledOut('containerd');
      await eventually(
        'it is held',
        () => cluster().admin.get(MachineComponentSet, 'containerd'),
        (set) => set?.metadata.finalizers?.length === 1,
      );
      await cluster().admin.delete(MachineComponentSet, 'containerd');
      await eventually(
        'the set is gone',
        () => cluster().admin.get(MachineComponentSet, 'containerd'),
        (set) => set === undefined,
      );
      for (const name of ['n1', 'n2']) {
        const { spec, status: told } = await cluster().machine(name);
        assert.equal(
          spec.components?.some((entry) => entry.name === 'containerd'),
          false,
        );
        assert.equal(
          told?.components?.some((entry) => entry.name === 'containerd'),
          false,
        );
      }
    });

    test('a Machine deleted with policy Delete has its host cleaned, its agent told to leave, and goes', async () => {
      await cluster().admin.patch(Machine, 'n2', {
        type: 'merge',
        body: { spec: { deletionPolicy: 'Delete' } },
      });
      await cluster().admin.delete(Machine, 'n2');
      const told = await eventually(
        'the agent is told',
        () => cluster().machine('n2'),
        (machine) =>
          machine.status?.conditions?.some((c) => c.type === 'Deleting' && c.reason === 'AgentLeaves') ===
          true,
      );
      assert.deepEqual(told.status?.components, []);
      await agent('n2').apply(
        Machine,
        {
          metadata: { name: 'n2' },
          status: {
            conditions: [
              {
                type: 'AgentReady',
                status: 'False',
                reason: 'Left',
                message: '',
                lastTransitionTime: '2026-01-01T00:00:00Z',
              },
            ],
          },
        },
        { fieldManager: 'kubenode-agent', subresource: 'status' },
      );
      await eventually(
        'n2 is gone',
        () => cluster().admin.get(Machine, 'n2'),
        (machine) => machine === undefined,
      );
      const node = await cluster().admin.get(Node, 'k1');
      assert.deepEqual(node?.metadata.labels, { 'by-hand': 'yes' });
      assert.equal(await cluster().admin.get(Lease, { namespace: 'kubenode-system', name: 'n2' }), undefined);
    });
  });
}
