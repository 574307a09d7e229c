import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  cordonAnnotation,
  type Machine,
  type MachineDisruption,
  type NodeDisruptionBudgetSpec,
} from '@kubenode/api';
import { type Pod, timestamp } from '@kubenode/runtime';
import type { NodeView } from '../machine/node.ts';
import { cordonOf, planCordon, planUncordon } from './cordon.ts';
import { planDrain } from './drain.ts';
import {
  aborted,
  type DisruptionKind,
  draining,
  granted,
  type NextLeave,
  retryAfter,
  waiting,
} from './leave.ts';
import { planDisruption, settleMs, type Situation } from './plan.ts';

const now = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;

const spec: NodeDisruptionBudgetSpec = {
  starts: { perMinute: 1, perHour: 1, perDay: 1 },
  concurrent: { cluster: 1, perZone: 1 },
  zoneLabel: 'zone',
  maxUnhealthy: 1,
  grantTimeout: '1h',
  windows: [],
  drain: { timeout: '10m', onTimeout: 'Abort', emptyDir: 'Delete' },
};

function node(over: Partial<NodeView> = {}): NodeView {
  return {
    name: 'k1',
    uid: 'u',
    resourceVersion: '7',
    labels: {},
    annotations: {},
    taints: [],
    kubeletVersion: undefined,
    ready: { status: 'True', reason: '', message: '' },
    problems: [],
    ...over,
  };
}

interface Given {
  readonly asks?: DisruptionKind;
  readonly leave?: Partial<MachineDisruption> & Pick<MachineDisruption, 'state'>;
  readonly node?: NodeView;
  readonly held?: boolean;
  readonly bootID?: string;
  readonly componentsReady?: boolean;
  readonly silent?: boolean;
  readonly quietMs?: number;
  readonly onTimeout?: 'Abort' | 'Force';
  readonly paused?: boolean;
}

/** What is done next. */
function next(given: Given): ReturnType<typeof planDisruption> {
  const condition = (type: string, status: 'True' | 'False', reason = 'X') => ({
    type,
    status,
    reason,
    message: '',
    lastTransitionTime: timestamp(now),
  });
  const machine = {
    metadata: { name: 'n1' },
    spec: { nodeName: 'k1', deletionPolicy: 'Retain', paused: given.paused ?? false },
    status: {
      components: [
        { name: 'a', state: 'Waiting', ...(given.asks === undefined ? {} : { asks: given.asks }) },
      ],
      conditions: [
        condition('ComponentsReady', given.componentsReady === false ? 'False' : 'True'),
        condition('Ready', 'False', given.silent === true ? 'AgentUnreachable' : 'ComponentsPending'),
      ],
      ...(given.bootID === undefined ? {} : { host: { bootID: given.bootID } }),
      ...(given.leave === undefined
        ? {}
        : { disruption: { kind: 'Drain', id: 'l1', since: timestamp(now), ...given.leave } }),
    },
  } as Machine;
  const situation: Situation = {
    name: 'n1',
    machine,
    node: given.node ?? node(),
    isHeld: given.held ?? false,
    spec: { ...spec, drain: { ...spec.drain, onTimeout: given.onTimeout ?? 'Abort' } },
    quietMs: given.quietMs ?? 0,
  };
  return planDisruption(situation, now);
}

const cordoned = (wasCordoned = false): NodeView =>
  node({
    unschedulable: true,
    annotations: { [cordonAnnotation]: JSON.stringify({ machine: 'n1', leave: 'l1', wasCordoned }) },
  });

describe('a machine that asks', () => {
  test('has the budget asked; paused or silent it has not', () => {
    assert.deepEqual(next({ asks: 'Drain' }), { do: 'Ask', kind: 'Drain' });
    assert.deepEqual(next({ asks: 'Drain', paused: true }), { do: 'Rest' });
    assert.deepEqual(next({ asks: 'Drain', silent: true }), { do: 'Rest' });
  });

  test('no longer, while it waits: forgotten', () => {
    assert.deepEqual(next({ leave: { state: 'Waiting' } }), { do: 'PutBack', forget: true });
  });

  test('for more than it has leave for is asked for anew', () => {
    const step = next({ asks: 'Reboot', leave: { state: 'Granted', kind: 'Drain' }, held: true });
    assert.deepEqual(step, { do: 'Ask', kind: 'Reboot' });
  });
});

