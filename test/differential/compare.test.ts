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

test('the order of causes is chance, but a message must list what it lists', () => {
  const status = (fields: string[], message: string) => ({
    kind: 'Status',
    message,
    details: { causes: fields.map((field) => ({ field, message: 'Required value' })) },
  });
  const a = status(['a', 'b'], 'x is invalid: [a: Required value, b: Required value]');
  const b = status(['b', 'a'], 'x is invalid: [b: Required value, a: Required value]');
  const wrong = status(['b', 'a'], 'x is invalid: [b: Required value]');
  assert.deepEqual(differences(normalize(a), normalize(b), []), []);
  assert.deepEqual(
    differences(normalize(a), normalize(wrong), []).map((d) => d.path),
    ['message'],
  );
});

test('what controllers add to a Node does not count, other taints do', () => {
  const node = (taints: string[], annotations: Record<string, string>) => ({
    kind: 'Node',
    metadata: { name: 'n', annotations },
    spec: { taints: taints.map((key) => ({ key, effect: 'NoSchedule' })) },
  });
  const plain = node(['mine'], {});
  const kept = node(['node.kubernetes.io/not-ready', 'mine'], { 'node.alpha.kubernetes.io/ttl': '0' });
  assert.deepEqual(differences(normalize(plain), normalize(kept), []), []);
  assert.equal(differences(normalize(plain), normalize(node(['other'], {})), []).length, 1);
});
