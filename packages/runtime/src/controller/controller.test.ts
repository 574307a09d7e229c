import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Informer } from '../cache/informer.ts';
import { informer } from '../cache/informer.ts';
import type { Client, WatchEvent } from '../client/client.ts';
import { ApiError } from '../client/errors.ts';
import { ConfigMap, Node } from '../client/kinds.ts';
import type { Kind, KubeObject } from '../client/object.ts';
import { fakeClock } from '../clock/fake-clock.ts';
import { jsonLogger, silentLogger } from '../log/log.ts';
import { metricsRegistry } from '../metrics/registry.ts';
import { feed } from '../testing/feed.ts';
import { controller, type ControllerOptions, type Reconcile } from './controller.ts';

/** An informer of whole objects fed by hand. */
function fed<T extends KubeObject>(
  kind: Kind<T>,
  signal: AbortSignal,
): { informer: Informer<T>; say: (...events: WatchEvent<T>[]) => Promise<void> } {
  const events = feed<WatchEvent<T>>();
  const client = { watch: () => events.read(signal) } as unknown as Client;
  const made = informer({ client, kind, project: (object: T) => object });
  void made.run(signal);
  return { informer: made, say: events.push };
}

const node = (name: string, resourceVersion = '1'): Node => ({ metadata: { name, resourceVersion } });
const synced = { type: 'SYNCED', resourceVersion: '5' } as const;

async function setUp(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = fakeClock();
  const stop = new AbortController();
  const nodes = fed(Node, stop.signal);
  const maps = fed(ConfigMap, stop.signal);
  const made = controller({ name: 'test', reconcile, log: silentLogger, clock, random: () => 1, ...options });
  return {
    clock,
    nodes,
    maps,
    made,
    stop,
    start: () => made.run(stop.signal),
    settle: () => clock.advance(0),
  };
}

test('nothing is reconciled before all informers have synced; then everything is', async () => {
  const seen: string[] = [];
  const it = await setUp(async (key) => void seen.push(key));
  it.made.for(it.nodes.informer).watches(it.maps.informer, () => []);
  const running = it.start();
  await it.nodes.say(
    { type: 'RELIST' },
    { type: 'LISTED', object: node('a') },
    { type: 'LISTED', object: node('b') },
    synced,
  );
  await it.settle();
  assert.deepEqual(seen, []);
  await it.maps.say({ type: 'RELIST' }, synced);
  await it.settle();
  assert.deepEqual(seen, ['a', 'b']);
  it.stop.abort();
  await running;
});

test('changes of owned and of watched objects reconcile what they belong to, in the old state and the new', async () => {
  const seen: string[] = [];
  const it = await setUp(async (key) => void seen.push(key));
  it.made
    .owns(it.maps.informer, Node)
    .watches(it.maps.informer, (map) => (map.data?.['node'] === undefined ? [] : [map.data['node']]));
  const map = (resourceVersion: string, owner: string, named: string): ConfigMap => ({
    metadata: {
      name: 'm',
      namespace: 'd',
      resourceVersion,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: owner, uid: 'u', controller: true }],
    },
    data: { node: named },
  });
  const running = it.start();
  await it.maps.say({ type: 'RELIST' }, { type: 'LISTED', object: map('1', 'o1', 'w1') }, synced);
  await it.settle();
  assert.deepEqual(seen.splice(0).sort(), ['o1', 'w1']);
  await it.maps.say({ type: 'MODIFIED', object: map('6', 'o2', 'w2') });
  await it.settle();
  assert.deepEqual(seen.splice(0).sort(), ['o1', 'o2', 'w1', 'w2']);
  it.stop.abort();
  await running;
});

test('a predicate holds back what does not matter', async () => {
  const seen: string[] = [];
  const it = await setUp(async (key) => void seen.push(key));
  it.made.for(it.nodes.informer, (change) => change.key !== 'b');
  const running = it.start();
  await it.nodes.say(
    { type: 'RELIST' },
    { type: 'LISTED', object: node('a') },
    { type: 'LISTED', object: node('b') },
    synced,
  );
  await it.settle();
  assert.deepEqual(seen, ['a']);
  it.stop.abort();
  await running;
});

test('news goes before what was there at the start', async () => {
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const it = await setUp(
    async (key) => {
      seen.push(key);
      if (seen.length === 1) await first.promise;
    },
    { workers: 1 },
  );
  it.made.for(it.nodes.informer);
  await it.nodes.say(
    { type: 'RELIST' },
    ...['a', 'b', 'c'].map((name) => ({ type: 'LISTED', object: node(name) }) as const),
    synced,
  );
  const running = it.start();
  await it.settle();
  await it.nodes.say(
    { type: 'ADDED', object: node('new', '6') },
    { type: 'MODIFIED', object: node('c', '7') },
  );
  first.resolve();
  await it.settle();
  assert.deepEqual(seen, ['a', 'new', 'c', 'b']);
  it.stop.abort();
  await running;
});

