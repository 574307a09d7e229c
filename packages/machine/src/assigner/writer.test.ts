import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock, systemClock } from '@kubenode/runtime';
import { Writer } from './writer.ts';

function writer(apply: (name: string, value: string) => Promise<void>) {
  const settled: string[] = [];
  const refused: string[] = [];
  const made = new Writer<string>({
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    apply,
    settled: (name) => settled.push(name),
    refused: (name) => refused.push(name),
    pauseMs: 0,
  });
  return { writer: made, settled, refused };
}
const { signal } = new AbortController();

test('a newer value replaces one that waits, and is written after the one that is under way', async () => {
  const written: string[] = [];
  const first = Promise.withResolvers<void>();
  const given = writer(async (_, value) => {
    written.push(value);
    if (value === 'a') await first.promise;
  });
  for (const value of ['a', 'b', 'c']) given.writer.write('n1', value, signal);
  assert.equal(given.writer.get('n1'), 'c');
  first.resolve();
  await given.writer.idle();
  assert.deepEqual(written, ['a', 'c']);
  assert.deepEqual(given.settled, ['n1']);
  assert.equal(given.writer.has('n1'), false);
});

test('what is refused is told, and then the cache counts again', async () => {
  const given = writer(() => Promise.reject(new Error('422')));
  given.writer.write('n1', 'a', signal);
  await given.writer.idle();
  assert.deepEqual([given.refused, given.settled], [['n1'], ['n1']]);
});

test('no more than 16 are written at once, and all of them are', async () => {
  let running = 0;
  let most = 0;
  const given = writer(async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  });
  for (let i = 0; i < 100; i += 1) given.writer.write(`n${i}`, 'a', signal);
  await given.writer.idle();
  assert.equal(most, 16);
  assert.equal(given.settled.length, 100);
});

test('what is urgent ends the pause, and every second one only', async () => {
  const clock = fakeClock();
  const written: string[] = [];
  const pausing = new Writer<string>({
    clock,
    apply: (_, value) => {
      written.push(value);
      return Promise.resolve();
    },
    settled: () => undefined,
    refused: () => undefined,
    pauseMs: 1000,
    isUrgent: (value) => value.endsWith('!'),
  });
  const write = async (value: string): Promise<void> => {
    pausing.write('n1', value, signal);
    await clock.advance(0);
  };
  await write('a');
  await write('b');
  assert.deepEqual(written, ['a']);
  await write('c!');
  assert.deepEqual(written, ['a', 'c!']);
  await write('d!');
  assert.deepEqual(written, ['a', 'c!']);
  await clock.advance(1000);
  assert.deepEqual(written, ['a', 'c!', 'd!']);
  await write('e!');
  assert.deepEqual(written, ['a', 'c!', 'd!', 'e!']);
});
