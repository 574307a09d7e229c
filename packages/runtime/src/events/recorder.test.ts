import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../client/errors.ts';
import { Event } from '../client/kinds.ts';
import { fakeClock } from '../clock/fake-clock.ts';
import { jsonLogger } from '../log/log.ts';
import { memoryClient } from '../testing/memory-client.ts';
import { recorder, type RecorderOptions } from './recorder.ts';
import type { ObjectRef } from './ref.ts';

const machine: ObjectRef = { apiVersion: 'kubenode.io/v1alpha1', kind: 'Machine', name: 'n17', uid: 'u' };

function setUp(options: Partial<RecorderOptions> = {}) {
  const [client, clock] = [memoryClient(), fakeClock()];
  const log: string[] = [];
  const made = recorder({
    client,
    component: 'test',
    instance: 'host',
    clock,
    random: () => 0.5,
    log: jsonLogger({ write: (line) => void log.push(line) }),
    ...options,
  });
  const stop = new AbortController();
  const running = made.run(stop.signal);
  return { client, clock, made, log, stop, running, events: () => client.objects(Event) };
}

test('an event says what happened to what, in the namespace kubectl looks in', async () => {
  const it = setUp();
  it.made.event(machine, 'Warning', 'Failed', 'digest does not match');
  it.made.event({ ...machine, kind: 'Secret', namespace: 'web' }, 'Normal', 'Used', 'x');
  await it.clock.advance(0);
  const [first, second] = it.events();
  assert.equal(first?.metadata.namespace, 'default');
  assert.equal(second?.metadata.namespace, 'web');
  assert.deepEqual(
    { ...first, metadata: undefined },
    {
      metadata: undefined,
      involvedObject: machine,
      type: 'Warning',
      reason: 'Failed',
      message: 'digest does not match',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'test', host: 'host' },
      reportingComponent: 'test',
      reportingInstance: 'host',
    },
  );
  it.stop.abort();
  await it.running;
});

test('the same again counts up one event, in few writes, with the newest note', async () => {
  const it = setUp();
  for (let second = 0; second < 60; second++) {
    it.made.event(machine, 'Normal', 'Repaired', `try ${second}`);
    await it.clock.advance(1000);
  }
  it.stop.abort();
  await it.running;
  const [event, ...others] = it.events();
  assert.equal(others.length, 0);
  assert.equal(event?.count, 60);
  assert.equal(event?.message, 'try 59');
  assert.equal(event?.firstTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(event?.lastTimestamp, '2026-01-01T00:00:59Z');
  assert.ok(it.client.writes.length <= 8, `${it.client.writes.length} writes`);
});

test('what is told of one part of an object stands beside what is told of another', async () => {
  const it = setUp();
  for (const part of ['runc', 'containerd'])
    it.made.event({ ...machine, fieldPath: `status.components{${part}}` }, 'Warning', 'Failed', part);
  await it.clock.advance(0);
  assert.deepEqual(
    it.events().map(({ message }) => message),
    ['runc', 'containerd'],
  );
  it.stop.abort();
  await it.running;
});

test('after a silence longer than the window a new event begins', async () => {
  const it = setUp({ windowMs: 60_000 });
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  await it.clock.advance(61_000);
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  await it.clock.advance(0);
  assert.deepEqual(
    it.events().map(({ count }) => count),
    [1, 1],
  );
  it.stop.abort();
  await it.running;
});

test('one object can not flood: so many events, then a few', async () => {
  const it = setUp({ limit: { burst: 3, refillMs: 60_000 } });
  for (let index = 0; index < 20; index++) it.made.event(machine, 'Normal', `Reason${index}`, 'x');
  it.made.event({ ...machine, name: 'other' }, 'Normal', 'Reason', 'x');
  await it.clock.advance(0);
  assert.equal(it.events().length, 4);
  await it.clock.advance(60_000);
  it.made.event(machine, 'Normal', 'Later', 'x');
  await it.clock.advance(0);
  assert.equal(it.events().length, 5);
  it.stop.abort();
  await it.running;
});

test('an event the server dropped is made again', async () => {
  const it = setUp();
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  await it.clock.advance(0);
  const [event] = it.events();
  assert.ok(event);
  await it.client.delete(Event, { namespace: 'default', name: event.metadata.name });
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  await it.clock.advance(10_000);
  assert.equal(it.events()[0]?.count, 2);
  it.stop.abort();
  await it.running;
});

test('never throws; what cannot be sent is logged, and the rest goes on', async () => {
  const it = setUp();
  it.client.fail(new ApiError(403, { reason: 'Forbidden', message: 'no', causes: [] }, 'POST'));
  it.made.event(machine, 'Normal', 'A', 'x');
  it.made.event(machine, 'Normal', 'B', 'key is -----BEGIN PRIVATE KEY-----abc');
  it.made.event({ ...machine, name: undefined as unknown as string }, 'Normal', 'C', 'x');
  await it.clock.advance(0);
  assert.deepEqual(
    it.events().map(({ reason, message }) => [reason, message]),
    [['B', 'key is [redacted]']],
  );
  assert.ok(it.log.some((line) => line.includes('could not be sent')));
  assert.ok(it.log.some((line) => line.includes('could not be noted')));
  it.stop.abort();
  await it.running;
});

test('what waits at the end is still sent; a short-lived program flushes by itself', async () => {
  const it = setUp();
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  await it.clock.advance(0);
  it.made.event(machine, 'Normal', 'Repaired', 'x');
  it.stop.abort();
  await it.running;
  assert.equal(it.events()[0]?.count, 2);
  it.made.event(machine, 'Normal', 'Other', 'x');
  await it.made.flush();
  assert.equal(it.events().length, 2);
});
