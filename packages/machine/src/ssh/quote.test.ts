import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { quoteArgv } from './quote.ts';

/** What the shell makes of it, argument by argument. */
function throughShell(args: readonly string[]): string[] {
  const line = quoteArgv(['printf', '%s\\0', ...args]);
  return execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('every argument reaches the program as it was, whatever the shell would make of it', () => {
  const nasty = [
    'plain',
    '',
    ' ',
    "it's",
    '"',
    '$HOME',
    '`id`',
    '$(id)',
    '; rm -rf /',
    '&& true',
    '| cat',
    '> /tmp/x',
    '*',
    '~',
    '~root',
    '#no comment',
    'a\nb',
    'a\tb',
    '\\',
    "\\'",
    "''",
    '-n',
    '--',
    '!history',
    '{a,b}',
    'A=b',
    'é 漢 🙂',
  ];
  assert.deepEqual(throughShell(nasty), nasty);
});

test('a thousand random arguments survive', () => {
  const alphabet = ` '"\\$\`;&|<>()[]{}*?!#~=%\n\tabcé`;
  let seed = 42;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed;
  };
  const args = Array.from({ length: 1000 }, () =>
    Array.from({ length: random() % 12 }, () => alphabet[random() % alphabet.length]).join(''),
  );
  assert.deepEqual(throughShell(args), args);
});

test('a program named like an assignment is still a program', () => {
  assert.equal(quoteArgv(['A=b', 'c']), `'A=b' c`);
});

test('what no program can be given is refused', () => {
  assert.throws(() => quoteArgv(['echo', 'a\0b']), /NUL/);
  assert.throws(() => quoteArgv([]), /program/);
});
