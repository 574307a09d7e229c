/** Leave to drain and reboot: what the disruption controller does to Nodes, pods and Machines, on any control plane. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Machine, NodeDisruptionBudget } from '@kubenode/machine';
import {
  ConfigMap,
  defineKind,
  Event,
  isNotFound,
  type KubeObject,
  Node,
  Pod,
  timestamp,
} from '@kubenode/runtime';
import { type Cluster, eventually } from './cluster.ts';

type Asks = 'Restart' | 'Drain' | 'Reboot';
type MachineObject = NonNullable<(typeof Machine)['objects']>;

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

const annotation = 'kubenode.io/cordoned-by';

export function drainStories(running: () => Cluster): void {
  const admin = () => running().admin;
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
    kubelet = endPods();
  });
  after(async () => {
    stop.abort();
    await kubelet;
  });

  /** What a kubelet does for a pod that is told to end: here it ends at once. */
  async function endPods(): Promise<void> {
    const events = admin().watch(Pod, { namespace: 'default', signal: stop.signal });
    for await (const event of events) {
      if (!('object' in event) || event.type === 'DELETED') continue;
      const { name, uid, deletionTimestamp } = event.object.metadata;
      if (deletionTimestamp === undefined) continue;
      const gone = { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) };
      await admin().delete(Pod, { namespace: 'default', name }, gone);
    }
  }

  /** A Machine with a Node that is Ready, and an agent that reports what `asks` and `report` say. */
  async function host(name: string, unschedulable = false): Promise<void> {
    await admin().create(Node, {
      metadata: { name, labels: { 'kubenode.io/machine': name } },
      ...(unschedulable ? { spec: { unschedulable } } : {}),
    });
    const conditions = [{ type: 'Ready', status: 'True' as const, reason: 'KubeletReady', message: '' }];
    await admin().patch(
      Node,
      name,
      { type: 'merge', body: { status: { conditions } } },
      { subresource: 'status' },
    );
    await admin().apply(
      Machine,
      { metadata: { name }, spec: { nodeName: name } },
      { fieldManager: 'test', force: true },
    );
  }

  async function report(name: string, asks?: Asks): Promise<void> {
    const condition = (type: string, status: 'True' | 'False') => ({
      type,
      status,
      reason: status === 'True' ? 'Reported' : 'ComponentWaiting',
      message: '',
      lastTransitionTime: timestamp(Date.now()),
    });
    const components = [
      {
        name: 'kernel',
        state: asks === undefined ? ('Ready' as const) : ('Waiting' as const),
        ...(asks && { asks }),
      },
    ];
    const conditions = [
      condition('AgentReady', 'True'),
      condition('ComponentsReady', asks === undefined ? 'True' : 'False'),
    ];
    await admin().apply(
      Machine,
      { metadata: { name }, status: { components, conditions } },
      { fieldManager: 'kubenode-agent', force: true, subresource: 'status' },
    );
  }

  /** Something that is there stands for the ReplicaSet of pods: the garbage collector would take them away without it. */
  async function ownerID(): Promise<string> {
    const metadata = { namespace: 'default', name: 'web' };
    const { metadata: made } = await admin().apply(ConfigMap, { metadata }, { fieldManager: 'test' });
    return made.uid ?? '';
  }

  /** A pod on that Node that a controller would make anew, or one that nobody would. */
  async function pod(name: string, nodeName: string, owned = true): Promise<void> {
    const owner = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'web',
      uid: await ownerID(),
      controller: true,
    };
    await admin().create(Pod, {
      metadata: {
        name,
        namespace: 'default',
        labels: { app: nodeName },
        ...(owned ? { ownerReferences: [owner] } : {}),
      },
      spec: { nodeName, containers: [{ name: 'c', image: 'none' }] },
    });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const key = { namespace: 'default', name };
    await admin().patch(Pod, key, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  const node = async (name: string) => {
    const found = await admin().get(Node, name);
    assert.ok(found);
    return found;
  };
  const isCordoned = async (name: string): Promise<boolean> =>
    (await node(name)).spec?.unschedulable === true;
  const inState = (name: string, state: string | undefined): Promise<MachineObject> =>
    eventually(
      `the leave of ${name} is ${state ?? 'gone'}`,
      () => running().machine(name),
      ({ status }) => status?.disruption?.state === state,
    );
  const grants = async (machine: string): Promise<number> => {
    const budget = await admin().get(NodeDisruptionBudget, 'default');
    return (budget?.status?.grants ?? []).filter((grant) => grant.machine === machine).length;
  };
  const isPutBack = async (name: string): Promise<void> => {
    await inState(name, undefined);
    await eventually(
      'nothing on the Node tells of it',
      () => node(name),
      ({ metadata }) => metadata.annotations?.[annotation] === undefined,
    );
    await eventually(
      'the grant is given back',
      () => grants(name),
      (count) => count === 0,
    );
  };
  const withTimeout = (timeout: string, onTimeout: 'Abort' | 'Force') =>
    admin().patch(NodeDisruptionBudget, 'default', {
      type: 'merge',
      body: { spec: { drain: { timeout, onTimeout } } },
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
    assert.match((await node('d2')).metadata.annotations?.[annotation] ?? '', /"wasCordoned":true/);
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
      const annotations = { [annotation]: JSON.stringify(leave) };
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
