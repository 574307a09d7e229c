/** Leave to drain and reboot: what the disruption controller does to Nodes, pods and Machines, on any control plane. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cordonAnnotation } from '@kubenode/api';
import { Machine, NodeDisruptionBudget } from '@kubenode/machine';
import { defineKind, Event, isNotFound, type KubeObject, Node, Pod, timestamp } from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';
import { type Asks, drainScene, type MachineObject } from './drain-scene.ts';

interface PodDisruptionBudget extends KubeObject {
  metadata: { name: string; namespace?: string };
  spec: object;
}
const PodDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
});

export function drainStories(running: () => Cluster): void {
  const { admin, endPods, host, report, pod, node, isCordoned, inState, grants, isPutBack, withTimeout } =
    drainScene(running);
  const stop = new AbortController();
  let kubelet: Promise<void>;

  before(async () => {
    const body = {
      spec: {
        starts: { perMinute: 1000, perHour: 1000, perDay: 1000 },
        concurrent: { cluster: 100, perZone: 100 },
        maxUnhealthy: 100,
      },
    };
    await eventually(
      'the budget is there',
      () => admin().get(NodeDisruptionBudget, 'default'),
      (budget) => budget?.status?.since !== undefined,
    );
    await admin().patch(NodeDisruptionBudget, 'default', { type: 'merge', body });
    kubelet = endPods(stop.signal);
  });
  after(async () => {
    stop.abort();
    await kubelet;
  });

  test('a machine that asks is cordoned, drained, given leave, and put back when it is done', async () => {
    await host('d1');
    await pod('d1-a', 'd1');
    await report('d1', 'Drain');
    const granted = await inState('d1', 'Granted');
    assert.equal(granted.status?.disruption?.kind, 'Drain');
    assert.equal(await isCordoned('d1'), true);
    assert.equal(await admin().get(Pod, { namespace: 'default', name: 'd1-a' }), undefined);
    assert.equal(await grants('d1'), 1);
    await report('d1');
    await isPutBack('d1');
    assert.equal(await isCordoned('d1'), false);
    const { items } = await admin().list(Event);
    const told = items.filter((event) => event.involvedObject.name === 'd1').map((event) => event.reason);
    for (const reason of ['Draining', 'DisruptionGranted', 'DisruptionEnding']) {
      assert.ok(told.includes(reason), `${reason} in ${told.join()}`);
    }
  });

  test('what a person had cordoned is cordoned afterwards', async () => {
    await host('d2', true);
    await report('d2', 'Reboot');
    await inState('d2', 'Granted');
    assert.match((await node('d2')).metadata.annotations?.[cordonAnnotation] ?? '', /"wasCordoned":true/);
    await report('d2');
    await isPutBack('d2');
    assert.equal(await isCordoned('d2'), true);
  });

  test('a process to be restarted because of drift: leave without a drain', async () => {
    await host('d3');
    await pod('d3-a', 'd3');
    await report('d3', 'Restart');
    await inState('d3', 'Granted');
    assert.equal(await isCordoned('d3'), false);
    await report('d3');
    await isPutBack('d3');
    assert.notEqual(await admin().get(Pod, { namespace: 'default', name: 'd3-a' }), undefined);
  });

  describe('a PodDisruptionBudget that forbids it', () => {
    const named = { namespace: 'default', name: 'keep-d4' };

    test('holds up the drain, which names pod and budget; in the end it is given up, and the Node uncordoned', async () => {
      await host('d4');
      await pod('d4-a', 'd4');
      await admin().create(PodDisruptionBudget, {
        metadata: named,
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'd4' } } },
      });
      await withTimeout('5s', 'Abort');
      await report('d4', 'Drain');
      await eventually(
        'pod and budget are named',
        () => running().machine('d4'),
        ({ status }) => /pod default\/d4-a.*keep-d4/.test(status?.disruption?.message ?? ''),
      );
      assert.equal(await isCordoned('d4'), true);
      const aborted = await inState('d4', 'Aborted');
      assert.match(aborted.status?.disruption?.message ?? '', /d4-a.*keep-d4.*tried again at/);
      assert.equal(aborted.status?.disruption?.aborts, 1);
      assert.ok(aborted.status.disruption.begunAt, 'the deadline runs from its first try');
      await eventually(
        'd4 is uncordoned',
        () => isCordoned('d4'),
        (cordoned) => !cordoned,
      );
      await eventually(
        'the grant is given back',
        () => grants('d4'),
        (count) => count === 0,
      );
      assert.notEqual(await admin().get(Pod, { namespace: 'default', name: 'd4-a' }), undefined);
      await report('d4');
      await isPutBack('d4');
    });

    test('is overruled where the policy is Force', async () => {
      await withTimeout('5s', 'Force');
      await report('d4', 'Drain');
      await inState('d4', 'Granted');
      assert.equal(await admin().get(Pod, { namespace: 'default', name: 'd4-a' }), undefined);
      await report('d4');
      await isPutBack('d4');
      await admin().delete(PodDisruptionBudget, named);
      await withTimeout('10m', 'Abort');
    });
  });

  test('a pod that nobody would make anew holds up the drain, and no other is evicted before', async () => {
    await host('d5');
    await pod('d5-a', 'd5');
    await pod('d5-bare', 'd5', false);
    await report('d5', 'Drain');
    await eventually(
      'the pod is named',
      () => running().machine('d5'),
      ({ status }) => /d5-bare has no controller/.test(status?.disruption?.message ?? ''),
    );
    assert.notEqual(await admin().get(Pod, { namespace: 'default', name: 'd5-a' }), undefined);
    await admin().delete(Pod, { namespace: 'default', name: 'd5-bare' });
    await inState('d5', 'Granted');
    await report('d5');
    await isPutBack('d5');
  });

  test('a budget that allows none: it waits, says why, and goes on when there is one', async () => {
    const cluster = (most: number) =>
      ({ type: 'merge', body: { spec: { concurrent: { cluster: most } } } }) as const;
    await admin().patch(NodeDisruptionBudget, 'default', cluster(0));
    await host('d6');
    await eventually(
      'the budget forbids',
      () => admin().get(NodeDisruptionBudget, 'default'),
      (found) =>
        found?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason === 'ConcurrencyReached',
    );
    await report('d6', 'Drain');
    const waiting = await inState('d6', 'Waiting');
    assert.match(waiting.status?.disruption?.message ?? '', /\(concurrent\.cluster\): 0 of 0 machines/);
    assert.equal(await isCordoned('d6'), false);
    await admin().patch(NodeDisruptionBudget, 'default', cluster(100));
    await inState('d6', 'Granted');
    await report('d6');
    await isPutBack('d6');
  });

  describe('the operator ends in the middle, and another goes on', () => {
    const restart = async (meanwhile: () => Promise<void> = async () => undefined): Promise<void> => {
      await running().stopOperator();
      await meanwhile();
      await running().startOperator();
    };

    test('while it drains, while leave stands, and after the machine was done', async () => {
      await host('d7');
      await pod('d7-bare', 'd7', false);
      await report('d7', 'Reboot');
      await inState('d7', 'Draining');
      await eventually(
        'd7 is cordoned',
        () => isCordoned('d7'),
        (cordoned) => cordoned,
      );
      await restart(() =>
        admin()
          .delete(Pod, { namespace: 'default', name: 'd7-bare' })
          .then(() => undefined),
      );
      const { status } = await inState('d7', 'Granted');
      const id = status?.disruption?.id;
      await restart();
      assert.equal((await running().machine('d7')).status?.disruption?.id, id);
      await restart(() => report('d7'));
      await isPutBack('d7');
      assert.equal(await isCordoned('d7'), false);
    });

    /** As an operator leaves things that ends between two of its writes. */
    const leftAs = async (name: string, state: string, cordoned: boolean): Promise<void> => {
      const leave = { machine: name, leave: 'l1', wasCordoned: false };
      const annotations = { [cordonAnnotation]: JSON.stringify(leave) };
      if (cordoned) {
        const body = { metadata: { annotations }, spec: { unschedulable: true } };
        await admin().patch(Node, name, { type: 'merge', body });
      }
      if (state === '') return;
      const disruption = { kind: 'Drain', state, id: 'l1', since: timestamp(Date.now()), message: 'left so' };
      await admin().apply(
        Machine,
        { metadata: { name }, status: { disruption } as MachineObject['status'] & object },
        { fieldManager: 'kubenode-disruption', force: true, subresource: 'status' },
      );
    };
    const cases: readonly (readonly [string, string, boolean, Asks | undefined])[] = [
      ['draining was written, and nothing cordoned', 'Draining', false, 'Drain'],
      ['the Node was cordoned, and no pod evicted', 'Draining', true, 'Drain'],
      ['leave stood, and the agent was done meanwhile', 'Granted', true, undefined],
      ['its end was written, and nothing uncordoned', 'Ending', true, undefined],
      ['the Node was uncordoned, and the leave not forgotten', 'Ending', false, undefined],
      ['the drain was given up, and nothing uncordoned', 'Aborted', true, undefined],
      ['the leave was lost, and the cordon is there', '', true, undefined],
    ];
    for (const [index, [what, state, cordoned, asks]] of cases.entries()) {
      test(what, async () => {
        const name = `e${index}`;
        await host(name);
        await report(name, asks);
        await restart(() => leftAs(name, state, cordoned));
        if (asks !== undefined) {
          await inState(name, 'Granted');
          assert.equal(await isCordoned(name), true);
          await report(name);
        }
        await isPutBack(name);
        await eventually(
          'it takes pods',
          () => isCordoned(name),
          (is) => !is,
        );
      });
    }

    test('the Machine was deleted, and its Node still cordoned for it', async () => {
      await host('e9');
      await report('e9', 'Drain');
      await inState('e9', 'Granted');
      await admin().delete(Machine, 'e9');
      await eventually(
        'e9 is uncordoned',
        () => isCordoned('e9'),
        (cordoned) => !cordoned,
      );
      const machine = await admin()
        .get(Machine, 'e9')
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
      assert.equal(machine?.status?.disruption, undefined);
    });
  });
}
