import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, type JsonSchema, stringifyJson } from '../schema/index.ts';
import {
  apply,
  type ApplyError,
  type ManagedFieldsEntry,
  jsonPatch,
  mergePatch,
  objectType,
  randomOperations,
  strategicMergePatch,
  updateManagedFields,
} from './index.ts';

const text: JsonSchema = { type: 'string' };
const schema: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        note: text,
        count: { type: 'integer' },
        taints: { type: 'array', items: { type: 'object', properties: { key: text } } },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { type: 'object', properties: { id: { type: 'integer' }, v: text } },
        },
      },
    },
    status: { type: 'object', properties: { phase: text } },
  },
};
const type = objectType(schema);
const now = '2026-01-01T00:00:00Z';
const config = (rest: JsonObject): JsonObject => ({
  apiVersion: 'k/v1',
  kind: 'K',
  metadata: { name: 'o' },
  ...rest,
});
const by = (manager: string) => ({ manager, apiVersion: 'k/v1', now });
const owners = (object: JsonObject): ManagedFieldsEntry[] =>
  ((object['metadata'] as JsonObject)['managedFields'] ?? []) as ManagedFieldsEntry[];

test('inputs are not changed, and results share nothing with them', () => {
  const live = apply(type, undefined, config({ spec: { taints: [{ key: 'a' }] } }), by('a')).object;
  const text = stringifyJson(live);
  const change = config({ spec: { note: 'n', items: [{ id: 1 }] } });
  const { object } = apply(type, live, change, by('b'));
  assert.equal(stringifyJson(live), text);
  ((object['spec'] as JsonObject)['items'] as JsonObject[])[0]!['v'] = 'changed';
  assert.deepEqual(change, config({ spec: { note: 'n', items: [{ id: 1 }] } }));
});

test('an atomic list has one owner; force takes it over whole', () => {
  const live = apply(type, undefined, config({ spec: { taints: [{ key: 'a' }] } }), by('a')).object;
  const change = config({ spec: { taints: [{ key: 'b' }] } });
  assert.throws(
    () => apply(type, live, change, by('b')),
    (error: ApplyError) =>
      error.code === 409 &&
      error.message === 'Apply failed with 1 conflict: conflict with "a": .spec.taints' &&
      error.causes[0]?.reason === 'FieldManagerConflict',
  );
  const { object } = apply(type, live, change, { ...by('b'), force: true });
  assert.deepEqual(
    owners(object).map((o) => o.manager),
    ['b'],
  );
});

test('an int64 key beyond 2^53 is one key, to the digit', () => {
  const big = 9007199254740993n;
  const live = apply(type, undefined, config({ spec: { items: [{ id: big, v: '1' }] } }), by('a')).object;
  const { object } = apply(type, live, config({ spec: { items: [{ id: big - 1n, v: '2' }] } }), by('b'));
  assert.equal(((object['spec'] as JsonObject)['items'] as unknown[]).length, 2);
  assert.match(stringifyJson(owners(object)), /9007199254740993/);
  const again = apply(type, object, config({ spec: { items: [{ id: big, v: '1' }] } }), by('a'));
  assert.equal(again.unchanged, true);
});

test("a built-in kind's /status leaves the spec alone but may own metadata", () => {
  const live = apply(type, undefined, config({ spec: { note: 'n' } }), by('a')).object;
  const next = {
    ...live,
    metadata: { ...(live['metadata'] as JsonObject), labels: { l: '1' } },
    status: { phase: 'x' },
  };
  const writer = { ...by('kubelet'), subresource: 'status' };
  const fields = (entries: ManagedFieldsEntry[] | undefined) =>
    Object.keys(entries?.find((e) => e.manager === 'kubelet')?.fieldsV1 ?? {});
  assert.deepEqual(fields(updateManagedFields(type, live, next, writer)), ['f:status']);
  const builtin = { ...writer, ignoredFields: ['spec'] };
  assert.deepEqual(fields(updateManagedFields(type, live, next, builtin)), ['f:metadata', 'f:status']);
});

test('managedFields that cannot be read count as none, and the next apply starts anew', () => {
  const live = apply(type, undefined, config({ spec: { note: 'n' } }), by('a')).object;
  const spoiled = { ...live, metadata: { name: 'o', managedFields: [{ operation: 'Nonsense' }] } };
  const { object } = apply(type, spoiled, config({ spec: { note: 'n' } }), by('b'));
  assert.deepEqual(
    owners(object).map((o) => `${o.manager} ${o.operation}`),
    ['b Apply', 'before-first-apply Update'],
  );
});

test('random operations are the same for the same seed, and of every kind', () => {
  const operations = randomOperations(7, 1000);
  assert.deepEqual(operations, randomOperations(7, 1000));
  assert.notDeepEqual(operations, randomOperations(8, 1000));
  assert.deepEqual([...new Set(operations.map((o) => `${o.verb} ${o.subresource}`.trim()))].sort(), [
    'apply',
    'apply status',
    'merge',
    'merge status',
    'put',
  ]);
});

test('keys of data that are names of JavaScript objects are only keys', () => {
  const free = objectType({
    type: 'object',
    properties: { data: { type: 'object', additionalProperties: text } },
  });
  const data = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}') as JsonObject;
  const live = apply(free, undefined, config({ data: { plain: '1' } }), by('a')).object;
  const { object } = apply(free, live, config({ data }), by('b'));
  assert.equal(
    stringifyJson(object['data']),
    '{"plain":"1","__proto__":"p","constructor":"c","toString":"t"}',
  );
  const gone = apply(free, object, config({}), by('b')).object;
  assert.equal(stringifyJson(gone['data']), '{"plain":"1"}');
  assert.equal(stringifyJson(mergePatch({}, data)), stringifyJson(data));
  assert.equal(stringifyJson(strategicMergePatch({ type: 'object' }, {}, data)), stringifyJson(data));
  assert.equal(
    stringifyJson(jsonPatch({}, [{ op: 'add', path: '/__proto__', value: 1 }])),
    '{"__proto__":1}',
  );
});

test("an empty list that is applied is nobody's, and leaves nothing in managedFields", () => {
  const { object } = apply(type, undefined, config({ spec: { note: 'n', items: [] } }), by('a'));
  assert.deepEqual(owners(object)[0]?.fieldsV1, { 'f:spec': { 'f:note': {} } });
});

test('managedFields: [] resets for built-in kinds and is as good as absent for custom resources', () => {
  const live = apply(type, undefined, config({ spec: { note: 'n' } }), by('a')).object;
  const next = { ...live, metadata: { name: 'o', managedFields: [] } };
  assert.equal(updateManagedFields(type, live, next, by('b'))?.[0]?.manager, 'a');
  assert.equal(updateManagedFields(type, live, next, { ...by('b'), emptyListClears: true }), undefined);
});
