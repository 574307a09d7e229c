import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { at, budget, condition, machine, now, set } from '../testing/objects.ts';
import { treeLines } from './branch.ts';
import { budgetBranch } from './budget-branch.ts';
import { clock } from './clock.ts';
import { choose, forestLines, type Known } from './forest.ts';
import { LiveLines } from './live.ts';
import { setTree } from './set-tree.ts';

const batch = {
  rollout: 'r1',
  number: 2,
  size: 5,
  state: 'Updating' as const,
  since: at,
  until: '2026-03-01T10:30:00Z',
  reason: 'waits for n17',
};

function member(name: string, batchNumber: number, state: 'Ready' | 'Installing', message = '') {
  const revision = 'containerd-2';
  const entry = { name: 'containerd', revision, set: 'containerd', rollout: 'r1', batch: batchNumber };
  const made = machine({
    spec: { components: [{ ...entry, drift: 'Repair', state: 'Present' }] },
    status: { components: [{ name: 'containerd', running: revision, state, message }] },
  });
  return { ...made, metadata: { ...made.metadata, name } };
}

describe('the tree of a set', () => {
  const moving = set({ status: { ...set().status, machines: 20, updated: 6, batch } });
  const all = [
    member('a1', 1, 'Ready'),
    member('b1', 2, 'Ready'),
    member('n17', 2, 'Installing', 'waits for probe socket'),
  ];

  test('shows the way, the batch and its machines, those that are not there first', () => {
    assert.deepEqual(treeLines(setTree(moving, all)), [
      'set/containerd  containerd-1 → containerd-2  6/20',
      `├─ batch 2 of 5 machines  Updating  since ${clock(at)}  until ${clock(batch.until)}  waits for n17`,
      '│  ├─ n17  Installing: waits for probe socket',
      '│  └─ b1   Ready',
      '└─ 14 machines: their turn has not come',
    ]);
  });

  test('loses nothing on a narrow terminal', () => {
    const wide = treeLines(setTree(moving, all));
    const narrow = treeLines(setTree(moving, all), 40);
    assert.ok(
      narrow.every((line) => line.length <= 40),
      narrow.join('\n'),
    );
    const words = (lines: readonly string[]): string[] => lines.join(' ').match(/[\w/:.-]+/g) ?? [];
    assert.deepEqual(words(narrow), words(wide));
  });

  test('is one line when the rollout is done', () => {
    const done = set({
      status: { ...set().status, machines: 2, updated: 2, batch, conditions: [condition('Ready', 'True')] },
    });
    assert.deepEqual(treeLines(setTree(done, all)), ['set/containerd  containerd-2  2/2  Done']);
  });

  test('says what has stopped it', () => {
    const halted = {
      rollout: 'r1',
      batch: 2,
      cause: 'InspectionFailed' as const,
      at,
      message: 'errors: 0.2',
    };
    const lines = treeLines(setTree(set({ status: { ...moving.status, halted } }), all));
    assert.equal(lines[1], `├─ stopped  InspectionFailed  since ${clock(at)}  errors: 0.2`);
  });
});

test('the budget tells what is under way and what it denies', () => {
  const denials = [{ holder: 'set/x', limit: 'concurrent.perZone', at, message: '2 of 2 in zone a' }];
  const grants = [{ holder: 'machine/n17', machine: 'n17', kind: 'Drain' as const, at, until: at }];
  assert.deepEqual(
    treeLines(budgetBranch(budget({ active: 1, machines: 20, unhealthy: 2, grants, denials }))),
    [
      'budget/default  1 disrupted now of at most 10%  0 in this hour of 600  2 of 20 machines not Ready',
      '├─ Drain of n17',
      '└─ denied to set/x by concurrent.perZone: 2 of 2 in zone a',
    ],
  );
});

test('what is named is shown, and no more', () => {
  const known: Known = {
    all: [machine()],
    machines: [machine()],
    sets: [set(), set({ name: 'other' })],
    imports: [],
    budget: budget(),
  };
  const none = { sets: [], machines: [], isSelection: false };
  assert.equal(choose(known, none).sets.length, 2);
  assert.deepEqual(
    choose(known, { ...none, sets: ['other'] }).sets.map(({ metadata }) => metadata.name),
    ['other'],
  );
  const one = choose(known, { ...none, machines: ['n17'] });
  assert.deepEqual([one.sets.length, one.machines.length, one.budget], [0, 1, undefined]);
  assert.match(forestLines(one, known.all, now)[0] ?? '', /^n17 {2}Running/);
});

describe('lines on a terminal', () => {
  function screen(rows: number): { lines: LiveLines; written: () => string } {
    const out = Object.assign(new PassThrough(), { columns: 40, rows });
    let text = '';
    out.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    return { lines: new LiveLines(out as unknown as NodeJS.WriteStream), written: () => text };
  }

  test('are not written again when nothing changed', () => {
    const { lines, written } = screen(24);
    lines.draw(['a', 'b']);
    const before = written();
    lines.draw(['a', 'b']);
    assert.equal(written(), before);
    lines.draw(['a', 'c']);
    assert.ok(written().length > before.length);
    assert.ok(written().includes('\x1b[2A'));
  });

  test('that do not fit are counted', () => {
    const { lines, written } = screen(4);
    lines.draw(['a', 'b', 'c', 'd', 'e']);
    assert.match(written(), /… 3 more lines; --once prints all/);
    assert.ok(!written().includes('d\x1b'));
  });

  test('end with the cursor where it was before', () => {
    const { lines, written } = screen(24);
    lines.end();
    assert.ok(written().endsWith('\x1b[?25h'));
  });
});
