import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Condition, Machine } from '@kubenode/api';
import { judgeComponents } from './components.ts';

const at = '2026-03-01T10:00:00Z';
function condition(
  type: string,
  status: 'True' | 'False',
  observedGeneration: number,
  reason = type,
): Condition {
  return { type, status, reason, message: `${reason}.`, lastTransitionTime: at, observedGeneration };
}
function machineOf(conditions: Condition[], told: string[], ready = told): Machine {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'n17', generation: 2 },
    spec: {
      deletionPolicy: 'Retain',
      paused: false,
      components: told.map((name) => ({ name, revision: `${name}-1`, drift: 'Repair', state: 'Present' })),
    },
    status: {
      conditions,
      components: told.map((name) => ({ name, state: ready.includes(name) ? 'Ready' : 'Installing' })),
    },
  };
}

describe('the components of an import', () => {
  const good = [condition('Ready', 'True', 2), condition('ComponentsReady', 'True', 2)];

  test('are done when all that belong there are told and Ready', () => {
    assert.equal(judgeComponents(machineOf(good, ['runc']), ['runc']).state, 'Done');
  });
  test('are not done on a machine that is Ready before it was told any', () => {
    const outcome = judgeComponents(machineOf(good, []), ['runc', 'containerd']);
    assert.equal(outcome.state, 'Waiting');
    assert.match(outcome.message, /not brought yet: runc, containerd/);
  });
  test('are not judged by what was said about an earlier spec', () => {
    for (const stale of [0, 1]) {
      const conditions = good.map((one, i) => (i === stale ? { ...one, observedGeneration: 1 } : one));
      assert.equal(judgeComponents(machineOf(conditions, ['runc']), ['runc']).state, 'Waiting');
    }
  });
  test('do not wait for the Node', () => {
    const conditions = [
      condition('Ready', 'False', 2, 'NodeNotFound'),
      condition('ComponentsReady', 'True', 2),
    ];
    assert.equal(judgeComponents(machineOf(conditions, ['runc']), ['runc']).state, 'Done');
  });
  test('say which of them are not Ready, and why', () => {
    const conditions = [
      condition('Ready', 'False', 2, 'ComponentsNotReady'),
      condition('ComponentsReady', 'False', 2),
    ];
    const outcome = judgeComponents(machineOf(conditions, ['containerd', 'runc'], ['runc']), [
      'containerd',
      'runc',
    ]);
    assert.match(outcome.message, /1 of 2 components are Ready; containerd Installing/);
  });
});
