import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine, MachineComponent, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/api';
import { budget, condition, machine, set } from '../testing/objects.ts';
import { type Asked, type Preview, previewOf } from './preview.ts';
import { previewLines } from './print.ts';

const now = Date.parse('2026-03-01T10:00:00Z');
const minute = 60_000;

type Disruption = MachineComponent['spec']['disruption'];

function revision(name: string, disruption: Disruption = 'Restart'): MachineComponent {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponent',
    metadata: { name, uid: `uid-${name}` },
    spec: {
      component: 'containerd',
      version: name.replace('containerd-', '1.7.'),
      artifacts: [],
      files: [
        {
          path: '/etc/containerd/config.toml',
          mode: '0644',
          owner: 'root:root',
          onChange: 'Restart',
          content: name,
        },
      ],
      unit: { name: 'containerd.service' },
      probes: [],
      dependsOn: [],
      disruption,
      progressDeadline: '5m',
      onFailure: 'Rollback',
    },
  };
}

function fleet(count: number): Machine[] {
  return Array.from({ length: count }, (_, i) => {
    const movedAt = new Date(now - 3_600_000).toISOString();
    const entry = {
      name: 'containerd',
      revision: 'containerd-1',
      revisionUID: 'uid-containerd-1',
      set: 'containerd',
      movedAt,
    };
    const made = machine({
      spec: { components: [{ ...entry, drift: 'Repair', state: 'Present' }] },
      status: {
        components: [
          {
            name: 'containerd',
            running: 'containerd-1',
            lastGood: 'containerd-1',
            state: 'Ready',
            movedAt,
            since: new Date(now - 3_600_000 + 2 * minute).toISOString(),
          },
        ],
      },
    });
    return { ...made, metadata: { ...made.metadata, name: `n${String(i + 1).padStart(2, '0')}` } };
  });
}

type Rollout = MachineComponentSet['spec']['rollout'];

function plan(over: Partial<Asked> & { rollout?: Partial<Rollout>; disruption?: Disruption } = {}): Preview {
  const { rollout, disruption, ...rest } = over;
  const before = set({
    spec: {
      revision: 'containerd-1',
      rollout: {
        ...set().spec.rollout,
        batches: [1, 5, 10],
        maxUnavailable: '100%',
        observation: '10m',
        ...rollout,
      },
    },
    status: {
      observedGeneration: 1,
      currentRevision: 'containerd-1',
      updateRevision: 'containerd-1',
      machines: 20,
    },
  });
  const changed: MachineComponentSet = {
    ...before,
    metadata: { ...before.metadata, generation: 2 },
    spec: { ...before.spec, revision: 'containerd-2' },
  };
  return previewOf({
    set: changed,
    before,
    others: [],
    machines: fleet(20),
    revisions: [revision('containerd-1'), revision('containerd-2', disruption)],
    budget: undefined,
    now,
    settleMs: undefined,
    ...rest,
  });
}

const sizes = ({ batches }: Preview): number[] => batches.map(({ machines }) => machines.length);