describe('a drain', () => {
  const late = { state: 'Draining', since: timestamp(now - 10 * minute) } as const;

  test('goes on until its time is over, and is given up then', () => {
    assert.equal(next({ asks: 'Drain', leave: { state: 'Draining' }, node: cordoned() }).do, 'Drain');
    assert.equal(next({ asks: 'Drain', leave: late, node: cordoned() }).do, 'Abort');
  });

  test('or deletes what is left, for as long again', () => {
    const step = next({ asks: 'Drain', leave: late, onTimeout: 'Force' });
    assert.equal(step.do === 'Drain' && step.byForce, true);
    const since = timestamp(now - 20 * minute);
    assert.equal(next({ asks: 'Drain', leave: { ...late, since }, onTimeout: 'Force' }).do, 'Abort');
  });

  test('that nobody needs any more ends', () => {
    assert.equal(next({ leave: { state: 'Draining' }, node: cordoned() }).do, 'End');
  });

  test('that was given up puts the Node back, then waits, then asks again', () => {
    const leave = { state: 'Aborted', until: timestamp(now + minute) } as const;
    assert.deepEqual(next({ asks: 'Drain', leave, node: cordoned() }), { do: 'PutBack', forget: false });
    assert.deepEqual(next({ asks: 'Drain', leave, held: true }), { do: 'PutBack', forget: false });
    assert.deepEqual(next({ asks: 'Drain', leave }), { do: 'Rest', afterMs: minute });
    const over = { ...leave, until: timestamp(now) };
    assert.deepEqual(next({ asks: 'Drain', leave: over }), { do: 'Ask', kind: 'Drain' });
    assert.deepEqual([1, 2, 3, 9].map(retryAfter), [300_000, 600_000, 1_200_000, 3_600_000]);
  });

  test('counts its tries in the status, so that another process goes on counting; leave to act begins anew', () => {
    const at = { node: 'k1', spec };
    const stored = (leave: NextLeave, since: number): MachineDisruption => ({
      ...leave,
      since: timestamp(since),
    });
    const first = stored(draining(undefined, 'Drain', 'l1', at, now), now);
    const failed = stored(aborted(first, 'Drain', 'k1', now + 10 * minute), now + 10 * minute);
    assert.deepEqual(
      [failed.aborts, failed.begunAt, failed.until],
      [1, timestamp(now), timestamp(now + 15 * minute)],
    );
    const denied = { limit: 'windows', message: 'later' };
    const waits = stored(waiting(failed, 'Drain', 'l2', denied), now + 15 * minute);
    const again = stored(draining(waits, 'Drain', 'l2', at, now + 20 * minute), now + 20 * minute);
    const failedAgain = aborted(again, 'Drain', 'k1', now + 30 * minute);
    assert.deepEqual(
      [failedAgain.aborts, failedAgain.begunAt, failedAgain.until],
      [2, timestamp(now), timestamp(now + 40 * minute)],
    );
    const went = granted(again, 'Drain', 'l2', spec, now + 20 * minute, now + 25 * minute);
    assert.deepEqual(
      [went.aborts, went.begunAt, went.until],
      [undefined, timestamp(now), timestamp(now + 80 * minute)],
    );
  });
});

describe('leave that was granted', () => {
  const granted = { state: 'Granted' } as const;

  test('stands while something asks, and ends when all is well again', () => {
    assert.equal(next({ asks: 'Drain', leave: granted }).do, 'Rest');
    assert.equal(next({ leave: granted }).do, 'End');
  });

  test('stands until the Node runs in the boot that the agent is in', () => {
    const reboot = { ...granted, kind: 'Reboot' } as const;
    assert.equal(next({ leave: reboot, bootID: 'new', node: node({ bootID: 'old' }) }).do, 'Rest');
    assert.equal(next({ leave: reboot, bootID: 'new', node: node({ bootID: 'new' }) }).do, 'End');
    const notReady = node({ bootID: 'new', ready: { status: 'Unknown', reason: '', message: '' } });
    assert.equal(next({ leave: reboot, bootID: 'new', node: notReady }).do, 'Rest');
  });

  test('ends in any case ten minutes after nothing asks any more', () => {
    assert.deepEqual(next({ leave: granted, componentsReady: false }), { do: 'Rest', afterMs: settleMs });
    assert.equal(next({ leave: granted, componentsReady: false, quietMs: settleMs }).do, 'End');
  });

  test('that is not used is taken back when it runs out', () => {
    assert.equal(
      next({ asks: 'Reboot', leave: { ...granted, kind: 'Reboot', until: timestamp(now) } }).do,
      'Abort',
    );
  });

  test('to restart a process ends as soon as nothing asks', () => {
    assert.equal(next({ leave: { ...granted, kind: 'Restart' }, componentsReady: false }).do, 'End');
  });
});

