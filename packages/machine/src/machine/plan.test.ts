import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition, Machine, MachineComponentEntry } from '@kubenode/api';
import { planDeletion } from './deletion.ts';
import { Leases } from './leases.ts';
import type { NodeView } from './node.ts';
import { canWait, type Facts, isInitialized, isSameStatus, machineStatus, ownStatus } from './plan.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const fresh = { silentMs: 10_000, renewTime: '2026-03-01T11:59:50.000000Z', alive: true };
const gone = { silentMs: 200_000, renewTime: '2026-03-01T11:56:40.000000Z', alive: true };
const well: Facts = {
  node: undefined,
  claimedBy: undefined,
  heard: fresh,
  awaited: [],
  watchedMs: 600_000,
};
const node: NodeView = {
  name: 'n1',
  uid: 'node-uid',
  resourceVersion: '1',
  labels: {},
  annotations: {},
  taints: [],
  kubeletVersion: 'v1.36.3',
  problems: [],
  ready: { status: 'True', reason: 'KubeletReady', message: '' },
};

function condition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-03-01T11:00:00Z', observedGeneration: 3 };
}

const reporting = [
  condition('AgentReady', 'True', 'Running'),
  condition('ComponentsReady', 'True', 'AllReady'),
];

function machine(spec: Partial<Machine['spec']> = {}, conditions: Condition[] = reporting): Machine {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'n1', uid: 'u', generation: 3 },
    spec: { deletionPolicy: 'Retain', paused: false, ...spec },
    status: { conditions, components: [] },
  };
}

function judge(given: Machine, facts: Facts): Record<string, Condition> & { phase: { status: string } } {
  const { conditions = [], phase = 'Pending' } = machineStatus(given, facts, now);
  return Object.assign(Object.fromEntries(conditions.map((c) => [c.type, c])), { phase: { status: phase } });
}

