import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fleet, settled, sizes } from '../testing/fleet.ts';

describe('selection', () => {
  test('a set without a selector selects every machine', () => {
    assert.deepEqual(settled(2).revisions(), ['n1:runc-1', 'n2:runc-1']);
  });

  test('labels and expressions must all match', () => {
    const fleet = new Fleet()
      .machine('a', { pool: 'web', tier: 'gold' })
      .machine('b', { pool: 'web' })
      .machine('c', { pool: 'db', tier: 'gold' })
      .revision('runc-1');
    fleet.set('runc', {
      revision: 'runc-1',
      selector: {
        matchLabels: { pool: 'web' },
        matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold', 'silver'] }],
      },
    });
    fleet.run();
    assert.deepEqual(fleet.revisions(), ['a:runc-1']);
  });

  test('the set of the higher priority wins, the other counts the machine no more', () => {
    const fleet = new Fleet().pool(2, { pool: 'web' }).machine('db', { pool: 'db' });
    fleet.revision('runc-1').revision('runc-2');
    fleet.set('all', { revision: 'runc-1' });
    fleet.set('web', { revision: 'runc-2', priority: 10, selector: { matchLabels: { pool: 'web' } } });
    fleet.run();
    assert.deepEqual(fleet.revisions(), ['n1:runc-2', 'n2:runc-2', 'db:runc-1']);
    assert.equal(fleet.sets.get('all')?.status?.machines, 1);
    assert.equal(fleet.sets.get('web')?.status?.machines, 2);
  });

  test('a tie keeps what is, moves nothing, and both sets say so', () => {
    const fleet = settled(2);
    fleet.set('other', { revision: 'runc-2', selector: { matchLabels: { pool: 'web' } } });
    fleet.set('runc', { revision: 'runc-2' });
    assert.deepEqual(fleet.run(), []);
    assert.deepEqual(fleet.revisions(), ['n1:runc-1', 'n2:runc-1']);
    for (const set of ['runc', 'other']) {
      assert.equal(fleet.condition(set, 'Conflicted')?.status, 'True');
      assert.equal(fleet.condition(set, 'Ready')?.status, 'False');
    }
    assert.match(fleet.condition('runc', 'Conflicted')?.message ?? '', /selected by other too/);
    fleet.set('other', { priority: 1 }).run();
    assert.deepEqual(fleet.revisions(), ['n1:runc-2', 'n2:runc-2']);
    assert.equal(fleet.condition('runc', 'Conflicted')?.status, 'False');
  });

  test('a machine without anything gets nothing out of a tie', () => {
    const fleet = new Fleet().pool(1).revision('runc-1');
    fleet.set('a', { revision: 'runc-1' }).set('b', { revision: 'runc-1' }).run();
    assert.deepEqual(fleet.revisions(), []);
  });

  test('another set that asks for the very same takes over without a move', () => {
    const fleet = settled(2);
    const movedAt = fleet.entry('n1')?.movedAt;
    fleet.set('web', { revision: 'runc-1', priority: 5, selector: { matchLabels: { pool: 'web' } } }).run();
    assert.equal(fleet.entry('n1')?.set, 'web');
    assert.equal(fleet.entry('n1')?.movedAt, movedAt);
  });

  test('a machine is written once for all its components', () => {
    const fleet = new Fleet().pool(1).revision('runc-1').revision('chrony-1');
    fleet.set('runc', { revision: 'runc-1' }).set('chrony', { component: 'chrony', revision: 'chrony-1' });
    assert.equal(fleet.plan().machines.get('n1')?.length, 2);
  });
});

