import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, normalize } from './compare.ts';

test('identifiers, versions and times do not count', () => {
  const a = { metadata: { uid: 'a', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' } };
  const b = { metadata: { uid: 'b', resourceVersion: '9', creationTimestamp: '2027-01-01T00:00:00Z' } };
  assert.deepEqual(differences(normalize(a), normalize(b), []), []);
});

test('a missing version is a difference', () => {
  const found = differences(normalize({ resourceVersion: '' }), normalize({ resourceVersion: '4' }), []);
  assert.deepEqual(found, [{ path: 'resourceVersion', embedded: '', real: '<resourceVersion>' }]);
});

test('the order of lists counts, the order of keys does not', () => {
  assert.equal(differences({ a: 1, b: 2 }, { b: 2, a: 1 }, []).length, 0);
  assert.deepEqual(
    differences([1, 2], [2, 1], []).map((d) => d.path),
    ['0', '1'],
  );
});

test('a named path may differ, its neighbours may not', () => {
  const found = differences({ items: [{ a: 1, b: 1 }] }, { items: [{ a: 2, b: 2 }] }, ['items.*.a']);
  assert.deepEqual(
    found.map((d) => d.path),
    ['items.0.b'],
  );
});
