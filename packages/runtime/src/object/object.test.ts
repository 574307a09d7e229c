import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict } from '../client/errors.ts';
import { ConfigMap, Node } from '../client/kinds.ts';
import { keyOf, keyString, parseKey } from '../client/object.ts';
import { memoryClient } from '../testing/memory-client.ts';
import { findCondition, isTrue, microTimestamp, setCondition, timestamp } from './conditions.ts';
import { formatDuration, intOrPercent, parseDuration } from './duration.ts';
import { ensureFinalizer, removeFinalizer } from './finalizers.ts';
import { controllerKey, controllerOf, controllerReference } from './owners.ts';

const noon = Date.UTC(2026, 0, 1, 12);

test('a condition keeps its time until its status changes', () => {
  const first = setCondition(undefined, { type: 'Ready', status: 'False', reason: 'A', message: 'a' }, noon);
  const second = setCondition(
    first,
    { type: 'Ready', status: 'False', reason: 'B', message: 'b', observedGeneration: 2 },
    noon + 60_000,
  );
  assert.deepEqual(second, [
    {
      type: 'Ready',
      status: 'False',
      reason: 'B',
      message: 'b',
      observedGeneration: 2,
      lastTransitionTime: '2026-01-01T12:00:00Z',
    },
  ]);
  const third = setCondition(
    second,
    { type: 'Ready', status: 'True', reason: 'B', message: 'b' },
    noon + 60_000,
  );
  assert.equal(findCondition(third, 'Ready')?.lastTransitionTime, '2026-01-01T12:01:00Z');
  assert.equal(isTrue(third, 'Ready'), true);
  assert.equal(isTrue(third, 'Other'), false);
});

test('a condition that is already so leaves the very same list', () => {
  const input = { type: 'Ready', status: 'True', reason: 'A', message: 'a' } as const;
  const list = setCondition([], input, noon);
  assert.equal(setCondition(list, { ...input }, noon + 1000), list);
  const two = setCondition(list, { ...input, type: 'Other' }, noon);
  assert.deepEqual(
    two.map(({ type }) => type),
    ['Ready', 'Other'],
  );
});

test('times are written as the API server wants them', () => {
  assert.equal(timestamp(noon + 5), '2026-01-01T12:00:00Z');
  assert.equal(microTimestamp(noon + 5), '2026-01-01T12:00:00.005000Z');
});

test('durations', () => {
  const good: Readonly<Record<string, number>> = {
    '0': 0,
    '10m': 600_000,
    '1h30m': 5_400_000,
    '1.5s': 1500,
    '250ms': 250,
    '2d': 172_800_000,
    '60s': 60_000,
  };
  for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms, text);
  for (const text of ['', '10', 'm', '-5m', '10 m', '10x', '1h-5m'])
    assert.throws(() => parseDuration(text), /is no duration/, text);
  for (const text of ['1h30m', '10s', '250ms', '1h5s', '26h'])
    assert.equal(formatDuration(parseDuration(text)), text);
});

test('numbers or percent', () => {
  assert.equal(intOrPercent(3, 100), 3);
  assert.equal(intOrPercent('3', 100), 3);
  assert.equal(intOrPercent('10%', 25), 3);
  assert.equal(intOrPercent('10%', 25, 'down'), 2);
  assert.equal(intOrPercent('7%', 100), 7);
  assert.equal(intOrPercent('0%', 100), 0);
  for (const bad of ['', '-1', 'a%', '1.5', '%', -1, 1.5])
    assert.throws(() => intOrPercent(bad, 10), RangeError, String(bad));
});

test('keys', () => {
  assert.deepEqual(parseKey('a/b'), { namespace: 'a', name: 'b' });
  assert.equal(keyString({ name: 'b' }), 'b');
  assert.equal(keyOf({ metadata: { name: 'b', namespace: 'a' } }), 'a/b');
});

test('owners', () => {
  const owner: Node = { metadata: { name: 'n', uid: 'u' } };
  const reference = controllerReference(Node, owner);
  assert.deepEqual(reference, {
    apiVersion: 'v1',
    kind: 'Node',
    name: 'n',
    uid: 'u',
    controller: true,
    blockOwnerDeletion: true,
  });
  const owned = {
    namespace: 'd',
    ownerReferences: [{ ...reference, name: 'x', controller: false }, reference],
  };
  assert.equal(controllerOf(owned, Node)?.name, 'n');
  assert.equal(controllerKey(owned, Node), 'n');
  assert.equal(controllerKey(owned, { ...Node, namespaced: true }), 'd/n');
  assert.equal(controllerKey(owned, { ...Node, group: 'other' }), undefined);
  assert.throws(() => controllerReference(Node, { metadata: { name: 'n' } }), /must have a uid/);
});

test('a finalizer is added once, beside others, and taken away alone', async () => {
  const client = memoryClient();
  const made = await client.create(ConfigMap, {
    metadata: { name: 'c', namespace: 'd', finalizers: ['other'] },
  });
  const held = await ensureFinalizer(client, ConfigMap, made, 'kubenode.io/x');
  assert.deepEqual(held?.metadata.finalizers, ['other', 'kubenode.io/x']);
  const writes = client.writes.length;
  assert.equal(await ensureFinalizer(client, ConfigMap, held, 'kubenode.io/x'), held);
  assert.equal(client.writes.length, writes);
  await assert.rejects(
    removeFinalizer(
      client,
      ConfigMap,
      { ...made, metadata: { ...made.metadata, finalizers: ['kubenode.io/x'] } },
      'kubenode.io/x',
    ),
    isConflict,
  );
  await removeFinalizer(client, ConfigMap, held, 'kubenode.io/x');
  assert.deepEqual(client.objects(ConfigMap)[0]?.metadata.finalizers, ['other']);
});

test('a finalizer is neither put on what is being deleted nor missed on what is gone', async () => {
  const client = memoryClient();
  const deleting: ConfigMap = {
    metadata: { name: 'c', namespace: 'd', deletionTimestamp: '2026-01-01T00:00:00Z' },
  };
  assert.equal(await ensureFinalizer(client, ConfigMap, deleting, 'x'), undefined);
  const gone: ConfigMap = { metadata: { name: 'c', namespace: 'd', finalizers: ['x'] } };
  await removeFinalizer(client, ConfigMap, gone, 'x');
  assert.deepEqual(client.objects(ConfigMap), []);
});