test('traces of a leave that nobody knows of any more are taken away', () => {
  assert.deepEqual(next({ asks: 'Drain', node: cordoned() }), { do: 'PutBack', forget: false });
  assert.deepEqual(next({ held: true }), { do: 'PutBack', forget: false });
  assert.deepEqual(next({}), { do: 'Nothing' });
  assert.deepEqual(next({ leave: { state: 'Ending' }, node: cordoned() }), { do: 'PutBack', forget: true });
});

describe('a cordon', () => {
  test('is taken away again, and once is enough', () => {
    const patch = planCordon(node(), 'n1', 'l1');
    assert.equal(patch?.spec?.unschedulable, true);
    assert.equal(patch.metadata.resourceVersion, '7');
    assert.equal(planCordon(cordoned(), 'n1', 'l1'), undefined);
    assert.deepEqual(planUncordon(cordoned())?.spec, { unschedulable: null });
    assert.equal(planUncordon(node({ unschedulable: true })), undefined);
  });

  test('of a person stays, through two leaves as well', () => {
    const patch = planCordon(node({ unschedulable: true }), 'n1', 'l1');
    const annotations = { [cordonAnnotation]: patch?.metadata.annotations[cordonAnnotation] ?? '' };
    assert.equal(cordonOf({ annotations })?.wasCordoned, true);
    const second = planCordon(node({ unschedulable: true, annotations }), 'n1', 'l2');
    const then = { [cordonAnnotation]: second?.metadata.annotations[cordonAnnotation] ?? '' };
    const undone = planUncordon(node({ annotations: then }));
    assert.deepEqual([undone?.spec, undone?.metadata.annotations], [undefined, { [cordonAnnotation]: null }]);
  });
});

describe('the pods of a Node', () => {
  const pod = (name: string, kind: string | undefined, more: Partial<Pod> = {}, meta: object = {}): Pod => ({
    ...more,
    metadata: {
      name,
      namespace: 'web',
      ...(kind === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: 'u', controller: true }] }),
      ...meta,
    },
  });
  const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name);

  test('of a DaemonSet, and mirror pods, stay; the others are evicted, finished ones too', () => {
    const plan = planDrain(
      [
        pod('a', 'ReplicaSet'),
        pod('b', 'DaemonSet'),
        pod('c', undefined, {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
        pod('d', undefined, { status: { phase: 'Succeeded' } }),
        pod('e', 'ReplicaSet', {}, { deletionTimestamp: timestamp(now) }),
      ],
      { emptyDir: 'Delete' },
    );
    assert.deepEqual([names(plan.evict), names(plan.ending), plan.inTheWay], [['a', 'd'], ['e'], []]);
  });

  test('that nobody would make anew are in the way of all, as is an emptyDir that is to be kept', () => {
    const bare = planDrain([pod('a', 'ReplicaSet'), pod('b', undefined)], { emptyDir: 'Delete' });
    assert.deepEqual(bare.evict, []);
    assert.match(bare.inTheWay.join(), /^pod web\/b has no controller/);
    const volumes = { spec: { volumes: [{ name: 'v', emptyDir: {} }] } };
    assert.deepEqual(names(planDrain([pod('a', 'Job', volumes)], { emptyDir: 'Delete' }).evict), ['a']);
    assert.match(
      planDrain([pod('a', 'Job', volumes)], { emptyDir: 'Keep' }).inTheWay.join(),
      /web\/a has an emptyDir/,
    );
  });
});
