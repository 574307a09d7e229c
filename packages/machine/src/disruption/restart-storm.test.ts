import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartStorm, usualBudget } from '../testing/restart-storm.ts';

const minute = 60_000;

test('a thousand machines that ask to restart at once do so a few at a time, each once, within every limit of the budget', async () => {
  const { starts } = usualBudget;
  const storm = await restartStorm({ machines: 1000, restartMs: 6 * minute, limitMs: 180 * minute });
  assert.equal(new Set(storm.restarts.map(({ machine }) => machine)).size, 1000, 'all get their turn');
  assert.equal(storm.restarts.length, 1000, 'each once');
  assert.ok(mostWithin(storm.restarts, minute) <= Number(starts.perMinute));
  assert.ok(mostWithin(storm.restarts, 60 * minute) <= Number(starts.perHour));
  assert.ok(storm.mostAtOnce <= 100, `10% of 1000 at once, not ${storm.mostAtOnce}`);
  for (const [zone, most] of storm.mostInZone) assert.ok(most <= 84, `25% of zone ${zone}, not ${most}`);
  assert.ok(storm.leaveWrites <= 5 * 1000, `${storm.leaveWrites} writes of leaves for 1000 machines`);
  assert.ok(
    storm.asked <= 5 * 1000,
    `the budget was asked ${storm.asked} times: that grows with how many wait`,
  );
  // The limit is used, too: a budget that let nobody through would pass all that is above.
  assert.ok(storm.mostAtOnce > 90);
});

/** The most that restarted in any stretch of that length. */
function mostWithin(restarts: readonly { readonly at: number }[], ms: number): number {
  let first = 0;
  let most = 0;
  for (const [last, { at }] of restarts.entries()) {
    while ((restarts[first]?.at ?? at) <= at - ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
