import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findVersion } from './version-check.ts';

const says = (output: string) => ({
  run: () => Promise.resolve({ exitCode: 0, timedOut: false, output }),
});
const find = (pattern: string, output: string) =>
  findVersion({ command: ['tool', '--version'], pattern }, says(output));

test('the first group is the version, or else all that fits', async () => {
  assert.deepEqual(await find('^tool v([0-9.]+)$', 'hello\ntool v1.7.2\n'), { version: '1.7.2' });
  assert.deepEqual(await find('[0-9.]+', 'tool 4.3 (x)'), { version: '4.3' });
});

test('what does not fit, or is no pattern, is told with the pattern', async () => {
  assert.match(
    JSON.stringify(await find('v([0-9]+)', 'none')),
    /says nothing that fits v\(\[0-9\]\+\): none/,
  );
  assert.match(JSON.stringify(await find('(', 'x')), /pattern \( is no regular expression/);
});

test('a pattern that would take for ever is broken off', async () => {
  const found = await find('(a+)+b', 'a'.repeat(4_096));
  assert.match(JSON.stringify(found), /pattern \(a\+\)\+b needs more than 100 ms/);
});