describe('Ready', () => {
  const stories: [string, Machine, Facts, string, string, string, RegExp][] = [
    ['all is well', machine(), well, 'True', 'Ready', 'Running', /^$/],
    [
      'no agent yet',
      machine({}, []),
      { ...well, heard: undefined },
      'False',
      'AgentPending',
      'Pending',
      /first report/,
    ],
    [
      'the agent is silent',
      machine(),
      { ...well, heard: gone },
      'Unknown',
      'AgentUnreachable',
      'Unreachable',
      /11:56:40.*left alone/,
    ],
    [
      'no Lease, long watched',
      machine(),
      { ...well, heard: undefined },
      'Unknown',
      'AgentUnreachable',
      'Unreachable',
      /no Lease/,
    ],
    [
      'no Lease, but this process has just begun',
      machine(),
      { ...well, heard: undefined, watchedMs: 5000 },
      'True',
      'Ready',
      'Running',
      /^$/,
    ],
    [
      'a component waits for its batch',
      machine(),
      { ...well, awaited: [{ component: 'runc', set: 'runc', why: 'waits for n2' }] },
      'False',
      'ComponentsPending',
      'Updating',
      /runc \(set runc: waits for n2\)/,
    ],
    [
      'sets are not known yet',
      machine(),
      { ...well, awaited: undefined },
      'False',
      'ComponentsPending',
      'Updating',
      /Waits/,
    ],
    [
      'a component is being installed',
      machine({}, [
        condition('AgentReady', 'True', 'Running'),
        condition('ComponentsReady', 'False', 'ComponentInstalling', 'runc is Installing'),
      ]),
      well,
      'False',
      'ComponentsNotReady',
      'Updating',
      /runc is Installing/,
    ],
    [
      'a component is broken',
      machine({}, [
        condition('AgentReady', 'True', 'Running'),
        condition('ComponentsReady', 'False', 'ComponentDegraded', 'runc is Degraded'),
      ]),
      well,
      'False',
      'ComponentsNotReady',
      'Repairing',
      /Degraded/,
    ],
    [
      'the Node is not there',
      machine({ nodeName: 'n1' }),
      well,
      'False',
      'NodeNotFound',
      'Provisioning',
      /Waits for Node n1/,
    ],
    [
      'the Node is not ready',
      machine({ nodeName: 'n1' }),
      {
        ...well,
        node: { ...node, ready: { status: 'False', reason: 'KubeletNotReady', message: 'no CNI' } },
      },
      'False',
      'NodeNotReady',
      'Repairing',
      /no CNI/,
    ],
    ['the Node is ready', machine({ nodeName: 'n1' }), { ...well, node }, 'True', 'Ready', 'Running', /^$/],
    [
      'two Machines name one Node',
      machine({ nodeName: 'n1' }),
      { ...well, node, claimedBy: 'm2' },
      'False',
      'NodeClaimed',
      'Repairing',
      /Machine m2/,
    ],
  ];
  for (const [story, given, facts, status, reason, phase, message] of stories) {
    test(story, () => {
      const judged = judge(given, facts);
      assert.deepEqual(
        [judged['Ready']?.status, judged['Ready']?.reason, judged.phase.status],
        [status, reason, phase],
      );
      assert.match(judged['Ready']?.message ?? '', message);
    });
  }

  test('a host that is no Kubernetes node is not asked for one', () => {
    assert.equal(judge(machine(), well)['NodeReady'], undefined);
  });

  test('the Node stands in nodeRef, unless it is another machine that it belongs to', () => {
    const given = machine({ nodeName: 'n1' });
    assert.deepEqual(machineStatus(given, { ...well, node }, now).nodeRef, { name: 'n1', uid: 'node-uid' });
    assert.equal(machineStatus(given, { ...well, node, claimedBy: 'm2' }, now).nodeRef, undefined);
  });

  test('a second look at the same writes nothing, and the time of the transition stays', () => {
    const given = machine();
    const status = machineStatus(given, well, now);
    const after = {
      ...given,
      status: { ...given.status, ...status, conditions: [...reporting, ...(status.conditions ?? [])] },
    };
    assert.ok(isSameStatus(machineStatus(after, well, now + 60_000), ownStatus(after)));
  });
});

describe('a change of the status', () => {
  const before = machineStatus(machine(), well, now);
  const installing = machine({}, [
    condition('AgentReady', 'True', 'Running'),
    condition('ComponentsReady', 'False', 'ComponentInstalling', 'runc is Installing'),
  ]);
  const degraded = machine({}, [
    condition('AgentReady', 'True', 'Running'),
    condition('ComponentsReady', 'False', 'ComponentDegraded', 'runc is Degraded'),
  ]);

  test('that may be over in a moment can wait: an update, a new generation', () => {
    assert.equal(canWait(before, machineStatus(installing, well, now)), true);
    const next = machine();
    next.metadata.generation = 4;
    assert.equal(canWait(before, machineStatus(next, well, now)), true);
  });

  test('that is bad news or good news cannot', () => {
    assert.equal(canWait(before, machineStatus(degraded, well, now)), false);
    assert.equal(canWait(before, machineStatus(machine(), { ...well, heard: gone }, now)), false);
    assert.equal(canWait(machineStatus(installing, well, now), before), false);
  });
});

describe('silence', () => {
  test('is measured by our own clock, from the last change of the Lease', () => {
    const leases = new Leases();
    leases.observe('n1', 'a', 1000);
    leases.observe('n1', 'a', 50_000);
    assert.deepEqual(leases.heard('n1', 61_000), { silentMs: 60_000, renewTime: 'a', alive: false });
    leases.observe('n1', 'b', 70_000);
    assert.deepEqual(leases.heard('n1', 70_000), { silentMs: 0, renewTime: 'b', alive: true });
  });

  test('that another process found lasts until this one sees a renewal', () => {
    const unreachable = machine({}, [...reporting, condition('Ready', 'Unknown', 'AgentUnreachable')]);
    const found = { ...fresh, alive: false };
    assert.equal(judge(unreachable, { ...well, heard: found })['Ready']?.reason, 'AgentUnreachable');
    assert.equal(judge(unreachable, well)['Ready']?.reason, 'Ready');
  });
});

