import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../testing/fleet.ts';
import { randomOf } from '../testing/random.ts';

const revisions = ['runc-1', 'runc-2', 'runc-3'];

/** What stands in the objects after a plan. */
function planned(fleet: Fleet): unknown {
  fleet.plan();
  return {
    machines: [...fleet.machines].map(([name, { spec }]) => [name, spec.components]),
    // Texts name the first machines that come to mind, in no order.
    sets: [...fleet.sets].map(([name, { status: { conditions, batch, ...counts } = {} }]) => ({
      name,
      counts,
      batch: { number: batch?.number, size: batch?.size, state: batch?.state },
      conditions: conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    })),
  };
}

/** One thing that happens to a fleet. */
function happen(fleet: Fleet, random: () => number): void {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const name = pick([...fleet.machines.keys()]);
  const set = pick(['a', 'b', 'c']);
  const events: (() => unknown)[] = [
    () => fleet.label(name, pick([{ pool: 'web' }, { pool: 'db' }, { pool: 'web', disk: 'nvme' }, {}])),
    () => fleet.agent(name, pick(['Ready', 'Ready', 'Failed', 'Slow', 'Silent', 'None'] as const)),
    () => fleet.set(set, { revision: pick(revisions) }),
    () => fleet.set(set, { priority: Math.floor(random() * 3), paused: random() < 0.2 }),
    () => fleet.set(set, { selector: { matchLabels: { pool: pick(['web', 'db', 'none']) } } }),
    () =>
      fleet.set(set, {
        removal: pick(['Retain', 'Remove'] as const),
        drift: pick(['Repair', 'Report'] as const),
      }),
    () => fleet.set(set, { variables: [{ name: 'disk', fromLabel: 'disk', default: pick(['sda', 'sdb']) }] }),
    () => fleet.set(set, { retryToken: String(random()) }),
    () => (fleet.sets.size > 1 && fleet.sets.has(set) ? fleet.deleteSet(set) : undefined),
    () => fleet.change(name, (machine) => (machine.spec.paused = random() < 0.3)),
    () => fleet.act(),
    () => fleet.act(),
  ];
  pick(events)();
}

test('what is kept up to date piece by piece is what a new process works out from the objects alone', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = randomOf(seed);
    const fleet = new Fleet().pool(8, { pool: 'web' });
    for (const revision of revisions) fleet.revision(revision);
    fleet.set('a', { revision: 'runc-1', rollout: { batches: [1, 3, '100%'], maxUnavailable: 3 } });
    for (let round = 0; round < 60; round += 1) {
      happen(fleet, random);
      const other = fleet.twin(revisions);
      assert.deepEqual(planned(fleet), planned(other), `seed ${seed}, round ${round}`);
    }
  }
});

test('whatever happened, a fleet left alone comes to rest', () => {
  for (let seed = 100; seed < 140; seed += 1) {
    const random = randomOf(seed);
    const fleet = new Fleet().pool(8, { pool: 'web' });
    for (const revision of revisions) fleet.revision(revision);
    fleet.set('a', { revision: 'runc-1', rollout: { batches: [1, 3], maxUnavailable: 2 } });
    for (let round = 0; round < 40; round += 1) {
      happen(fleet, random);
      fleet.plan();
    }
    fleet.run();
  }
});
