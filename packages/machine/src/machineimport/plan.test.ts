import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ImportStep, MachineImport, MachineImportSpec } from '@kubenode/api';
import { begun, currentSteps, ended, nextOf, type Outcome, type StepName, unreached } from './plan.ts';
import { statusOf } from './status.ts';

const start = Date.parse('2026-03-01T10:00:00Z');
const done: Outcome = { state: 'Done', message: 'ok' };
const failed: Outcome = { state: 'Failed', message: 'the disk is full' };
const waiting: Outcome = { state: 'Waiting', message: 'containerd is Installing', againMs: 5_000 };

function spec(over: Partial<MachineImportSpec> = {}): MachineImportSpec {
  return {
    state: 'Imported',
    ssh: { address: '10.0.0.7', port: 22, user: 'root', keySecretName: 'key' },
    machine: { name: 'n17' },
    retryToken: '',
    ...over,
  };
}
function importOf(over: Partial<MachineImportSpec> = {}): MachineImport {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineImport',
    metadata: { name: 'n17', generation: 1 },
    spec: spec(over),
  };
}

/** Goes through an import; every step ends as the story says, `done` where it says nothing. Returns the steps that were run. */
function run(
  object: MachineImport,
  story: Partial<Record<StepName, Outcome>> = {},
  now = start,
): { ran: string[]; list: readonly ImportStep[]; afterMs?: number } {
  let list = currentSteps(object.spec, object.status, object.metadata.generation ?? 0);
  const ran: string[] = [];
  for (;;) {
    const next = nextOf(list, now);
    if (next.do === 'Nothing') return { ran, list };
    if (next.do === 'Wait') return { ran, list, afterMs: next.afterMs };
    list = begun(list, next.steps, now);
    for (const step of next.steps) {
      ran.push(step);
      list = ended(list, step, story[step] ?? done, now);
    }
    if (next.steps.some((step) => story[step]?.state === 'Waiting')) return { ran, list };
  }
}
/** The object as it would be read again after those steps were written. */
function after(object: MachineImport, list: readonly ImportStep[], now = start): MachineImport {
  return { ...object, status: statusOf(object, list, {}, now) };
}

