import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pendingMoves, rolloutOf } from './rollout-plan.ts';
import { treeLines } from './tree/branch.ts';
import { machineTree } from './tree/machine-tree.ts';
import { parseDestination } from './commands/import.ts';
import { spell, targets } from './resources.ts';
import { condition, machine, now, set } from './testing/objects.ts';
import { age, table } from './table.ts';
import { Machine } from '@kubenode/machine';

test('a rollout says what it waits for, and until when', () => {
  const batch = {
    number: 2,
    size: 5,
    state: 'Observing' as const,
    reason: 'observation',
    until: '2026-03-01T10:10:00Z',
  };
  assert.equal(
    rolloutOf(set({ status: { ...set().status, batch } })).next,
    'observation until 2026-03-01T10:10:00Z',
  );
  assert.match(rolloutOf(set({ spec: { paused: true } })).next, /paused/);
  assert.ok(rolloutOf(set({ status: { ...set().status, conditions: [condition('Ready', 'True')] } })).isDone);
  const stale = set({
    status: { ...set().status, observedGeneration: 0, conditions: [condition('Ready', 'True')] },
  });
  assert.ok(!rolloutOf(stale).isDone);
  assert.match(rolloutOf(stale).next, /operator has not looked/);
});

test('the machines that a rollout has reached come first, those that are done not at all', () => {
  const entry = (revision: string) => ({
    name: 'containerd',
    revision,
    set: 'containerd',
    drift: 'Repair' as const,
    state: 'Present' as const,
  });
  const at = (name: string, revision: string, running: string, state: 'Ready' | 'Installing') => {
    const made = machine({
      spec: { components: [entry(revision)] },
      status: { components: [{ name: 'containerd', running, state }] },
    });
    return { ...made, metadata: { ...made.metadata, name } };
  };
  const moves = pendingMoves(set(), [
    at('a', 'containerd-1', 'containerd-1', 'Ready'),
    at('b', 'containerd-2', 'containerd-1', 'Installing'),
    at('c', 'containerd-2', 'containerd-2', 'Ready'),
  ]);
  assert.deepEqual(moves, [
    { machine: 'b', from: 'containerd-1', to: 'containerd-2', stands: 'Installing' },
    { machine: 'a', from: 'containerd-1', to: 'containerd-2', stands: 'its turn has not come' },
  ]);
});

test('a tree shows what runs, what should, and why not', () => {
  const tree = machineTree(
    machine({
      status: {
        phase: 'Updating',
        summary: '0/1',
        components: [
          {
            name: 'containerd',
            running: 'containerd-1',
            state: 'Installing',
            message: 'waits for runc',
            correct: { version: 'False', config: 'True', running: 'Unknown' },
          },
        ],
      },
    }),
    undefined,
    now,
  );
  assert.equal(
    treeLines(tree).join('\n'),
    'n17  Updating  0/1  2m\n└─ containerd  Installing  containerd-1 → containerd-2  (set containerd)  version wrong, running unknown  waits for runc',
  );
});

test('hosts are named as ssh names them', () => {
  assert.deepEqual(parseDestination('root@10.0.0.7'), { user: 'root', address: '10.0.0.7', port: 22 });
  assert.deepEqual(parseDestination('h1:2222'), { user: 'root', address: 'h1', port: 2222 });
  assert.deepEqual(parseDestination('admin@[fd00::1]:22'), { user: 'admin', address: 'fd00::1', port: 22 });
  for (const wrong of ['', 'a@b@c', 'root@', 'h1:x', 'h1:70000', 'fd00::1'])
    assert.throws(() => parseDestination(wrong), /form USER@HOST/, wrong);
});

test('things are named as kubectl names them', () => {
  assert.deepEqual(targets(['machine', 'n17', 'n18']).map(spell), ['machine/n17', 'machine/n18']);
  assert.deepEqual(targets(['kncs/containerd', 'import/n17']).map(spell), ['set/containerd', 'import/n17']);
  assert.deepEqual(targets(['n17'], Machine).map(spell), ['machine/n17']);
  assert.throws(() => targets(['n17']), /does not name a thing/);
  assert.throws(() => targets(['pod/n17']), /none of machines, sets/);
  assert.throws(() => targets([]), /name what/);
});

test('ages are short, columns line up', () => {
  assert.deepEqual([5_000, 119_000, 7_100_000, 100 * 3_600_000].map(age), ['5s', '119s', '118m', '4d']);
  assert.equal(
    table(
      ['A', 'BB'],
      [
        ['xyz', ''],
        ['', 'long text'],
      ],
    ),
    'A    BB\nxyz\n     long text\n',
  );
});
