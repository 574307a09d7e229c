/** Time zones, by the data that comes with Node. A wall clock is the epoch milliseconds at which a clock in UTC shows the same. */

const dayMs = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(timeZone: string): boolean {
  try {
    return formatOf(timeZone) !== undefined;
  } catch {
    return false;
  }
}

/** What the clocks of the zone show. @throws RangeError for a zone that is not known */
export function wallClockAt(instant: number, timeZone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((instant % 1000) + 1000) % 1000);
}

/**
 * The first instant at which the clocks of the zone show this, or more where they skip it. Right while a zone does not change its offset
 * twice within two days.
 * @throws RangeError for a zone that is not known
 */
export function instantOf(wallClock: number, timeZone: string): number {
  const offsetAt = (instant: number): number => wallClockAt(instant, timeZone) - instant;
  let early = wallClock - dayMs;
  let late = wallClock + dayMs;
  const before = offsetAt(early);
  const after = offsetAt(late);
  if (before === after) return wallClock - before;
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (offsetAt(middle) === before) early = middle;
    else late = middle;
  }
  return wallClock - before < late ? wallClock - before : Math.max(late, wallClock - after);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}
