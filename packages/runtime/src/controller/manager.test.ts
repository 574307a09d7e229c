import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../clock/fake-clock.ts';
import type { Election } from '../election/election.ts';
import { silentLogger } from '../log/log.ts';
import { manager, type Runnable } from './manager.ts';

/** Notes when it starts and ends in `log`. */
function part(
  name: string,
  log: string[],
  options: { needsLeader?: boolean; fails?: Promise<never>; hangs?: boolean } = {},
): Runnable {
  return {
    name,
    needsLeader: options.needsLeader ?? false,
    async run(signal) {
      log.push(`+${name}`);
      const stopped = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      await (options.hangs === true
        ? new Promise(() => undefined)
        : Promise.race([stopped, ...(options.fails === undefined ? [] : [options.fails])]));
      log.push(`-${name}`);
    },
  };
}

/** Leads when told, and loses the lead when told. */
function election() {
  const won = Promise.withResolvers<void>();
  const lost = new AbortController();
  const log: string[] = [];
  const made: Election = {
    isLeader: false,
    holder: undefined,
    async run(signal, lead) {
      await Promise.race([
        won.promise,
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
      ]);
      if (signal.aborted) return;
      await lead(AbortSignal.any([signal, lost.signal]));
      log.push('released');
      if (lost.signal.aborted) throw lost.signal.reason;
    },
  };
  return { made, win: won.resolve, lose: (error: Error) => lost.abort(error), log };
}

test('starts all, and stops what leads before what it stands on', async () => {
  const log: string[] = [];
  const stop = new AbortController();
  const it = manager({ log: silentLogger, clock: fakeClock() });
  it.add(part('controller', log, { needsLeader: true }), part('cache', log));
  assert.deepEqual(it.notReady(), ['not started']);
  const running = it.run(stop.signal);
  it.add(part('late', log));
  assert.deepEqual(log, ['+cache', '+controller', '+late']);
  stop.abort();
  await running;
  assert.equal(log[3], '-controller');
  assert.deepEqual(log.slice(4).sort(), ['-cache', '-late']);
});

test('controllers wait for the lead, caches do not; a lost lead stops everything and says so', async () => {
  const log: string[] = [];
  const elected = election();
  const clock = fakeClock();
  const it = manager({ log: silentLogger, clock, election: elected.made });
  const controller = {
    ...part('controller', log, { needsLeader: true }),
    notReady: () => 'controller warms up',
  };
  it.add(controller, part('cache', log));
  const running = it.run(new AbortController().signal);
  await clock.advance(0);
  assert.deepEqual([log, it.notReady()], [['+cache'], []]);
  elected.win();
  await clock.advance(0);
  assert.deepEqual([log, it.notReady()], [['+cache', '+controller'], ['controller warms up']]);
  elected.lose(new Error('lease lost'));
  await assert.rejects(running, /lease lost/);
  assert.deepEqual(log.slice(2), ['-controller', '-cache']);
});

test('stops cleanly while it still waits for the lead', async () => {
  const log: string[] = [];
  const stop = new AbortController();
  const it = manager({ log: silentLogger, clock: fakeClock(), election: election().made }).add(
    part('cache', log),
    part('c', log, { needsLeader: true }),
  );
  const running = it.run(stop.signal);
  stop.abort();
  await running;
  assert.deepEqual(log, ['+cache', '-cache']);
});

test('a part that fails, or ends by itself, stops the rest and is named', async () => {
  const log: string[] = [];
  const broken = Promise.withResolvers<never>();
  const running = manager({ log: silentLogger, clock: fakeClock() })
    .add(part('cache', log), part('server', log, { fails: broken.promise }))
    .run(new AbortController().signal);
  broken.reject(new Error('port taken'));
  await assert.rejects(
    running,
    (error) =>
      error instanceof Error &&
      error.message === 'server failed' &&
      (error.cause as Error).message === 'port taken',
  );
  assert.deepEqual(log, ['+cache', '+server', '-cache']);
  const short = manager({ log: silentLogger, clock: fakeClock() }).add({
    name: 'short',
    run: async () => undefined,
  });
  await assert.rejects(short.run(new AbortController().signal), /short ended by itself/);
});

test('what does not stop in time is named, and the rest has stopped', async () => {
  const log: string[] = [];
  const clock = fakeClock();
  const stop = new AbortController();
  const running = manager({ log: silentLogger, clock, drainMs: 1000 })
    .add(part('cache', log), part('stuck', log, { hangs: true }))
    .run(stop.signal);
  stop.abort();
  const rejected = assert.rejects(running, /stuck: did not stop within 1000 ms/);
  await clock.advance(1000);
  await rejected;
  assert.deepEqual(log, ['+cache', '+stuck', '-cache']);
});
