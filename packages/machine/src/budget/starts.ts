import type { DisruptionStarts, NodeDisruptionBudgetStatus, StartsBucket } from '@kubenode/api';
import { intOrPercent, timestamp } from '@kubenode/runtime';

type Lists = Pick<NodeDisruptionBudgetStatus, 'minute' | 'hour' | 'day'>;

/** The stretches in which starts are counted. Each keeps (span + width) / width buckets: 7, 61 and 49, below the 64 of the schema. */
const stretches = [
  { list: 'minute', limit: 'perMinute', spanMs: 60_000, widthMs: 10_000 },
  { list: 'hour', limit: 'perHour', spanMs: 3_600_000, widthMs: 60_000 },
  { list: 'day', limit: 'perDay', spanMs: 86_400_000, widthMs: 1_800_000 },
] as const;

/** A stretch in which no more may begin. */
export interface SpentStarts {
  readonly field: 'perMinute' | 'perHour' | 'perDay';
  readonly stretch: 'minute' | 'hour' | 'day';
  readonly used: number;
  readonly limit: number;
  /** When one more may begin, epoch milliseconds; undefined: never, the limit is 0. */
  readonly until: number | undefined;
}

/**
 * Without what is over. What lies in the future, because the clock was put back, counts from now: it refills nothing, and nothing waits for
 * a time that may never come again.
 */
export function settleStarts(lists: Lists, now: number): Lists {
  const settled: Lists = {};
  for (const { list, spanMs, widthMs } of stretches) {
    const present = bucketAt(now, widthMs);
    const byTime = new Map<number, number>();
    for (const { at, starts } of lists[list] ?? []) {
      const time = Math.min(Date.parse(at), present);
      if (time + widthMs > now - spanMs) byTime.set(time, (byTime.get(time) ?? 0) + starts);
    }
    const buckets = [...byTime].sort(([a], [b]) => a - b);
    if (buckets.length > 0) {
      settled[list] = buckets.map(([time, starts]): StartsBucket => ({ at: timestamp(time), starts }));
    }
  }
  return settled;
}

/** One more start, now. @param lists settled at the same time */
export function addStart(lists: Lists, now: number): Lists {
  const next: Lists = {};
  for (const { list, widthMs } of stretches) {
    const at = timestamp(bucketAt(now, widthMs));
    const buckets = lists[list] ?? [];
    const last = buckets.at(-1);
    next[list] =
      last?.at === at
        ? [...buckets.slice(0, -1), { at, starts: last.starts + 1 }]
        : [...buckets, { at, starts: 1 }];
  }
  return next;
}

/** The first stretch, the longest first, in which no more may begin. @param machines what percentages are of */
export function spentStarts(
  lists: Lists,
  limits: DisruptionStarts,
  machines: number,
  now: number,
): SpentStarts | undefined {
  for (const { list, limit: field, spanMs, widthMs } of stretches.toReversed()) {
    const limit = intOrPercent(limits[field], machines);
    const buckets = lists[list] ?? [];
    const used = buckets.reduce((sum, { starts }) => sum + starts, 0);
    if (used >= limit) {
      const until = limit === 0 ? undefined : freeAt(buckets, used, limit, spanMs + widthMs);
      return {
        field,
        stretch: list,
        used,
        limit,
        until: until === undefined ? undefined : Math.max(until, now),
      };
    }
  }
  return undefined;
}

/** When enough of the oldest buckets have passed. A bucket counts whole until its last moment is out of the stretch. */
function freeAt(
  buckets: readonly StartsBucket[],
  used: number,
  limit: number,
  keptMs: number,
): number | undefined {
  let left = used;
  for (const { at, starts } of buckets) {
    left -= starts;
    if (left < limit) return Date.parse(at) + keptMs;
  }
  return undefined;
}

function bucketAt(time: number, widthMs: number): number {
  return Math.floor(time / widthMs) * widthMs;
}
