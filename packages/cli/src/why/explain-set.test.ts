import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine, MachineComponentSetStatus, NodeDisruptionBudget } from '@kubenode/api';
import { at, budget, condition, machine, now, set } from '../testing/objects.ts';
import { explainSet, type KnownSet, type SetExplanation } from './explain-set.ts';

const later = '2026-03-01T10:10:00Z';

function why(over: Partial<KnownSet>): SetExplanation {
  return explainSet({
    name: 'containerd',
    set: set(),
    machines: [],
    budget: undefined,
    events: [],
    now,
    ...over,
  });
}
const status = (over: MachineComponentSetStatus): MachineComponentSetStatus => ({ ...set().status, ...over });
const halted = {
  rollout: 'r1',
  batch: 1,
  cause: 'BatchFailed' as const,
  at,
  message: 'n17: step start: exit 1',
};

/** A machine of batch 1. */
function moved(over: Machine['status']): Machine {
  const entry = {
    name: 'containerd',
    revision: 'containerd-2',
    set: 'containerd',
    drift: 'Repair' as const,
    state: 'Present' as const,
    rollout: 'r1',
    batch: 1,
  };
  return machine({ spec: { components: [entry] }, status: over });
}

describe('why a set', () => {
  test('says nothing where its rollout is done', () => {
    const done = set({ status: status({ machines: 3, conditions: [condition('Ready', 'True')] }) });
    const found = why({ set: done });
    assert.ok(found.isWell);
    assert.equal(found.summary, 'Set containerd is done: containerd-2 is on all 3 machines.');
  });

  test('says what is awaited, since when, until when, and what comes next', () => {
    const batch = {
      rollout: 'r1',
      number: 1,
      size: 1,
      state: 'Observing' as const,
      since: at,
      until: later,
      reason: 'observation',
    };
    const { findings, summary } = why({ set: set({ status: status({ batch }) }) });
    assert.match(summary, /from containerd-1 to containerd-2: 1 of 2 machines moved/);
    assert.equal(findings.length, 1);
    assert.equal(findings[0]?.why, 'Observing: observation');
    assert.equal(findings[0]?.since, at);
    assert.equal(findings[0]?.at, later);
    assert.equal(findings[0]?.next, 'the next batch begins; 1 machine left');
  });

  test('says what has stopped it, and the three ways on', () => {
    const stopped = set({ status: status({ halted }) });
    const [finding] = why({ set: stopped }).findings;
    assert.equal(finding?.why, 'stopped (BatchFailed): n17: step start: exit 1');
    assert.match(
      finding?.help ?? '',
      /retry set\/containerd; kubenode rollback set\/containerd goes back to containerd-1/,
    );
    const retried = { ...stopped, spec: { ...stopped.spec, retryToken: 'again' } };
    assert.ok(why({ set: retried }).findings.every(({ why: text }) => !text.includes('stopped')));
  });

  test('names the machines of the batch that are not there, and the pod that holds up a drain', () => {
    const batch = { rollout: 'r1', number: 1, size: 1, state: 'Updating' as const };
    const draining = moved({
      components: [
        { name: 'containerd', running: 'containerd-1', state: 'Installing', step: 'stop', asks: 'Drain' },
      ],
      disruption: {
        kind: 'Drain',
        state: 'Draining',
        id: '1',
        since: at,
        until: later,
        aborts: 2,
        message: 'pod web/web-0 is held by PodDisruptionBudget web/web',
      },
    });
    const { findings } = why({ set: set({ status: status({ batch }) }), machines: [draining] });
    assert.deepEqual(
      findings.map(({ what }) => what),
      ['batch 1 (1 machine)', 'machine n17', 'machine n17, leave to drain it'],
    );
    assert.match(
      findings[2]?.why ?? '',
      /^Draining, given up 2 times so far: .*PodDisruptionBudget web\/web/,
    );
    assert.equal(findings[2]?.at, later);
  });

  test('says by which limit the budget denies it, and until when', () => {
    const denied: NodeDisruptionBudget = budget({
      denials: [
        {
          holder: 'set/containerd',
          limit: 'starts.perHour',
          at,
          until: later,
          message: '600 of 600 in this hour',
        },
      ],
    });
    const [finding] = why({ budget: denied }).findings;
    assert.match(finding?.why ?? '', /denies it by starts\.perHour: 600 of 600/);
    assert.equal(finding?.at, later);
  });

  test('tells of an inspection that says nothing, and not of those that pass', () => {
    const batch = {
      number: 1,
      size: 1,
      state: 'Inspecting' as const,
      inspections: [
        { name: 'errors', result: 'Inconclusive' as const, at, message: 'NaN' },
        { name: 'web', result: 'Passed' as const },
      ],
    };
    const told = why({ set: set({ status: status({ batch }) }) }).findings.map(({ what }) => what);
    assert.deepEqual(told, ['batch 1 (1 machine)', 'inspection errors']);
  });

  test('says that a set is paused, is not looked at, or is not there', () => {
    assert.match(
      why({ set: set({ spec: { paused: true } }) }).findings[0]?.help ?? '',
      /resume set\/containerd/,
    );
    const stale = set({ status: status({ observedGeneration: 0 }) });
    assert.match(why({ set: stale }).findings[0]?.why ?? '', /operator has not looked/);
    assert.match(why({ set: undefined }).summary, /does not exist/);
  });
});
