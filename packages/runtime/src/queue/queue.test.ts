import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../clock/fake-clock.ts';
import { seeded } from '../testing/random.ts';
import { heap } from './heap.ts';
import { queue } from './queue.ts';

const never = new AbortController().signal;
const noJitter = () => 1;

/** Takes and gives back all that is ready. */
async function drain(keys: ReturnType<typeof queue>): Promise<string[]> {
  const taken: string[] = [];
  while (keys.length > 0) {
    const key = await keys.get(never);
    taken.push(key);
    keys.done(key);
  }
  return taken;
}

test('a key added many times is worked on once', async () => {
  const keys = queue();
  for (const key of ['a', 'b', 'a', 'a', 'b']) keys.add(key);
  assert.deepEqual(await drain(keys), ['a', 'b']);
});

test('a key added while it is worked on comes again after it is done, and not before', async () => {
  const keys = queue();
  keys.add('a');
  assert.equal(await keys.get(never), 'a');
  keys.add('a');
  keys.add('a');
  assert.equal(keys.length, 0);
  keys.done('a');
  assert.deepEqual(await drain(keys), ['a']);
});

test('higher priority goes first, and a key in the queue can rise but not sink', async () => {
  const keys = queue();
  keys.add('low', { priority: -100 });
  keys.add('mid');
  keys.add('rises', { priority: -100 });
  keys.add('high', { priority: 5 });
  keys.add('rises', { priority: 5 });
  keys.add('high', { priority: -100 });
  assert.deepEqual(await drain(keys), ['high', 'rises', 'mid', 'low']);
});

test('a key comes at its time; the earliest of several times counts; now beats later', async () => {
  const clock = fakeClock();
  const keys = queue({ clock });
  keys.add('a', { afterMs: 100 });
  keys.add('a', { afterMs: 50 });
  keys.add('a', { afterMs: 200 });
  keys.add('b', { afterMs: 60 });
  keys.add('c', { afterMs: 1000 });
  keys.add('c');
  keys.add('d');
  keys.add('d', { afterMs: 1000 });
  assert.deepEqual(await drain(keys), ['c', 'd']);
  await clock.advance(49);
  assert.equal(keys.length, 0);
  await clock.advance(1);
  assert.deepEqual(await drain(keys), ['a']);
  await clock.advance(10);
  assert.deepEqual(await drain(keys), ['b']);
  await clock.advance(2000);
  assert.deepEqual([keys.length, keys.delayed, clock.waiting], [0, 0, 0]);
});

test('failures wait longer each time up to a limit, per key, until forgotten', async () => {
  const clock = fakeClock();
  const keys = queue({ clock, random: noJitter, backoff: { baseMs: 100, maxMs: 1000 } });
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) {
    keys.add('a', { rateLimited: true });
    waits.push(clock.next ?? 0);
    await clock.advance(clock.next ?? 0);
    await drain(keys);
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000]);
  assert.equal(keys.failures('a'), 6);
  assert.equal(keys.failures('b'), 0);
  keys.forget('a');
  keys.add('a', { rateLimited: true });
  assert.equal(clock.next, 100);
});

test('two keys that fail together come back apart', () => {
  const clock = fakeClock();
  const random = seeded(1);
  const times = new Set<number>();
  for (let index = 0; index < 50; index++) {
    const keys = queue({ clock, random, backoff: { baseMs: 1000, maxMs: 1000 } });
    keys.add('a', { rateLimited: true });
    const wait = clock.next ?? 0;
    assert.ok(wait >= 500 && wait <= 1000, String(wait));
    times.add(Math.round(wait));
    keys.close();
  }
  assert.ok(times.size > 30, `${times.size} different waits`);
});

test('who waits for a key gets it, and who gives up does not take one', async () => {
  const keys = queue();
  const giveUp = new AbortController();
  const first = keys.get(giveUp.signal);
  const second = keys.get(never);
  giveUp.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  keys.add('a');
  assert.equal(await second, 'a');
});

test('a closed queue holds nothing and takes nothing', () => {
  const clock = fakeClock();
  const keys = queue({ clock });
  keys.add('a');
  keys.add('b', { afterMs: 10 });
  keys.close();
  keys.add('c');
  assert.deepEqual([keys.length, keys.delayed, clock.waiting], [0, 0, 0]);
});

test('adding and taking is fast for many keys', async () => {
  const keys = queue();
  const started = performance.now();
  for (let index = 0; index < 200_000; index++)
    keys.add(`key-${index % 100_000}`, { priority: (index % 3) * 10 });
  assert.equal((await drain(keys)).length, 100_000);
  const took = performance.now() - started;
  assert.ok(took < 5000, `${took} ms: something is quadratic`);
});

for (let seed = 1; seed <= 40; seed++) {
  test(`laws hold under random use (seed ${seed})`, async () => {
    const random = seeded(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const clock = fakeClock();
    const keys = queue({ clock, random, backoff: { baseMs: 10, maxMs: 200 } });
    /** When each key must have been taken at the latest, as the model has it. */
    const owed = new Map<string, number>();
    const held = new Set<string>();
    const again = new Map<string, number>();
    for (let step = 0; step < 400; step++) {
      switch (pick(4)) {
        case 0:
        case 1: {
          const key = `k${pick(8)}`;
          const afterMs = pick(3) === 0 ? pick(100) : 0;
          keys.add(key, { afterMs, priority: pick(3), rateLimited: false });
          const target = held.has(key) ? again : owed;
          target.set(key, Math.min(target.get(key) ?? Infinity, clock.monotonic() + afterMs));
          break;
        }
        case 2:
          if (keys.length > 0) {
            const key = await keys.get(never);
            assert.ok(!held.has(key), `${key} with two workers`);
            assert.ok((owed.get(key) ?? Infinity) <= clock.monotonic(), `${key} before its time`);
            owed.delete(key);
            held.add(key);
          } else await clock.advance(pick(30));
          break;
        default: {
          const [key] = held;
          if (key === undefined) break;
          held.delete(key);
          const next = again.get(key);
          again.delete(key);
          if (next !== undefined) owed.set(key, next);
          keys.done(key);
        }
      }
      const due = [...owed.values()].filter((at) => at <= clock.monotonic()).length;
      assert.equal(keys.length, due, 'what is due is ready');
      assert.equal(keys.delayed, owed.size - due, 'what is not waits');
      assert.equal(keys.active, held.size);
    }
    for (const key of held) keys.done(key);
    await clock.advance(1000);
    const rest = await drain(keys);
    assert.deepEqual(new Set(rest), new Set([...owed.keys(), ...again.keys()]), 'nothing is lost');
    assert.equal(rest.length, new Set(rest).size);
  });
}

test('a heap gives the least first', () => {
  const random = seeded(7);
  const numbers = Array.from({ length: 1000 }, () => Math.floor(random() * 300));
  const least = heap<number>((a, b) => a < b);
  for (const number of numbers) least.push(number);
  const out = Array.from({ length: 1000 }, () => least.pop());
  assert.deepEqual(
    out,
    numbers.toSorted((a, b) => a - b),
  );
  assert.equal(least.pop(), undefined);
});
