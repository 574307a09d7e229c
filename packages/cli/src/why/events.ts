import type { KnownEvent } from './finding.ts';

const eventsMs = 3_600_000;
const mostEvents = 8;

/** Warnings of the last hour, the newest last. @param now epoch milliseconds */
export function recentWarnings(events: readonly KnownEvent[], now: number): readonly KnownEvent[] {
  return events
    .filter(({ type, at }) => type === 'Warning' && now - Date.parse(at) < eventsMs)
    .slice(-mostEvents);
}
