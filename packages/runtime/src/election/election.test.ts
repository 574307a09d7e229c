import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../client/errors.ts';
import { Lease } from '../client/kinds.ts';
import { type FakeClock, fakeClock } from '../clock/fake-clock.ts';
import { type MemoryClient, memoryClient } from '../testing/memory-client.ts';
import { type Election, leaderElection, LeaseLost } from './election.ts';

const lease = { namespace: 'kube-system', name: 'operator' };

interface Candidate {
  readonly election: Election;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** Lead begun and ended. */
  readonly log: string[];
}

function candidate(
  client: MemoryClient,
  clock: FakeClock,
  identity: string,
  hold?: Promise<void>,
): Candidate {
  const election = leaderElection({ client, lease, identity, clock, random: () => 0 });
  const stop = new AbortController();
  const log: string[] = [];
  const ended = election.run(stop.signal, async (signal) => {
    log.push('leads');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await hold;
    log.push('ended');
  });
  ended.catch(() => undefined);
  return { election, stop, ended, log };
}

test('one leads, renews, and gives the lease back; the other then leads at once', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const a = candidate(client, clock, 'a');
  await clock.advance(0);
  const b = candidate(client, clock, 'b');
  await clock.advance(60_000);
  assert.deepEqual([a.election.isLeader, b.election.isLeader, b.election.holder], [true, false, 'a']);
  const [object] = client.objects(Lease);
  assert.equal(object?.spec?.holderIdentity, 'a');
  assert.equal(object?.spec?.leaseDurationSeconds, 15);
  assert.equal(object?.spec?.renewTime, '2026-01-01T00:01:00.000000Z');
  assert.equal(object?.spec?.acquireTime, '2026-01-01T00:00:00.000000Z');
  a.stop.abort();
  await a.ended;
  assert.deepEqual(a.log, ['leads', 'ended']);
  assert.equal(client.objects(Lease)[0]?.spec?.holderIdentity, '');
  await clock.advance(2000);
  assert.deepEqual([b.log, b.election.holder], [['leads'], 'b']);
  assert.equal(client.objects(Lease)[0]?.spec?.leaseTransitions, 1);
  b.stop.abort();
  await b.ended;
});

test('the lease of a leader that died is taken over after its time by the own clock, however wrong the clocks are', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  await client.create(Lease, {
    metadata: lease,
    // The dead leader's clock was a day behind, so this looks long over; and one a day ahead would look as if it held for ever.
    spec: { holderIdentity: 'dead', leaseDurationSeconds: 20, renewTime: '2025-12-31T00:00:00.000000Z' },
  });
  const a = candidate(client, clock, 'a');
  await clock.advance(19_000);
  clock.jump(86_400_000);
  assert.deepEqual(a.log, []);
  await clock.advance(3000);
  assert.deepEqual(a.log, ['leads']);
  a.stop.abort();
  await a.ended;
});

test('a leader cut off stops before anybody else may lead', async () => {
  const clock = fakeClock();
  const shared = memoryClient();
  // The same store, seen through a connection of its own that can be cut.
  const cut: MemoryClient = Object.create(shared) as MemoryClient;
  let isCut = false;
  for (const name of ['get', 'update'] as const) {
    Object.defineProperty(cut, name, {
      value: (...args: never[]) =>
        isCut
          ? Promise.reject(new ConnectionError('cut', 'ECONNREFUSED', true))
          : (shared[name] as (...args: never[]) => Promise<unknown>)(...args),
    });
  }
  const a = candidate(cut, clock, 'a');
  await clock.advance(3000);
  const b = candidate(shared, clock, 'b');
  await clock.advance(3000);
  isCut = true;
  let overlap = false;
  for (let second = 0; second < 30; second++) {
    await clock.advance(1000);
    overlap ||= a.log.at(-1) === 'leads' && b.log.at(-1) === 'leads';
  }
  assert.equal(overlap, false);
  assert.deepEqual([a.log, b.log], [['leads', 'ended'], ['leads']]);
  await assert.rejects(
    a.ended,
    (error) => error instanceof LeaseLost && /could not be renewed for 10000 ms/.test(error.message),
  );
  b.stop.abort();
  await b.ended;
});

test('a short outage costs nothing', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const a = candidate(client, clock, 'a');
  await clock.advance(3000);
  client.down = new ConnectionError('down', 'ECONNREFUSED', true);
  await clock.advance(6000);
  client.down = undefined;
  await clock.advance(60_000);
  assert.deepEqual(a.log, ['leads']);
  a.stop.abort();
  await a.ended;
});

test('a lease that somebody took is not fought for, and not given back in his name', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const a = candidate(client, clock, 'a');
  await clock.advance(1000);
  const [object] = client.objects(Lease);
  assert.ok(object);
  await client.update(Lease, { ...object, spec: { ...object.spec, holderIdentity: 'thief' } });
  await clock.advance(2000);
  await assert.rejects(a.ended, /held by thief now/);
  assert.equal(client.objects(Lease)[0]?.spec?.holderIdentity, 'thief');
});

test('the lease is kept while the leader still winds down', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const hold = Promise.withResolvers<void>();
  const a = candidate(client, clock, 'a', hold.promise);
  await clock.advance(1000);
  const b = candidate(client, clock, 'b');
  a.stop.abort();
  await clock.advance(60_000);
  assert.deepEqual(b.log, []);
  hold.resolve();
  await a.ended;
  await clock.advance(2000);
  assert.deepEqual(b.log, ['leads']);
  b.stop.abort();
  await b.ended;
});

test('a lead that failed does not give the lease back: something of it may still run', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const election = leaderElection({ client, lease, identity: 'a', clock });
  await assert.rejects(
    election.run(new AbortController().signal, () => Promise.reject(new Error('stuck'))),
    /stuck/,
  );
  assert.equal(client.objects(Lease)[0]?.spec?.holderIdentity, 'a');
});

test('of two that start together one leads', async () => {
  const [client, clock] = [memoryClient(), fakeClock()];
  const all = ['a', 'b', 'c'].map((identity) => candidate(client, clock, identity));
  await clock.advance(10_000);
  assert.equal(all.filter(({ election }) => election.isLeader).length, 1);
  for (const { stop } of all) stop.abort();
  await Promise.all(all.map(({ ended }) => ended));
});

test('times that cannot work are refused', () => {
  const options = { client: memoryClient(), lease, identity: 'a', leaseMs: 5000 };
  assert.throws(() => leaderElection(options), /renewDeadlineMs \(10000\), and that below leaseMs \(5000\)/);
});