describe('batches', () => {
  test('grow as they are written, and the last repeats', () => {
    const fleet = settled(20, { rollout: { batches: [1, 3, 5], maxUnavailable: '100%' } });
    assert.deepEqual(sizes(fleet.set('runc', { revision: 'runc-2' }).run()), [1, 3, 5, 5, 5, 1]);
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'True');
    assert.equal(fleet.sets.get('runc')?.status?.currentRevision, 'runc-2');
  });

  test('may be percentages, rounded up', () => {
    const fleet = settled(15, { rollout: { batches: ['1%', '50%'], maxUnavailable: '100%' } });
    assert.deepEqual(sizes(fleet.set('runc', { revision: 'runc-2' }).run()), [1, 8, 6]);
  });

  test('the first rollout goes batch by batch too', () => {
    const fleet = new Fleet().pool(9).revision('runc-1').set('runc', { revision: 'runc-1' });
    assert.deepEqual(sizes(fleet.run()), [1, 5, 3]);
  });

  test('the next waits until every machine of this one is Ready', () => {
    const fleet = settled(4);
    fleet.set('runc', { revision: 'runc-2' });
    const [first = ''] = [...fleet.plan().machines.keys()];
    fleet.agent(first, 'Slow');
    assert.deepEqual(fleet.run(), []);
    const batch = fleet.sets.get('runc')?.status?.batch;
    assert.deepEqual([batch?.number, batch?.state], [1, 'Updating']);
    assert.match(batch?.reason ?? '', new RegExp(first));
    fleet.agent(first, 'Ready');
    assert.deepEqual(sizes(fleet.run()), [3]);
  });

  test('maxUnavailable is a cap: a large batch goes in portions', () => {
    const fleet = settled(20, { rollout: { batches: [20], maxUnavailable: '25%' } });
    assert.deepEqual(sizes(fleet.set('runc', { revision: 'runc-2' }).run()), [5, 5, 5, 5]);
    assert.equal(fleet.entry('n1')?.batch, 1);
  });

  test('unreachable machines take capacity, and are moved when they are back', () => {
    const fleet = settled(10, { rollout: { batches: [10], maxUnavailable: 3 } });
    fleet.agent('n1', 'Silent').agent('n2', 'Silent');
    const rounds = fleet.set('runc', { revision: 'runc-2' }).run();
    assert.deepEqual(sizes(rounds), [1, 1, 1, 1, 1, 1, 1, 1]);
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'False');
    assert.equal(fleet.sets.get('runc')?.status?.unreachable, 2);
    fleet.agent('n1', 'Ready').agent('n2', 'Ready').run();
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'True');
    assert.equal(fleet.sets.get('runc')?.status?.updated, 10);
  });

  test('nothing is moved while machines that are down take all of maxUnavailable', () => {
    const fleet = settled(10, { rollout: { batches: [10], maxUnavailable: 1 } });
    fleet.agent('n1', 'Silent').set('runc', { revision: 'runc-2' });
    assert.deepEqual(fleet.run(), []);
    const batch = fleet.sets.get('runc')?.status?.batch;
    assert.equal(batch?.state, 'Waiting');
    assert.match(batch?.reason ?? '', /maxUnavailable 1 .* is used up by n1/);
  });

  test('a failed machine stops the rollout, and the set says which and what to do', () => {
    const fleet = settled(5);
    for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Failed');
    fleet.set('runc', { revision: 'runc-2' });
    assert.deepEqual(sizes(fleet.run()), [1]);
    const { status } = fleet.sets.get('runc') ?? {};
    assert.equal(status?.failedRevision, 'runc-2');
    assert.equal(status?.failed, 1);
    assert.equal(fleet.condition('runc', 'Ready')?.reason, 'BatchFailed');
    assert.equal(fleet.condition('runc', 'Degraded')?.status, 'True');
    assert.match(status?.batch?.reason ?? '', /probe socket: refused.*retryToken/);
  });

  test('a fix reaches the broken machine first, at no cost', () => {
    const fleet = settled(5, { rollout: { batches: [1], maxUnavailable: 1 } }).revision('runc-3');
    for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Failed');
    const [[broken]] = fleet.set('runc', { revision: 'runc-2' }).run() as [[string]];
    for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Ready');
    const rounds = fleet.set('runc', { revision: 'runc-3' }).run();
    assert.deepEqual(rounds[0], [broken]);
    assert.deepEqual(sizes(rounds), [1, 1, 1, 1, 1]);
  });

  test('retryToken reaches the failed machines only, and lets the rollout go on', () => {
    const fleet = settled(4);
    for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Failed');
    const [[broken]] = fleet.set('runc', { revision: 'runc-2' }).run() as [[string]];
    fleet.set('runc', { retryToken: 'again' });
    assert.deepEqual([...fleet.plan().machines.keys()], [broken]);
    assert.equal(fleet.entry(broken)?.retryToken, 'again');
    for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Ready');
    fleet.run();
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'True');
    assert.equal(fleet.sets.get('runc')?.status?.failedRevision, undefined);
  });

  test('A, B and A again does not take the health of the first A for that of the second', () => {
    const fleet = settled(2, { rollout: { batches: [1], maxUnavailable: 1 } });
    fleet.set('runc', { revision: 'runc-2' });
    const [first = ''] = [...fleet.plan().machines.keys()];
    fleet.agent(first, 'Slow').set('runc', { revision: 'runc-1' });
    assert.deepEqual([...fleet.plan().machines.keys()], [first]);
    assert.equal(fleet.sets.get('runc')?.status?.ready, 1);
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'False');
  });

  test('paused moves nothing and says so; unpaused goes on where it was', () => {
    const fleet = settled(7);
    fleet.set('runc', { revision: 'runc-2' }).plan();
    fleet.act().set('runc', { paused: true });
    assert.deepEqual(fleet.run(), []);
    assert.equal(fleet.sets.get('runc')?.status?.batch?.state, 'Paused');
    assert.equal(fleet.condition('runc', 'Paused')?.status, 'True');
    assert.deepEqual(sizes(fleet.set('runc', { paused: false }).run()), [5, 1]);
  });

  test('a paused machine is not moved, the others are', () => {
    const fleet = settled(3).change('n2', (machine) => (machine.spec.paused = true));
    fleet.set('runc', { revision: 'runc-2' }).run();
    assert.deepEqual(fleet.revisions(), ['n1:runc-2', 'n2:runc-1', 'n3:runc-2']);
    assert.match(fleet.condition('runc', 'Ready')?.message ?? '', /n2 \(the machine is paused\)/);
  });

  test('are spread over zones', () => {
    const fleet = new Fleet().revision('runc-1');
    for (let i = 0; i < 12; i += 1) fleet.machine(`n${i}`, { zone: `z${i % 3}` });
    fleet.set('runc', { revision: 'runc-1', rollout: { batches: [3], maxUnavailable: 3, spread: 'zone' } });
    for (const names of fleet.run()) {
      const zones = new Set(names.map((name) => fleet.machines.get(name)?.metadata.labels?.['zone']));
      assert.equal(zones.size, 3);
    }
  });

  test('another operator goes on in the middle of a batch', () => {
    const fleet = settled(10, { rollout: { batches: [1, 4, 5], maxUnavailable: 2 } });
    fleet.set('runc', { revision: 'runc-2' });
    const batches: (number | undefined)[] = [];
    for (let i = 0; i < 30; i += 1) {
      for (const name of fleet.plan().machines.keys()) batches.push(fleet.entry(name)?.batch);
      fleet.act().restart(['runc-1', 'runc-2']);
    }
    assert.deepEqual(batches, [1, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'True');
  });
});

