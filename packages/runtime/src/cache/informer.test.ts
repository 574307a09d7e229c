import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client, WatchEvent } from '../client/client.ts';
import { Node } from '../client/kinds.ts';
import { jsonLogger } from '../log/log.ts';
import { metricsRegistry } from '../metrics/registry.ts';
import { feed } from '../testing/feed.ts';
import { type Change, informer } from './informer.ts';

const node = (name: string, resourceVersion: string, pool = 'web'): Node => ({
  metadata: { name, resourceVersion, labels: { pool } },
});
const project = (object: Node): { pool: string } => {
  const pool = object.metadata.labels?.['pool'] ?? '';
  if (pool === 'broken') throw new Error('no such pool');
  return { pool };
};

function setUp(options: { equal?: boolean; log?: string[] } = {}) {
  const events = feed<WatchEvent<Node>>();
  const metrics = metricsRegistry();
  const client = {
    watch: (_: unknown, { signal }: { signal: AbortSignal }) => events.read(signal),
  } as unknown as Client;
  const nodes = informer({
    client,
    kind: Node,
    project,
    indexes: { pool: ({ pool }) => [pool] },
    metrics,
    ...(options.equal === true
      ? { equal: (a: { pool: string }, b: { pool: string }) => a.pool === b.pool }
      : {}),
    ...(options.log === undefined
      ? {}
      : { log: jsonLogger({ write: (line) => void options.log?.push(line) }) }),
  });
  const stop = new AbortController();
  const running = nodes.run(stop.signal);
  return {
    nodes,
    metrics,
    /** Says these events, and waits until they have been taken in. */
    say: (...more: WatchEvent<Node>[]) => events.push(...more),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const relist = { type: 'RELIST' } as const;
const listed = (...objects: Node[]) => objects.map((object) => ({ type: 'LISTED', object }) as const);
const synced = (resourceVersion: string) => ({ type: 'SYNCED', resourceVersion }) as const;

function told<P>(change: Change<P>): unknown[] {
  return [change.key, change.old, change.new, change.initial];
}

test('the cache follows list and watch, and keeps only the projection', async () => {
  await using it = setUp();
  assert.equal(it.nodes.hasSynced, false);
  assert.match(it.nodes.notReady?.() ?? '', /nodes not listed yet/);
  const ready = it.nodes.synced();
  await it.say(relist, ...listed(node('a', '1'), node('b', '2', 'db')), synced('5'));
  await ready;
  assert.equal(it.nodes.notReady?.(), undefined);
  assert.deepEqual(
    [...it.nodes.entries()],
    [
      ['a', { pool: 'web' }],
      ['b', { pool: 'db' }],
    ],
  );
  await it.say(
    { type: 'MODIFIED', object: node('a', '6', 'db') },
    { type: 'ADDED', object: node('c', '7') },
    { type: 'DELETED', object: node('b', '8') },
  );
  assert.deepEqual(
    [it.nodes.get('a'), it.nodes.get({ name: 'b' }), it.nodes.get('c')],
    [{ pool: 'db' }, undefined, { pool: 'web' }],
  );
  assert.match(it.metrics.text(), /kube_informer_objects\{kind="nodes"\} 2/);
});

test('indexes follow changes', async () => {
  await using it = setUp();
  await it.say(relist, ...listed(node('a', '1'), node('b', '2', 'db'), node('c', '3')), synced('5'));
  assert.deepEqual(it.nodes.keysBy('pool', 'web'), ['a', 'c']);
  await it.say(
    { type: 'MODIFIED', object: node('a', '6', 'db') },
    { type: 'DELETED', object: node('c', '7') },
  );
  assert.deepEqual(it.nodes.keysBy('pool', 'web'), []);
  assert.deepEqual(it.nodes.by('pool', 'db'), [{ pool: 'db' }, { pool: 'db' }]);
  assert.throws(() => it.nodes.by('zone', 'x'), /no index "zone"/);
});

test('handlers get old and new; a late one first gets all there is', async () => {
  await using it = setUp();
  const early: unknown[] = [];
  it.nodes.on((change) => early.push(told(change)));
  await it.say(relist, ...listed(node('a', '1')), synced('5'), {
    type: 'MODIFIED',
    object: node('a', '6', 'db'),
  });
  const late: unknown[] = [];
  using _ = it.nodes.on((change) => late.push(told(change)));
  await it.say({ type: 'DELETED', object: node('a', '7') });
  const gone = ['a', { pool: 'db' }, undefined, false];
  assert.deepEqual(early, [
    ['a', undefined, { pool: 'web' }, true],
    ['a', { pool: 'web' }, { pool: 'db' }, false],
    gone,
  ]);
  assert.deepEqual(late, [['a', undefined, { pool: 'db' }, true], gone]);
});

test('a new list tells only what changed in the gap, and what is gone', async () => {
  await using it = setUp();
  await it.say(relist, ...listed(node('a', '1'), node('b', '2'), node('c', '3')), synced('5'));
  const changes: unknown[] = [];
  it.nodes.on((change) => changes.push(told(change)));
  changes.length = 0;
  // The first attempt at the list breaks off after a: nothing may be taken for gone.
  await it.say(relist, ...listed(node('a', '1')), relist);
  assert.equal(it.nodes.size, 3);
  await it.say(...listed(node('a', '1'), node('b', '9', 'db')), synced('10'));
  assert.deepEqual(changes, [
    ['b', { pool: 'web' }, { pool: 'db' }, false],
    ['c', { pool: 'web' }, undefined, false],
  ]);
});

test('read your writes: a key is waited for until the cache got there', async () => {
  await using it = setUp();
  await it.say(relist, ...listed(node('a', '4')), synced('5'));
  await it.nodes.atLeast('a', '4');
  await it.nodes.atLeast('gone', '5');
  const order: string[] = [];
  const written = it.nodes.atLeast('a', '9').then(() => order.push('written'));
  const deleted = it.nodes.atLeast('b', '12').then(() => order.push('deleted'));
  await it.say({ type: 'MODIFIED', object: node('a', '8') });
  assert.deepEqual(order, []);
  await it.say({ type: 'MODIFIED', object: node('a', '9', 'db') });
  await written;
  assert.deepEqual(it.nodes.get('a'), { pool: 'db' });
  await it.say({ type: 'BOOKMARK', resourceVersion: '12' });
  await deleted;
  await assert.rejects(it.nodes.atLeast('a', '100', AbortSignal.timeout(5)), { name: 'TimeoutError' });
});

test('read your writes: a new list counts as having got there', async () => {
  await using it = setUp();
  await it.say(relist, synced('5'));
  const seen = it.nodes.atLeast('a', '9');
  await it.say(relist, ...listed(node('b', '3')), synced('20'));
  await seen;
});

test('a projection or a handler that throws harms nothing else', async () => {
  const log: string[] = [];
  await using it = setUp({ log });
  const seen: string[] = [];
  it.nodes.on(() => {
    throw new Error('handler broke');
  });
  it.nodes.on(({ key }) => seen.push(key));
  await it.say(relist, ...listed(node('a', '1'), node('b', '2', 'broken')), synced('5'), {
    type: 'MODIFIED',
    object: node('a', '6', 'broken'),
  });
  assert.deepEqual([...it.nodes.entries()], [['a', { pool: 'web' }]]);
  assert.deepEqual(seen, ['a']);
  assert.ok(log.some((line) => line.includes('handler broke')));
  assert.ok(log.some((line) => line.includes('no such pool')));
});

test('an update that changes nothing in the projection is not told where equality is given', async () => {
  await using it = setUp({ equal: true });
  const seen: unknown[] = [];
  it.nodes.on((change) => seen.push(told(change)));
  await it.say(relist, ...listed(node('a', '1')), synced('5'), { type: 'MODIFIED', object: node('a', '6') });
  assert.equal(seen.length, 1);
  await it.nodes.atLeast('a', '6');
});

test('waiting for the first list ends with the signal', async () => {
  await using it = setUp();
  await assert.rejects(it.nodes.synced(AbortSignal.abort(new Error('enough'))), /enough/);
});
