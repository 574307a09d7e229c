import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceManager, UnitState } from './ports.ts';
import { endOf, lastWordsOf, logEnds } from './words.ts';

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

test('of a process that ended and was started again the words of the first are told', async () => {
  const log = [
    { at: 10, line: 'healthy once' },
    { at: 20, line: 'lost its mind' },
    { at: 31, line: 'begins' },
  ];
  const services = (state: Partial<UnitState>): ServiceManager =>
    ({
      states: async () => new Map([['a.service', state as UnitState]]),
      lastWords: async (_unit: string, since: number, until = Number.POSITIVE_INFINITY) =>
        log
          .filter(({ at }) => at >= since && at <= until)
          .map(({ line }) => line)
          .join('\n'),
    }) as Partial<ServiceManager> as ServiceManager;
  const told = (state: Partial<UnitState>): Promise<string> => lastWordsOf(services(state), 'a.service', 15);
  assert.equal(await told({ restarts: 1, startedAt: 30 }), '; its log ends: lost its mind');
  assert.equal(await told({ restarts: 0, startedAt: 30 }), '; its log ends: lost its mind; begins');
  assert.equal(await told({ restarts: 1, startedAt: 16 }), '; its log ends: lost its mind; begins');
});