describe('a plan of a change', () => {
  test('moves the machines in batches, each after the observation of the one before', () => {
    const preview = plan();
    assert.deepEqual(sizes(preview), [1, 5, 10, 4]);
    assert.equal(new Set(preview.batches.flatMap(({ machines }) => machines)).size, 20);
    assert.deepEqual(
      preview.batches.map(({ afterMs }) => Math.round(afterMs / minute)),
      [0, 12, 24, 36],
    );
    assert.ok(preview.isDone, preview.stuck);
    assert.equal(Math.round(preview.durationMs / minute), 48);
    assert.deepEqual(preview.holds, []);
  });

  test('says what differs, and what that costs', () => {
    const preview = plan({ disruption: 'Reboot' });
    assert.deepEqual(preview.differences, [
      'version 1.7.1 → 1.7.2',
      'disruption Restart → Reboot',
      'file /etc/containerd/config.toml changed',
    ]);
    assert.equal(preview.disruption, 'Reboot');
    assert.equal(preview.disturbed, 20);
    assert.match(previewLines(preview).join('\n'), /Drains and reboots the machine, on 20 of them/);
  });

  test('says how long a machine takes: as the last time, or as told', () => {
    assert.match(plan().assumptions[0] ?? '', /^2m until a machine is Ready \(the median of the last time\)/);
    assert.match(plan({ settleMs: 5000 }).assumptions[0] ?? '', /^5s until a machine is Ready/);
  });

  test('waits for the disruption budget, and says how long', () => {
    const slow: NodeDisruptionBudget = budget({ since: '2026-01-01T00:00:00Z' });
    const starts = { perMinute: 20, perHour: 5, perDay: 5000 };
    const limited = {
      ...slow,
      spec: { ...slow.spec, starts, concurrent: { cluster: '100%', perZone: '100%' } },
    };
    const preview = plan({ budget: limited });
    assert.ok(preview.isDone, preview.stuck);
    assert.ok(preview.durationMs > 3 * 3_600_000, String(preview.durationMs));
    assert.match(preview.assumptions.join('; '), /waiting for the disruption budget/);
    // The deadline of a batch does not run while its machines wait for the budget.
    const drained = plan({ budget: limited, disruption: 'Drain' });
    assert.ok(drained.isDone, drained.stuck);
    assert.ok(drained.durationMs > 3 * 3_600_000, String(drained.durationMs));
  });

  test('goes on as machines give their grants back', () => {
    const preview = plan({ budget: budget({ since: '2026-01-01T00:00:00Z' }) });
    assert.ok(preview.isDone, preview.stuck);
    assert.deepEqual(sizes(preview), [1, 5, 10, 4]);
    assert.ok(preview.durationMs > 48 * minute, 'two at a time take longer than all of a batch');
  });

  test('waits for the window, and says until when', () => {
    const windows = [{ from: '22:00', to: '04:00', timeZone: 'UTC' }];
    const preview = plan({ rollout: { windows } });
    assert.deepEqual(preview.holds, [
      { what: 'spec.rollout.windows are closed now', until: '2026-03-01T22:00:00.000Z' },
    ]);
    assert.equal(preview.batches[0]?.afterMs, 12 * 3_600_000);
    assert.ok(preview.isDone, preview.stuck);
  });

  test('takes a Prometheus gate to pass, and says so', () => {
    const inspection = {
      name: 'errors',
      type: 'Prometheus' as const,
      deadline: '5m',
      prometheus: { url: 'http://p', query: 'up', min: '1' },
    };
    const preview = plan({ rollout: { inspections: [inspection] } });
    assert.ok(preview.isDone, preview.stuck);
    assert.match(preview.assumptions.join('; '), /pass at once: errors/);
  });

  test('leaves out machines that cannot be moved, and says why it does not end', () => {
    const machines = fleet(3);
    const [first] = machines;
    assert.ok(first);
    first.status = {
      ...first.status,
      conditions: [
        condition('AgentReady', 'True'),
        condition('Ready', 'Unknown', { reason: 'AgentUnreachable' }),
      ],
    };
    const preview = plan({ machines });
    assert.deepEqual(preview.left, ['n01']);
    assert.match(preview.holds.map(({ what }) => what).join(), /n01: unreachable/);
    assert.ok(!preview.isDone);
    assert.match(preview.stuck ?? '', /n01/);
  });

  test('shows the batches of a paused set, and that it is paused', () => {
    const asked = plan();
    assert.equal(asked.batches.length, 4);
    const before = set({ spec: { revision: 'containerd-2', paused: true } });
    const paused = plan({ set: before });
    assert.ok(paused.batches.length > 0);
    assert.equal(paused.holds[0]?.help, 'kubenode resume set/containerd');
  });

  test('refuses a revision that is not there, or is of another component', () => {
    assert.throws(() => plan({ revisions: [] }), /no MachineComponent containerd-2: apply it first/);
  });

  test('fits a narrow terminal', () => {
    const lines = previewLines(plan(), 50);
    assert.ok(
      lines.every((line) => line.length <= 50),
      lines.join('\n'),
    );
  });
});
