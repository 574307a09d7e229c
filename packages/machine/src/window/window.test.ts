import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Window } from '@kubenode/api';
import { windowAt } from './window.ts';

const window = (from: string, to: string, more: Partial<Window> = {}): Window => ({
  from,
  to,
  timeZone: 'UTC',
  ...more,
});

/** now, then `open until`, `open`, `next` or `closed`. */
type Row = readonly [now: string, expected: string];

function table(title: string, windows: readonly Window[], rows: readonly Row[]): void {
  describe(title, () => {
    for (const [now, expected] of rows)
      test(`${now}: ${expected}`, () => assert.equal(told(windows, now), expected));
  });
}

function told(windows: readonly Window[], now: string): string {
  const opening = windowAt(windows, Date.parse(now));
  const at = (ms: number): string => new Date(ms).toISOString().replace(':00.000Z', 'Z');
  if (opening.open) return opening.until === undefined ? 'open' : `open until ${at(opening.until)}`;
  return opening.next === undefined ? 'closed' : `next ${at(opening.next)}`;
}

table('none: always open', [], [['2026-11-23T03:00Z', 'open']]);

// 2026-11-23 is a Monday.
table(
  'on some days',
  [window('10:00', '17:00', { days: ['Mon', 'Tue'] })],
  [
    ['2026-11-23T09:59:59.999Z', 'next 2026-11-23T10:00Z'],
    ['2026-11-23T10:00Z', 'open until 2026-11-23T17:00Z'],
    ['2026-11-23T16:59:59.999Z', 'open until 2026-11-23T17:00Z'],
    ['2026-11-23T17:00Z', 'next 2026-11-24T10:00Z'],
    ['2026-11-24T17:00Z', 'next 2026-11-30T10:00Z'],
    ['2026-11-29T12:00Z', 'next 2026-11-30T10:00Z'],
  ],
);

table(
  'over midnight: it belongs to the day on which it opens',
  [window('22:00', '04:00', { days: ['Fri'] })],
  [
    ['2026-11-27T03:00Z', 'next 2026-11-27T22:00Z'],
    ['2026-11-27T23:00Z', 'open until 2026-11-28T04:00Z'],
    ['2026-11-28T03:59Z', 'open until 2026-11-28T04:00Z'],
    ['2026-11-28T04:00Z', 'next 2026-12-04T22:00Z'],
  ],
);

table(
  'to midnight',
  [window('20:00', '00:00', { days: ['Mon'] })],
  [
    ['2026-11-23T23:59Z', 'open until 2026-11-24T00:00Z'],
    ['2026-11-24T00:00Z', 'next 2026-11-30T20:00Z'],
  ],
);

table(
  "days are the zone's, not Greenwich's",
  [window('06:00', '08:00', { days: ['Tue'], timeZone: 'Asia/Shanghai' })],
  [
    ['2026-11-23T21:59Z', 'next 2026-11-23T22:00Z'],
    ['2026-11-23T22:00Z', 'open until 2026-11-24T00:00Z'],
    ['2026-11-24T00:00Z', 'next 2026-11-30T22:00Z'],
  ],
);

table(
  'a zone of half an hour',
  [window('06:00', '08:00', { timeZone: 'Asia/Kolkata' })],
  [['2026-11-24T00:00Z', 'next 2026-11-24T00:30Z']],
);

table(
  'far west: yesterday there is today here',
  [window('20:00', '23:00', { days: ['Mon'], timeZone: 'Pacific/Honolulu' })],
  [
    ['2026-11-24T05:59Z', 'next 2026-11-24T06:00Z'],
    ['2026-11-24T08:00Z', 'open until 2026-11-24T09:00Z'],
  ],
);

