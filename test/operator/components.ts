/** Sets bring their revisions to machines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MachineComponentSet } from '@kubenode/machine';
import { type Cluster, eventually } from './cluster.ts';

export function componentStories(cluster: () => Cluster): void {
  describe('components', () => {
    test('get to all machines, batch by batch', async () => {
      await cluster().revision('runc-1');
      await cluster().set('runc', { revision: 'runc-1', rollout: { batches: [1, 5], maxUnavailable: 1 } });
      const { status } = await cluster().rolledOut('runc');
      assert.deepEqual([status?.machines, status?.ready, status?.currentRevision], [3, 3, 'runc-1']);
      const batches = await Promise.all(
        ['n1', 'n2', 'n3'].map(async (n) => (await cluster().machine(n)).spec.components?.[0]?.batch),
      );
      assert.deepEqual(
        batches.toSorted((a = 0, b = 0) => a - b),
        [1, 2, 2],
      );
    });

    test('a machine is written once for several sets, and stays small', async () => {
      for (const name of ['cni', 'chrony', 'containerd']) {
        await cluster().revision(`${name}-1`);
        await cluster().set(name, {
          revision: `${name}-1`,
          rollout: { batches: ['100%'], maxUnavailable: '100%' },
        });
      }
      for (const name of ['cni', 'chrony', 'containerd']) await cluster().rolledOut(name);
      const machine = await cluster().machine('n1');
      assert.equal(machine.spec.components?.length, 4);
      assert.ok(JSON.stringify(machine).length < 8192);
    });

    test('a template is made a revision', async () => {
      await cluster().set('rsyslog', {
        template: {
          spec: {
            component: 'rsyslog',
            version: '8~x',
            files: [{ path: '/etc/rsyslog.conf', content: 'a' }],
          } as never,
        },
      });
      const { status } = await cluster().rolledOut('rsyslog');
      assert.match(status?.currentRevision ?? '', /^rsyslog-8-x-[0-9a-f]{10}$/);
    });

    test('a new revision, with the operator ended and started in the middle', async () => {
      await cluster().revision('runc-2');
      await cluster().set('runc', { revision: 'runc-2', rollout: { batches: [1], maxUnavailable: 1 } });
      await cluster().stopOperator();
      await cluster().startOperator();
      const { status } = await cluster().rolledOut('runc');
      assert.equal(status?.currentRevision, 'runc-2');
      assert.equal(status?.batch?.number, 3);
    });

    test('two sets of the same priority: both say so, nothing moves', async () => {
      await cluster().admin.apply(
        MachineComponentSet,
        { metadata: { name: 'other' }, spec: { component: 'runc', revision: 'runc-1' } },
        { fieldManager: 'test' },
      );
      await eventually(
        'conflict',
        () => cluster().admin.get(MachineComponentSet, 'runc'),
        (set) =>
          set?.status?.conditions?.some((c) => c.type === 'Conflicted' && c.status === 'True') === true,
      );
      assert.equal(
        (await cluster().machine('n1')).spec.components?.find((c) => c.name === 'runc')?.revision,
        'runc-2',
      );
      await cluster().admin.delete(MachineComponentSet, 'other');
      await cluster().rolledOut('runc');
    });
  });
}
