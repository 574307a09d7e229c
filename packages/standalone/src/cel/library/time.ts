import { isDateTime } from '../../schema/formats.ts';
import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import { Duration, int64, SECOND, Timestamp } from '../values.ts';

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

/** Go's durations: `1h30m`, `-1.5s`. undefined for what is none. */
export function parseDuration(text: string): Duration | undefined {
  const whole = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (whole === null) return undefined;
  let nanos = 0n;
  for (const [, number = '', unit = ''] of (whole[2] ?? '').matchAll(
    /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const [integer = '', fraction = ''] = number.split('.');
    const scale = UNITS[unit] ?? 1n;
    nanos += BigInt(integer || '0') * scale;
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return new Duration(whole[1] === '-' ? -nanos : nanos);
}

/** RFC 3339. undefined for what is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  if (!isDateTime(text)) return undefined;
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const millis = Date.parse(text.replace(/\.\d+/, '').toUpperCase());
  if (Number.isNaN(millis)) return undefined;
  const nanos = BigInt(fraction.padEnd(9, '0').slice(0, 9));
  const zone = /[+-]\d{2}:\d{2}$/.exec(text)?.[0] ?? 'Z';
  return new Timestamp(BigInt(millis) * 1_000_000n + nanos, zone);
}

/** A timestamp as RFC 3339 with as many decimals as it has. */
export function timestampText(time: Timestamp): string {
  const local =
    time.zone === 'Z'
      ? time
      : new Timestamp(BigInt(inZone(time, time.zone).getTime()) * 1_000_000n + (time.nanos % 1_000_000n));
  const seconds = floorDiv(local.nanos, SECOND);
  const rest = local.nanos - seconds * SECOND;
  const decimals = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, `${decimals}${time.zone}`);
}

/** A duration as seconds: `90s`, `0.001s`. */
export function durationText(duration: Duration): string {
  const negative = duration.nanos < 0n;
  const abs = negative ? -duration.nanos : duration.nanos;
  const rest = abs % SECOND;
  const decimals = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${negative ? '-' : ''}${abs / SECOND}${decimals}s`;
}

const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));

/** The calendar fields of a time in a zone: an IANA name or an offset (`-02:30`). */
function inZone(time: Timestamp, zone: string): Date {
  const millis = Number(floorDiv(time.nanos, 1_000_000n));
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(millis + (offset[1] === '-' ? -minutes : minutes) * 60_000);
  }
  if (zone === 'UTC' || zone === '') return new Date(millis);
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      timeZoneName: 'longOffset',
    }).formatToParts(millis);
    const name = parts.find((p) => p.type === 'timeZoneName')?.value ?? 'GMT';
    const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
    const shift = Number(hours) * 60 + Number(minutes);
    return new Date(millis + (sign === '-' ? -shift : shift) * 60_000);
  } catch {
    return fail(`unknown time zone ${zone}`);
  }
}

const dayOfYear = (d: Date): number =>
  Math.floor(
    (Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()) - Date.UTC(d.getUTCFullYear(), 0, 1)) /
      86_400_000,
  );

const FIELDS: Record<string, (d: Date) => number> = {
  getFullYear: (d) => d.getUTCFullYear(),
  getMonth: (d) => d.getUTCMonth(),
  getDate: (d) => d.getUTCDate(),
  getDayOfMonth: (d) => d.getUTCDate() - 1,
  getDayOfWeek: (d) => d.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (d) => d.getUTCHours(),
  getMinutes: (d) => d.getUTCMinutes(),
  getSeconds: (d) => d.getUTCSeconds(),
  getMilliseconds: (d) => d.getUTCMilliseconds(),
};

/** Timestamps and durations. */
export function addTime(library: Library): void {
  for (const [name, read] of Object.entries(FIELDS)) {
    library.add(`timestamp.${name}(): int`, (t: Timestamp) => BigInt(read(inZone(t, 'UTC'))));
    library.add(`timestamp.${name}(string): int`, (t: Timestamp, zone: string) =>
      BigInt(read(inZone(t, zone))),
    );
  }
  for (const [name, unit] of [
    ['getHours', 3600n * SECOND],
    ['getMinutes', 60n * SECOND],
    ['getSeconds', SECOND],
  ] as const)
    library.add(`duration.${name}(): int`, (d: Duration) => d.nanos / unit);
  library.add('duration.getMilliseconds(): int', (d: Duration) => d.nanos / 1_000_000n);

  library.add(
    '_+_(timestamp, duration): timestamp',
    (a: Timestamp, b: Duration) => new Timestamp(a.nanos + b.nanos),
  );
  library.add(
    '_+_(duration, timestamp): timestamp',
    (a: Duration, b: Timestamp) => new Timestamp(a.nanos + b.nanos),
  );
  library.add(
    '_+_(duration, duration): duration',
    (a: Duration, b: Duration) => new Duration(a.nanos + b.nanos),
  );
  library.add(
    '_-_(timestamp, duration): timestamp',
    (a: Timestamp, b: Duration) => new Timestamp(a.nanos - b.nanos),
  );
  library.add(
    '_-_(timestamp, timestamp): duration',
    (a: Timestamp, b: Timestamp) => new Duration(a.nanos - b.nanos),
  );
  library.add(
    '_-_(duration, duration): duration',
    (a: Duration, b: Duration) => new Duration(a.nanos - b.nanos),
  );
  library.add('-_(duration): duration', (d: Duration) => new Duration(-d.nanos));

  library.add(
    'duration(string): duration',
    (s: string) => parseDuration(s) ?? fail(`time: invalid duration "${s}"`),
  );
  library.add('duration(duration): duration', (d: Duration) => d);
  library.add('duration(int): duration', (n: bigint) => new Duration(n));
  library.add(
    'timestamp(string): timestamp',
    (s: string) => parseTimestamp(s) ?? fail(`parsing time "${s}": invalid timestamp`),
  );
  library.add('timestamp(timestamp): timestamp', (t: Timestamp) => t);
  library.add('timestamp(int): timestamp', (n: bigint) => new Timestamp(n * SECOND));
  library.add('string(timestamp): string', timestampText);
  library.add('string(duration): string', durationText);
  library.add('int(timestamp): int', (t: Timestamp) => int64(floorDiv(t.nanos, SECOND)));
  library.add('int(duration): int', (d: Duration) => int64(d.nanos));
  library.rule('duration', {
    index: 0,
    when: 'check',
    check: (v) =>
      invalid(() => typeof v === 'string' && parseDuration(v) === undefined, 'invalid duration argument'),
  });
  library.rule('timestamp', {
    index: 0,
    when: 'check',
    check: (v) => invalid(() => !isTime(v), 'invalid timestamp argument'),
  });
}

function isTime(value: unknown): boolean {
  // One that is out of range throws, which is as well an answer.
  if (typeof value === 'bigint') return new Timestamp(value * SECOND).nanos >= 0n || value < 0n;
  return typeof value !== 'string' || parseTimestamp(value) !== undefined;
}

function invalid(test: () => boolean, message: string): string | undefined {
  try {
    return test() ? message : undefined;
  } catch {
    return message;
  }
}
