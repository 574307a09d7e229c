import type { Window } from '@kubenode/api';
import { instantOf, isTimeZone, wallClockAt } from './zone.ts';

/** Whether something may begin now. Times are epoch milliseconds. */
export type Opening =
  /** until: when it closes; absent: it never does. */
  | { readonly open: true; readonly until?: number }
  /** next: when it opens; absent: not in the next two weeks, or there is a problem. problem: which field is wrong, and what to do. */
  | { readonly open: false; readonly next?: number; readonly problem?: string };

const dayMs = 86_400_000;
const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
/** A window of one day a week may fall into the hour that summer time skips; the week after it opens. */
const daysAhead = 15;

/**
 * Where the windows stand at `now`; without any it is always open. Those that overlap or touch are one. A window belongs to the day on
 * which it opens. A time that summer time skips is the end of the gap, one that comes twice is the first of the two. A window that can't be
 * read closes all of them: what was meant is not known.
 * @param now epoch milliseconds
 */
export function windowAt(windows: readonly Window[], now: number): Opening {
  if (windows.length === 0) return { open: true };
  const wrong = windows.findIndex(({ timeZone }) => !isTimeZone(timeZone));
  if (wrong >= 0) return { open: false, problem: problemOf(windows, wrong) };
  const spans = windows.flatMap((window) => spansAround(window, now)).sort((a, b) => a.from - b.from);
  let until = now;
  for (const { from, to } of spans) {
    if (from > until) return until > now ? { open: true, until } : { open: false, next: from };
    until = Math.max(until, to);
  }
  if (until === now) return { open: false };
  // Nothing but touching windows for two weeks: a week is all there is, so it goes on for ever.
  return until - now > (daysAhead - 2) * dayMs ? { open: true } : { open: true, until };
}

function problemOf(windows: readonly Window[], index: number): string {
  return (
    `windows[${index}].timeZone is ${JSON.stringify(windows[index]?.timeZone)}, which is no time zone that is known here: ` +
    'give an IANA name such as Asia/Shanghai or UTC; until then the windows are closed'
  );
}

/** When a window is open, from two days before `now` on. */
function spansAround(window: Window, now: number): { from: number; to: number }[] {
  const { timeZone } = window;
  const from = millisecondsOf(window.from);
  const to = millisecondsOf(window.to);
  const today = Math.floor(wallClockAt(now, timeZone) / dayMs) * dayMs;
  const spans: { from: number; to: number }[] = [];
  for (let day = today - 2 * dayMs; day <= today + daysAhead * dayMs; day += dayMs) {
    const weekday = names[new Date(day).getUTCDay()];
    if (window.days !== undefined && !window.days.some((name) => name === weekday)) continue;
    const span = {
      from: instantOf(day + from, timeZone),
      to: instantOf(day + to + (to < from ? dayMs : 0), timeZone),
    };
    if (span.to > now && span.from < span.to) spans.push(span);
  }
  return spans;
}

/** `22:30` as milliseconds since midnight. */
function millisecondsOf(clock: string): number {
  const [hours = '', minutes = ''] = clock.split(':');
  return (Number(hours) * 60 + Number(minutes)) * 60_000;
}