// Europe/Berlin goes from +1 to +2 on 2026-03-29 at 01:00Z (02:00 becomes 03:00), and back on 2026-10-25 at 01:00Z (03:00 becomes 02:00).
table(
  'summer time begins inside the window: an hour less',
  [window('01:00', '05:00', { timeZone: 'Europe/Berlin' })],
  [
    ['2026-03-28T02:00Z', 'open until 2026-03-28T04:00Z'],
    ['2026-03-29T00:30Z', 'open until 2026-03-29T03:00Z'],
    ['2026-03-29T03:00Z', 'next 2026-03-29T23:00Z'],
  ],
);
table(
  'it opens in the skipped hour: at the end of the gap',
  [window('02:30', '04:00', { timeZone: 'Europe/Berlin' })],
  [
    ['2026-03-29T00:59Z', 'next 2026-03-29T01:00Z'],
    ['2026-03-29T01:00Z', 'open until 2026-03-29T02:00Z'],
  ],
);
table(
  'it closes in the skipped hour: at the gap',
  [window('01:00', '02:30', { timeZone: 'Europe/Berlin' })],
  [
    ['2026-03-29T00:30Z', 'open until 2026-03-29T01:00Z'],
    ['2026-03-29T01:00Z', 'next 2026-03-29T23:00Z'],
  ],
);
table(
  'it lies in the skipped hour: not that week, but the one after',
  [window('02:15', '02:45', { days: ['Sun'], timeZone: 'Europe/Berlin' })],
  [
    ['2026-03-22T02:00Z', 'next 2026-04-05T00:15Z'],
    ['2026-03-29T01:00Z', 'next 2026-04-05T00:15Z'],
  ],
);
table(
  'summer time ends inside the window: an hour more',
  [window('01:00', '05:00', { timeZone: 'Europe/Berlin' })],
  [
    ['2026-10-24T23:30Z', 'open until 2026-10-25T04:00Z'],
    ['2026-10-25T04:00Z', 'next 2026-10-26T00:00Z'],
  ],
);
table(
  'times that come twice are the first of the two',
  [window('02:15', '02:45', { timeZone: 'Europe/Berlin' })],
  [
    ['2026-10-25T00:20Z', 'open until 2026-10-25T00:45Z'],
    ['2026-10-25T01:20Z', 'next 2026-10-26T01:15Z'],
  ],
);
// Cuba skips midnight: 2026-03-08 00:00 becomes 01:00, at 05:00Z.
table(
  'a midnight that does not exist',
  [window('00:00', '02:00', { days: ['Sun'], timeZone: 'America/Havana' })],
  [
    ['2026-03-08T04:00Z', 'next 2026-03-08T05:00Z'],
    ['2026-03-08T05:00Z', 'open until 2026-03-08T06:00Z'],
  ],
);

table(
  'several: those that overlap or touch are one',
  [
    window('20:00', '23:00'),
    window('22:00', '02:00', { days: ['Mon'] }),
    window('02:00', '03:00', { days: ['Tue'] }),
  ],
  [
    ['2026-11-23T19:00Z', 'next 2026-11-23T20:00Z'],
    ['2026-11-23T21:00Z', 'open until 2026-11-24T03:00Z'],
    ['2026-11-24T03:00Z', 'next 2026-11-24T20:00Z'],
    ['2026-11-24T21:00Z', 'open until 2026-11-24T23:00Z'],
  ],
);
table(
  'together they never close',
  [window('00:00', '12:00'), window('12:00', '00:00')],
  [['2026-11-23T19:00Z', 'open']],
);
table(
  'all but a minute',
  [window('00:00', '23:59')],
  [
    ['2026-11-23T19:00Z', 'open until 2026-11-23T23:59Z'],
    ['2026-11-23T23:59Z', 'next 2026-11-24T00:00Z'],
  ],
);

test('a time zone that nobody knows closes, and says which field and what to do', () => {
  const opening = windowAt(
    [window('00:00', '23:59'), window('00:00', '23:59', { timeZone: 'Asia/Beijing' })],
    0,
  );
  assert.equal(opening.open, false);
  assert.match(
    opening.open ? '' : (opening.problem ?? ''),
    /^windows\[1\]\.timeZone is "Asia\/Beijing".*give an IANA name such as Asia\/Shanghai/,
  );
});

test('agrees, minute by minute, with what a clock on the wall of the zone shows', () => {
  const timeZone = 'Australia/Lord_Howe'; // half an hour of summer time
  const shows = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const windows = [window('04:10', '19:50', { timeZone })];
  for (let now = Date.parse('2026-04-03T00:00Z'); now < Date.parse('2026-04-07T00:00Z'); now += 60_000) {
    const clock = shows.format(now);
    assert.equal(windowAt(windows, now).open, clock >= '04:10' && clock < '19:50', clock);
  }
});