test('pods are let in when all that belongs there is there, and not before', () => {
  assert.equal(isInitialized(machine(), well), true);
  const awaited = [{ component: 'cni', set: 'cni', why: '' }];
  assert.equal(isInitialized(machine(), { ...well, awaited }), false);
  assert.equal(isInitialized(machine(), { ...well, awaited: undefined }), false);
  assert.equal(isInitialized(machine(), { ...well, heard: gone }), false);
});

describe('deletion', () => {
  const entry: MachineComponentEntry = { name: 'runc', revision: 'runc-1', drift: 'Repair', state: 'Absent' };
  const deleted = (spec: Partial<Machine['spec']>, conditions: Condition[] = reporting): Machine => {
    const given = machine(spec, conditions);
    return { ...given, metadata: { ...given.metadata, deletionTimestamp: '2026-03-01T11:50:00Z' } };
  };

  const silent = (silentMs: number | undefined, toldMs?: number) => ({ silentMs, toldMs });

  test('Retain lets go at once', () => {
    assert.equal(planDeletion(deleted({ components: [entry] }), silent(0)).release, true);
  });

  test('Delete waits for what is on the host, and says how long and how to leave it', () => {
    const given = deleted({ deletionPolicy: 'Delete', components: [entry] });
    const running = {
      ...given,
      status: { ...given.status, components: [{ name: 'runc', state: 'Removing' as const }] },
    };
    const plan = planDeletion(running, silent(1000));
    assert.equal(plan.release, false);
    assert.equal(plan.reason, 'RemovingComponents');
    assert.match(
      plan.message,
      /since 2026-03-01T11:50:00Z for the agent to remove runc.*deletionPolicy to Retain/,
    );
    assert.equal(planDeletion(running, silent(200_000)).reason, 'AgentUnreachable');
  });

  test('Delete tells the agent to leave when all is removed, and goes when it has left', () => {
    const spec = { deletionPolicy: 'Delete', components: [entry] } as const;
    assert.equal(planDeletion(deleted({ ...spec, components: [entry] }), silent(1000)).reason, 'AgentLeaves');
    const left = [condition('AgentReady', 'False', 'Left')];
    assert.equal(planDeletion(deleted({ ...spec, components: [entry] }, left), silent(1000)).release, true);
  });

  test('Delete goes too when the agent falls silent after it was told to leave, and only then', () => {
    const spec = { deletionPolicy: 'Delete', components: [entry] } as const;
    const told = [...reporting, condition('Deleting', 'True', 'AgentLeaves')];
    assert.equal(
      planDeletion(deleted({ ...spec, components: [entry] }, told), silent(200_000)).release,
      true,
    );
    assert.equal(planDeletion(deleted({ ...spec, components: [entry] }, told), silent(1000)).release, false);
    assert.equal(planDeletion(deleted({ ...spec, components: [entry] }), silent(200_000)).release, false);
  });

  test('Delete does not wait for ever for an agent that does not leave a clean host', () => {
    const told = [...reporting, condition('Deleting', 'True', 'AgentLeaves')];
    const given = deleted({ deletionPolicy: 'Delete', components: [entry] }, told);
    assert.equal(planDeletion(given, silent(1000, 299_000)).release, false);
    assert.equal(planDeletion(given, silent(1000, 300_000)).release, true);
  });

  test('Delete of a machine that never had an agent waits for nothing', () => {
    assert.equal(planDeletion(deleted({ deletionPolicy: 'Delete' }, []), silent(undefined)).release, true);
  });

  test('a paused Machine is held', () => {
    const plan = planDeletion(deleted({ deletionPolicy: 'Delete', paused: true }), silent(0));
    assert.deepEqual([plan.release, plan.reason], [false, 'Paused']);
  });
});