describe('what an import does next', () => {
  test('Imported goes through every step in order', () => {
    const { ran, list } = run(importOf());
    assert.deepEqual(ran, [
      'Connect',
      'Inspect',
      'Identity',
      'Agent',
      'Certificate',
      'Machine',
      'Components',
    ]);
    assert.equal(after(importOf(), list).status?.phase, 'Imported');
  });

  test('the Node is waited for only where there is to be one', () => {
    const object = importOf({ machine: { name: 'n17', nodeName: 'n17' } });
    assert.deepEqual(run(object).ran.slice(-2), ['Components', 'Node']);
  });

  test('components that take long do not keep the Node from being looked at, nor the other way round', () => {
    const object = importOf({ machine: { name: 'n17', nodeName: 'n17' } });
    for (const slow of ['Components', 'Node'] as const) {
      const { ran, list } = run(object, { [slow]: waiting });
      assert.deepEqual(ran.slice(-2), ['Components', 'Node']);
      assert.equal(list.find(({ name }) => name === slow)?.state, 'Running');
    }
    const one = run(object, { Components: waiting });
    assert.deepEqual(run(after(object, one.list), { Components: waiting }).ran, ['Components']);
  });

  test('Planned ends with the plan', () => {
    const object = importOf({ state: 'Planned' });
    const { ran, list } = run(object);
    assert.deepEqual(ran, ['Connect', 'Inspect', 'Plan']);
    assert.equal(after(object, list).status?.phase, 'Planned');
  });

  test('Reverted takes the agent away before the Machine', () => {
    assert.deepEqual(run(importOf({ state: 'Reverted' })).ran, [
      'Connect',
      'Revert',
      'RemoveAgent',
      'RemoveMachine',
    ]);
  });

  test('a step that failed is tried again from there, later each time', () => {
    const object = importOf();
    const first = run(object, { Agent: failed });
    assert.deepEqual(first.ran, ['Connect', 'Inspect', 'Identity', 'Agent']);
    assert.equal(first.afterMs, 5_000);
    const step = first.list.find(({ name }) => name === 'Agent');
    assert.equal(step?.message, 'the disk is full. Tried again at 2026-03-01T10:00:05Z');

    // Nothing is done before its time, whatever wakes the controller; an operator that is new reads the same from the status.
    assert.deepEqual(run(after(object, first.list), {}, start + 4_000).ran, []);
    const second = run(after(object, first.list), { Agent: failed }, start + 5_000);
    assert.deepEqual(second.ran, ['Agent']);
    assert.equal(second.afterMs, 10_000);
    const third = run(after(object, second.list), {}, start + 15_000);
    assert.deepEqual(third.ran, ['Agent', 'Certificate', 'Machine', 'Components']);
  });

  test('the wait between two tries never exceeds five minutes', () => {
    let object = importOf();
    let now = start;
    let afterMs = 0;
    for (let i = 0; i < 20; i++) {
      const { list, afterMs: wait = 0 } = run(object, { Connect: failed }, now);
      object = after(object, list, now);
      now += wait;
      afterMs = wait;
    }
    assert.equal(afterMs, 300_000);
  });

  test('an operator that died in the middle of a step runs that step again', () => {
    const object = importOf();
    const { list } = run(object, { Agent: failed });
    const died = begun(list, ['Agent'], start + 5_000);
    assert.deepEqual(run(after(object, died), {}, start + 6_000).ran[0], 'Agent');
  });

  test('a host that is lost half-way is a failure of Connect; what was done stays done', () => {
    const object = importOf();
    let { list } = run(object, { Agent: failed });
    list = unreached(begun(list, ['Agent'], start + 5_000), 'the host does not answer', start + 5_000);
    const state = Object.fromEntries(list.map((step) => [step.name, step.state]));
    assert.equal(state['Connect'], 'Failed');
    assert.equal(state['Identity'], 'Done');
    assert.equal(state['Agent'], 'Waiting');
    assert.deepEqual(run(after(object, list), {}, start + 10_000).ran.slice(0, 2), ['Connect', 'Agent']);
  });

  test('another generation begins anew', () => {
    const object = importOf();
    const { list } = run(object, { Connect: failed });
    const changed = { ...after(object, list), metadata: { name: 'n17', generation: 2 } };
    assert.equal(run(changed).ran[0], 'Connect');
  });

  test('a wait that is too long counts as failed, is looked at on, and mends itself', () => {
    const object = importOf();
    const first = run(object, { Components: waiting });
    assert.match(first.list.at(-1)?.message ?? '', /Installing; this may take until 2026-03-01T10:30:00Z/);
    const late = run(after(object, first.list), { Components: waiting }, start + 1_800_000);
    assert.deepEqual(late.ran, ['Components']);
    assert.equal(late.list.at(-1)?.state, 'Failed');
    assert.equal(after(object, late.list).status?.phase, 'Failed');
    const mended = run(after(object, late.list), {}, start + 1_900_000);
    assert.equal(after(object, mended.list).status?.phase, 'Imported');
  });

  test('a wait does not write the status anew each time it is looked at', () => {
    const object = importOf();
    const { list } = run(object, { Components: waiting });
    assert.deepEqual(run(after(object, list), { Components: waiting }, start + 30_000).list, list);
  });
});

describe('what the status tells', () => {
  test('a failure is in Ready, with the step and what to do', () => {
    const { list } = run(importOf(), { Connect: failed });
    const { status } = after(importOf(), list);
    assert.equal(status?.phase, 'Failed');
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, 'ConnectFailed');
    assert.match(ready?.message ?? '', /^step Connect: the disk is full/);
    assert.equal(status?.conditions?.find(({ type }) => type === 'Connected')?.status, 'False');
  });

  test('no message is longer than the schema permits', () => {
    const { list } = run(importOf(), { Connect: { state: 'Failed', message: 'x'.repeat(5_000) } });
    const { status } = after(importOf(), list);
    for (const text of [list[0]?.message, ...(status?.conditions ?? []).map(({ message }) => message)]) {
      assert.ok((text?.length ?? 0) <= 1024);
    }
    assert.match(list[0]?.message ?? '', /Tried again at/);
  });
});
