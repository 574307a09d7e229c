import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonSchema } from '../schema/index.ts';
import { ApplyError, jsonPatch, mergePatch, strategicMergePatch } from './index.ts';

const text: JsonSchema = { type: 'string' };
const conditions: JsonSchema = {
  type: 'array',
  items: { type: 'object', properties: { type: text, status: text } },
  'x-kubernetes-patch-merge-key': 'type',
  'x-kubernetes-patch-strategy': 'merge',
};
const node: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        taints: { type: 'array', items: { type: 'object', properties: { key: text } } },
        podCIDRs: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' },
      },
    },
    status: { type: 'object', properties: { conditions } },
  },
};
const live = (): JsonObject => ({
  metadata: { name: 'n', labels: { a: '1', b: '2' }, finalizers: ['x/y'] },
  spec: { taints: [{ key: 'a' }, { key: 'b' }], podCIDRs: ['1', '2'] },
  status: {
    conditions: [
      { type: 'A', status: 'True', note: 'kept' },
      { type: 'B', status: 'True' },
      { type: 'C', status: 'True' },
    ],
  },
});
const strategic = (patch: unknown): Record<string, JsonObject> =>
  strategicMergePatch(node, live(), patch) as Record<string, JsonObject>;

const types = (out: Record<string, JsonObject>): string[] =>
  ((out['status']?.['conditions'] ?? []) as { type: string }[]).map((c) => c.type);

test('strategic: a kubelet changes one condition and tells the order of all', () => {
  const out = strategic({
    status: {
      '$setElementOrder/conditions': [{ type: 'C' }, { type: 'A' }, { type: 'B' }],
      conditions: [{ type: 'A', status: 'False' }],
    },
  });
  assert.deepEqual(out['status']?.['conditions'], [
    { type: 'C', status: 'True' },
    { type: 'A', status: 'False', note: 'kept' },
    { type: 'B', status: 'True' },
  ]);
});

test('strategic: entries that the patch does not name stay where they were', () => {
  const out = strategic({
    status: { '$setElementOrder/conditions': [{ type: 'C' }, { type: 'N' }], conditions: [{ type: 'N' }] },
  });
  assert.deepEqual(types(out), ['A', 'B', 'C', 'N']);
});

test('strategic: $patch delete and replace of entries, of a list without strategy, of a map', () => {
  const deleted = strategic({ status: { conditions: [{ type: 'B', $patch: 'delete' }] } });
  assert.deepEqual(types(deleted), ['A', 'C']);
  const replaced = strategic({ status: { conditions: [{ type: 'Z' }, { $patch: 'replace' }] } });
  assert.deepEqual(replaced['status']?.['conditions'], [{ type: 'Z' }]);
  assert.deepEqual(strategic({ spec: { taints: [{ key: 'z' }] } })['spec']?.['taints'], [{ key: 'z' }]);
  assert.deepEqual(
    strategic({ metadata: { labels: { $patch: 'replace', z: '9' } } })['metadata']?.['labels'],
    { z: '9' },
  );
});

test('strategic: primitive lists are sets, and entries are taken out by name', () => {
  assert.deepEqual(strategic({ spec: { podCIDRs: ['2', '3'] } })['spec']?.['podCIDRs'], ['1', '2', '3']);
  assert.deepEqual(
    strategic({ spec: { '$deleteFromPrimitiveList/podCIDRs': ['1'] } })['spec']?.['podCIDRs'],
    ['2'],
  );
  assert.deepEqual(
    strategic({ metadata: { finalizers: ['z/z'] } })['metadata']?.['finalizers'],
    ['z/z', 'x/y'].sort().reverse(),
  );
});

test('strategic: null deletes, an empty patch changes nothing, $retainKeys keeps a union to one member', () => {
  assert.deepEqual(strategic({ metadata: { labels: { a: null } } })['metadata']?.['labels'], { b: '2' });
  assert.deepEqual(strategicMergePatch(node, live(), {}), live());
  const union = strategicMergePatch(
    { type: 'object' },
    { s: { type: 'Rolling', rolling: {} } },
    {
      s: { $retainKeys: ['type'], type: 'Recreate' },
    },
  );
  assert.deepEqual(union, { s: { type: 'Recreate' } });
});

test('strategic: an entry without its key, or an order that contradicts the list, is refused', () => {
  assert.throws(() => strategic({ status: { conditions: [{ status: 'x' }] } }), {
    code: 500,
    message: 'map: map[status:x] does not contain declared merge key: type',
  });
  const contradiction = {
    '$setElementOrder/conditions': [{ type: 'B' }, { type: 'A' }],
    conditions: [{ type: 'A' }, { type: 'B' }],
  };
  assert.throws(() => strategic({ status: contradiction }), {
    code: 500,
    message:
      "The order in patch list:\n[map[type:A] map[type:B]]\n doesn't match $setElementOrder list:\n[map[type:B] map[type:A]]\n",
  });
  assert.throws(() => strategic({ metadata: { $patch: 'x' } }), {
    message: 'unknown patch type: x in map: map[$patch:x]',
  });
});

test('merge patch: the examples of RFC 7386 on objects', () => {
  for (const [target, patch, result] of [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ] as [JsonObject, unknown, unknown][])
    assert.deepEqual(mergePatch(target, patch), result);
  assert.throws(() => mergePatch({}, [1]), ApplyError);
});

test('JSON patch: every operation, also on lists and escaped names', () => {
  const target = { a: { 'x/y': 1, 'm~n': 2 }, l: [1, 2, 3] };
  const out = jsonPatch(target, [
    { op: 'test', path: '/a/x~1y', value: 1 },
    { op: 'replace', path: '/a/m~0n', value: { deep: true } },
    { op: 'add', path: '/l/1', value: 9 },
    { op: 'add', path: '/l/-', value: 4 },
    { op: 'remove', path: '/l/0' },
    { op: 'move', from: '/a/x~1y', path: '/moved' },
    { op: 'copy', from: '/l', path: '/copy' },
  ]);
  assert.deepEqual(out, { a: { 'm~n': { deep: true } }, l: [9, 2, 3, 4], moved: 1, copy: [9, 2, 3, 4] });
  assert.deepEqual(target, { a: { 'x/y': 1, 'm~n': 2 }, l: [1, 2, 3] });
});

for (const operation of [
  { op: 'test', path: '/a', value: 2 },
  { op: 'test', path: '/x/y', value: 1 },
  { op: 'remove', path: '/b' },
  { op: 'add', path: '/x/y', value: 1 },
  { op: 'replace', path: '/x/y', value: 1 },
  { op: 'move', from: '/b', path: '/c' },
  { op: 'add', path: '/l/7', value: 1 },
  { op: 'add', path: '/l/x', value: 1 },
  { op: 'nothing', path: '/a' },
  { op: 'add', value: 1 },
])
  test(`JSON patch: ${JSON.stringify(operation)} is refused`, () => {
    assert.throws(() => jsonPatch({ a: 1, l: [] }, [operation]), {
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    });
  });

test('JSON patch: replace sets what was not there, and a missing value is null, as on the real server', () => {
  assert.deepEqual(jsonPatch({}, [{ op: 'replace', path: '/a', value: 1 }]), { a: 1 });
  assert.deepEqual(
    jsonPatch({}, [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/c' },
    ]),
    { b: null, c: null },
  );
});

test('JSON patch: what is no list of operations is a bad request', () => {
  assert.throws(
    () => jsonPatch({}, {}),
    (error: ApplyError) => error.code === 400,
  );
});
