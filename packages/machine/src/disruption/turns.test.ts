import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('machines that the budget denied ask again one of each zone at a time, in the order in which they came', () => {
  const turns = new Turns();
  for (const [machine, zone] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['a3', 'a'],
  ] as const)
    turns.wait(machine, zone, 'starts.perMinute');
  assert.deepEqual(turns.wait('a1', 'a', 'starts.perMinute'), { isFirst: true, isNews: false });
  assert.deepEqual(turns.wait('a2', 'a', 'concurrent.perZone'), { isFirst: false, isNews: true });
  assert.deepEqual([...turns.first()], ['a1', 'b1']);
  assert.equal(turns.leave('a1'), 'a2');
  assert.equal(turns.leave('a1'), undefined, 'once is enough');
  assert.equal(turns.leave('b1'), undefined, 'nobody else waits there');
  assert.deepEqual([...turns.first()], ['a2']);
  turns.wait('a2', 'b', 'starts.perMinute');
  assert.deepEqual([...turns.first()], ['a3', 'a2'], 'its zone is another now');
});