describe('machines that come', () => {
  test('get the completed revision while a rollout is under way, and their turn later', () => {
    const fleet = settled(8, { rollout: { batches: [1], maxUnavailable: 1 } });
    fleet.set('runc', { revision: 'runc-2' }).plan();
    fleet.machine('new', { pool: 'web' }).plan();
    assert.equal(fleet.entry('new')?.revision, 'runc-1');
    fleet.run();
    assert.equal(fleet.entry('new')?.revision, 'runc-2');
  });

  test('get the revision at once when the rollout is done, and the set stays Ready', () => {
    const fleet = settled(3).machine('new');
    fleet.plan();
    assert.equal(fleet.entry('new')?.revision, 'runc-1');
    assert.equal(fleet.entry('new')?.batch, undefined);
    assert.equal(fleet.condition('runc', 'Ready')?.status, 'True');
  });

  test('join no more at a time than the last batch is large', () => {
    const fleet = settled(2, { rollout: { batches: [1, 2], maxUnavailable: '100%' } });
    for (let i = 0; i < 5; i += 1) fleet.machine(`new${i}`, {}, 'Slow');
    assert.deepEqual(sizes(fleet.run()), [2]);
  });

  test('wait for their agent, and what they wait for is known', () => {
    const fleet = settled(1).machine('new', {}, 'None');
    assert.deepEqual(fleet.run(), []);
    assert.deepEqual(fleet.assignments.awaited('new'), [
      { component: 'runc', set: 'runc', why: 'its agent was not heard of yet' },
    ]);
    fleet.agent('new', 'Ready').run();
    assert.deepEqual(fleet.assignments.awaited('new'), []);
  });

  test('a Machine made anew under a running host is not moved past the rollout', () => {
    const fleet = settled(3).revision('runc-0');
    fleet.change('n1', (machine) => {
      machine.spec.components = [];
      const [component] = machine.status?.components ?? [];
      if (component !== undefined) component.running = 'runc-0';
    });
    fleet.set('runc', { paused: true });
    assert.deepEqual(fleet.run(), []);
    assert.deepEqual(sizes(fleet.set('runc', { paused: false }).run()), [1]);
  });
});