test('a failure comes again after a growing wait, is logged and counted; success forgets', async () => {
  const log: string[] = [];
  const metrics = metricsRegistry();
  let left = 3;
  const failures: number[] = [];
  const it = await setUp(
    async (_, context) => {
      failures.push(context.failures);
      if (left-- > 0) throw new Error('not yet');
    },
    {
      backoff: { baseMs: 100, maxMs: 10_000 },
      log: jsonLogger({ write: (line) => void log.push(line) }),
      metrics,
    },
  );
  const running = it.start();
  it.made.enqueue('a');
  await it.clock.advance(0);
  assert.deepEqual(failures, [0]);
  await it.clock.advance(100);
  await it.clock.advance(200);
  assert.deepEqual(failures, [0, 1, 2]);
  await it.clock.advance(399);
  assert.equal(failures.length, 3);
  await it.clock.advance(1);
  it.made.enqueue('a');
  await it.settle();
  assert.deepEqual(failures, [0, 1, 2, 3, 0]);
  assert.equal(log.filter((line) => line.includes('"key":"a","error":"not yet"')).length, 3);
  assert.match(metrics.text(), /kube_controller_reconciles_total\{controller="test",outcome="error"\} 3/);
  assert.match(metrics.text(), /kube_controller_reconciles_total\{controller="test",outcome="done"\} 2/);
  it.stop.abort();
  await running;
});

test('a conflict is no error in the log', async () => {
  const log: string[] = [];
  const it = await setUp(
    async (_, { failures }) => {
      if (failures === 0) throw new ApiError(409, { reason: 'Conflict', message: 'x', causes: [] }, 'PUT');
    },
    { log: jsonLogger({ write: (line) => void log.push(line) }) },
  );
  const running = it.start();
  it.made.enqueue('a');
  await it.clock.advance(1000);
  assert.deepEqual(log, []);
  it.stop.abort();
  await running;
});

test('a result asks to come again later', async () => {
  const seen: number[] = [];
  const it = await setUp(async () => {
    seen.push(it.clock.monotonic());
    return { afterMs: 500 };
  });
  const running = it.start();
  it.made.enqueue('a');
  await it.clock.advance(1200);
  assert.deepEqual(seen, [0, 500, 1000]);
  it.stop.abort();
  await running;
});

test('one key is never with two workers, several keys are', async () => {
  const busy = new Map<string, () => void>();
  let most = 0;
  const it = await setUp((key) => {
    assert.ok(!busy.has(key));
    return new Promise<void>((resolve) => {
      busy.set(key, () => {
        busy.delete(key);
        resolve();
      });
      most = Math.max(most, busy.size);
    });
  });
  const running = it.start();
  for (let round = 0; round < 5; round++) {
    for (const key of ['a', 'b', 'c']) it.made.enqueue(key);
    await it.settle();
    busy.get('a')?.();
    await it.settle();
  }
  assert.equal(most, 3);
  it.stop.abort();
  for (const [, end] of busy) end();
  await running;
});

test('a reconcile that takes too long is told to stop, and tried again', async () => {
  let tries = 0;
  const it = await setUp(
    (_, { signal }) => {
      tries++;
      return new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      );
    },
    { timeoutMs: 1000, backoff: { baseMs: 10, maxMs: 10 } },
  );
  const running = it.start();
  it.made.enqueue('a');
  await it.clock.advance(999);
  assert.equal(tries, 1);
  await it.clock.advance(11);
  assert.equal(tries, 2);
  it.stop.abort();
  await running;
});

test('a stop waits for what runs, starts nothing new, and leaves no timer', async () => {
  const end = Promise.withResolvers<void>();
  const seen: string[] = [];
  let stopped = false;
  const it = await setUp(
    async (key) => {
      seen.push(key);
      await end.promise;
    },
    { workers: 1 },
  );
  const running = it.start().then(() => (stopped = true));
  it.made.enqueue('a');
  it.made.enqueue('b');
  it.made.enqueue('c', { afterMs: 1000 });
  await it.settle();
  it.stop.abort();
  await it.settle();
  assert.equal(stopped, false);
  end.resolve();
  await running;
  assert.deepEqual(seen, ['a']);
  assert.equal(it.clock.waiting, 0);
});
