const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const whole = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g;

/**
 * `10m`, `1h30m`, `1.5s` as milliseconds; `0` needs no unit. Kubernetes' durations, and days. Throws a RangeError for anything else,
 * negative ones included.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!whole.test(text))
    throw new RangeError(`${JSON.stringify(text)} is no duration; write it like 90s, 10m or 1h30m`);
  let ms = 0;
  for (const [, number, unit] of text.matchAll(part)) ms += Number(number) * (units[unit ?? ''] ?? 0);
  return ms;
}

/** Milliseconds as a duration: `1h30m`, `10s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ''}${m > 0 ? `${m}m` : ''}${s > 0 ? `${s}s` : ''}`;
}

/**
 * An int-or-percent as a number of `total`: `3` and `"3"` are 3, `"10%"` is a tenth. Throws a RangeError for anything else.
 * @param rounding what becomes of fractions. @default 'up'
 */
export function intOrPercent(value: number | string, total: number, rounding: 'up' | 'down' = 'up'): number {
  const match = /^(\d+)(%?)$/.exec(String(value));
  if (match === null) {
    throw new RangeError(
      `${JSON.stringify(value)} is neither a number of 0 or more nor a percentage like "10%"`,
    );
  }
  const number = Number(match[1]);
  if (match[2] === '') return number;
  // Multiplied before it is divided: 7 % of 100 is 7, not 7.000000000000001 and then 8.
  const share = (number * total) / 100;
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share);
}
