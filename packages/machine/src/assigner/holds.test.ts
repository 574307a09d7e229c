import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fleet, settled, sizes } from '../testing/fleet.ts';
import { viewOfSet } from '../member/view.ts';

const at = '2026-03-01T10:00:00Z';

describe('mistakes: absence means hold', () => {
  const unchanged = ['n1:runc-1', 'n2:runc-1', 'n3:runc-1'];
  const mistakes: Record<string, (fleet: Fleet) => unknown> = {
    'the set is deleted': (fleet) => fleet.deleteSet('runc'),
    'all sets are deleted and applied again': (fleet) => {
      fleet.deleteSet('runc').run();
      fleet.set('runc', { revision: 'runc-1' });
    },
    'the revision is deleted': (fleet) => fleet.assignments.removeRevision('runc-1'),
    'the revision waits for its deletion': (fleet) =>
      fleet.assignments.putRevision({
        name: 'runc-1',
        uid: 'uid-runc-1',
        component: 'runc',
        version: '1',
        restarts: false,
        deleting: true,
        isKept: true,
      }),
    'the selector is mistyped': (fleet) => fleet.set('runc', { selector: { matchLabels: { pool: 'wbe' } } }),
    'the labels are wiped': (fleet) => {
      for (const name of fleet.machines.keys()) fleet.label(name, {});
    },
    'a revision is named that does not exist': (fleet) => fleet.set('runc', { revision: 'runc-9' }),
    'a revision of another component is named': (fleet) =>
      fleet.revision('cni-1').set('runc', { revision: 'cni-1' }),
    'the operator starts anew while the sets are gone': (fleet) => {
      fleet.sets.clear();
      fleet.restart(['runc-1']);
    },
    'the Machines are deleted with policy Retain': (fleet) => {
      for (const name of fleet.machines.keys()) {
        fleet.change(name, (machine) => (machine.metadata.deletionTimestamp = at));
      }
    },
    'a second set of the same component is applied': (fleet) => fleet.set('copy', { revision: 'runc-2' }),
  };
  for (const [mistake, make] of Object.entries(mistakes)) {
    test(mistake, () => {
      const fleet = settled(3, { selector: { matchLabels: { pool: 'web' } } });
      const writes = fleet.writes;
      make(fleet);
      fleet.run();
      assert.deepEqual(fleet.revisions(), unchanged);
      assert.equal(fleet.writes, writes);
    });
  }

  test('what was named wrongly is said in the set', () => {
    const fleet = settled(1);
    fleet.set('runc', { revision: 'runc-9' }).run();
    assert.equal(fleet.condition('runc', 'Ready')?.reason, 'RevisionNotFound');
    assert.match(
      fleet.condition('runc', 'Ready')?.message ?? '',
      /spec\.revision.*runc-9.*keep what they have/,
    );
    fleet.revision('cni-1').set('runc', { revision: 'cni-1' }).run();
    assert.equal(fleet.condition('runc', 'Ready')?.reason, 'WrongComponent');
    fleet.set('runc', { revision: 'runc-1', selector: { matchLabels: { pool: 'wbe' } } }).run();
    assert.equal(fleet.condition('runc', 'Ready')?.reason, 'NoMachines');
    assert.match(fleet.condition('runc', 'Ready')?.message ?? '', /pool=wbe/);
  });

  test('a revision deleted and made again is another one, and goes batch by batch', () => {
    const fleet = settled(7);
    fleet.assignments.removeRevision('runc-1');
    fleet.run();
    fleet.revision('runc-1', 'runc', 'uid-other');
    assert.deepEqual(sizes(fleet.run()), [1, 5, 1]);
    assert.equal(fleet.entry('n1')?.revisionUID, 'uid-other');
  });
});

describe('removal, where it was asked for', () => {
  test('machines no longer selected lose the component, batch by batch, and then the entry', () => {
    const fleet = settled(7, { removal: 'Remove', selector: { matchLabels: { pool: 'web' } } });
    fleet.set('runc', { selector: { matchLabels: { pool: 'none' } } });
    fleet.plan();
    assert.equal(fleet.revisions().filter((line) => line.endsWith('Absent')).length, 1);
    fleet.run();
    assert.deepEqual(fleet.revisions(), []);
  });

  test('the entry stays until the agent has told that it is gone', () => {
    const fleet = settled(1, { removal: 'Remove', selector: { matchLabels: { pool: 'web' } } });
    fleet.label('n1', {}).plan();
    fleet.agent('n1', 'Slow').run();
    assert.deepEqual(fleet.revisions(), ['n1:runc-1 Absent']);
    fleet.agent('n1', 'Ready').run();
    assert.deepEqual(fleet.revisions(), []);
  });

  test('a set being deleted cleans its machines first', () => {
    const fleet = settled(3, { removal: 'Remove' }).terminateSet('runc');
    fleet.plan();
    assert.equal(fleet.condition('runc', 'Ready')?.reason, 'Removing');
    fleet.run();
    assert.deepEqual(fleet.revisions(), []);
  });

  test('also where the deletion is known to be meant only after its machines were looked at', () => {
    const fleet = settled(3, { removal: 'Remove' });
    const set = fleet.sets.get('runc');
    assert.ok(set);
    const isMeant = viewOfSet({ ...set, metadata: { ...set.metadata, deletionTimestamp: at } }, 'runc-1');
    fleet.assignments.putSet({ ...isMeant, removal: 'Retain' });
    assert.equal(fleet.assignments.plan(fleet.now).machines.size, 0);
    // Nothing else happens to the machines.
    assert.equal(fleet.terminateSet('runc').plan().machines.size, 1);
    fleet.run();
    assert.deepEqual(fleet.revisions(), []);
  });

  test('a machine selected again before its turn keeps the component', () => {
    const fleet = settled(1, { removal: 'Remove', selector: { matchLabels: { pool: 'web' } } });
    fleet.label('n1', {}).label('n1', { pool: 'web' });
    assert.deepEqual(fleet.run(), []);
  });

  test('a Machine deleted with policy Delete has all its components removed', () => {
    const fleet = settled(2).change('n1', (machine) => {
      machine.metadata.deletionTimestamp = at;
      machine.spec.deletionPolicy = 'Delete';
    });
    fleet.run();
    assert.deepEqual(fleet.revisions(), ['n1:runc-1 Absent', 'n2:runc-1']);
  });
});
