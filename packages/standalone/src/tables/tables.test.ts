import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration } from './duration.ts';
import { compileJsonPath } from './jsonpath.ts';

const MACHINE = {
  metadata: { labels: { 'example.io/pool': 'web' } },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 3 },
      { type: 'Paused', status: 'False', n: 5 },
    ],
    addresses: ['a', 'b', 'c'],
  },
};

for (const [path, found] of [
  ['.status.addresses[0]', ['a']],
  ['.status.addresses[-1]', ['c']],
  ['.status.addresses[0:2]', ['a', 'b']],
  ['.status.addresses[*]', ['a', 'b', 'c']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  ["{.status.conditions[?(@.type=='Paused')].status}", ['False']],
  ['.status.conditions[?(@.n>3)].type', ['Paused']],
  ['.status.conditions[?(@.n)].type', ['Ready', 'Paused']],
  ['.metadata.labels.example\\.io/pool', ['web']],
  [".metadata.labels['example.io/pool']", ['web']],
  ['..status', [MACHINE.status, 'True', 'False']],
  ['.spec.nothing', []],
  ['.status.addresses.nothing', []],
] as const) {
  test(`JSONPath ${path}`, () => {
    assert.deepEqual(compileJsonPath(path)(MACHINE), found);
  });
}

test('what is no JSONPath is refused with where', () => {
  assert.throws(() => compileJsonPath('.a[0'), /open bracket/);
  assert.throws(() => compileJsonPath('.a[?(@.b ~ 1)]'), /read JSONPath/);
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

for (const [ms, text] of [
  [0, '0s'],
  [-2 * SECOND, '<invalid>'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [9 * MINUTE + 30 * SECOND, '9m30s'],
  [179 * MINUTE, '179m'],
  [3 * HOUR + 5 * MINUTE, '3h5m'],
  [47 * HOUR, '47h'],
  [50 * HOUR, '2d2h'],
  [9 * DAY, '9d'],
  [800 * DAY, '2y70d'],
  [3000 * DAY, '8y'],
] as const) {
  test(`an age of ${ms} ms is ${text}`, () => {
    assert.equal(humanDuration(ms), text);
  });
}
