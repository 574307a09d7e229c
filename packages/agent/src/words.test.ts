import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf, logEnds } from './words.ts';

test('of a long output the end is told, in one line', () => {
  assert.equal(endOf('one\n\n  two\nthree\n'), 'one; two; three');
  assert.equal(endOf('one\ntwo\nthree', 10), 'two; three');
  assert.equal(endOf('a line that is longer than there is room for', 10), 'a line th…');
  assert.equal(endOf(''), '');
});

test("of a unit's log the program's own words are told, and systemd's where there are no others", () => {
  const systemd =
    'Started a.service - A.\na.service: Main process exited, code=exited, status=1/FAILURE\nStopped a.service - A.';
  assert.equal(
    logEnds('a.service', `error: unknown flag --turbo\n${systemd}`),
    '; its log ends: error: unknown flag --turbo',
  );
  assert.match(logEnds('a.service', systemd), /its log ends: .*status=1\/FAILURE; Stopped a\.service/);
  assert.equal(logEnds('a.service', undefined), '');
});