describe('variables', () => {
  const disk = { variables: [{ name: 'disk', fromLabel: 'disk', default: 'sda' }] };

  test('come from a label, or the default', () => {
    const fleet = new Fleet().machine('a', { disk: 'nvme' }).machine('b').revision('runc-1');
    fleet.set('runc', { revision: 'runc-1', ...disk }).run();
    assert.deepEqual(fleet.entry('a')?.variables, { disk: 'nvme' });
    assert.deepEqual(fleet.entry('b')?.variables, { disk: 'sda' });
  });

  test('a changed label is a move like any other: from batch 1', () => {
    const fleet = settled(7, disk);
    for (const name of fleet.machines.keys()) fleet.label(name, { disk: 'nvme' });
    assert.deepEqual(sizes(fleet.run()), [1, 5, 1]);
  });

  test('a label that is gone changes nothing', () => {
    const fleet = new Fleet().machine('a', { disk: 'nvme' }).revision('runc-1');
    fleet.set('runc', { revision: 'runc-1', ...disk }).run();
    assert.deepEqual(fleet.label('a', {}).run(), []);
    assert.deepEqual(fleet.entry('a')?.variables, { disk: 'nvme' });
  });

  test('one without a value holds that machine up only, and says what is missing', () => {
    const fleet = new Fleet().machine('a', { disk: 'nvme' }).machine('b').revision('runc-1');
    fleet.set('runc', { revision: 'runc-1', variables: [{ name: 'disk', fromLabel: 'disk' }] }).run();
    assert.deepEqual(fleet.revisions(), ['a:runc-1']);
    assert.match(
      fleet.condition('runc', 'Ready')?.message ?? '',
      /b \(variable disk has no value.*label disk/,
    );
  });
});

describe('drift', () => {
  test('Report is told to all machines at once, Repair batch by batch', () => {
    const fleet = settled(7);
    assert.deepEqual(sizes(fleet.set('runc', { drift: 'Report' }).run()), [7]);
    assert.deepEqual(sizes(fleet.set('runc', { drift: 'Repair' }).run()), [1, 5, 1]);
  });
});

describe('at the size of a fleet', () => {
  test('10,000 machines: an event costs no more than among ten', () => {
    const fleet = settled(0);
    for (let i = 0; i < 10_000; i += 1) fleet.machine(`m${i}`);
    fleet.set('runc', { rollout: { batches: [1000], maxUnavailable: '100%' } }).run();
    fleet.set('runc', { revision: 'runc-2', rollout: { batches: [9000], maxUnavailable: 200 } }).plan();
    const started = performance.now();
    for (let i = 0; i < 2000; i += 1) {
      const name = `m${i}`;
      fleet.agent(name, 'Ready');
      fleet.assignments.plan(fleet.now);
    }
    const perEvent = (performance.now() - started) / 2000;
    assert.ok(perEvent < 2, `${perEvent.toFixed(3)} ms per event`);
  });
});
