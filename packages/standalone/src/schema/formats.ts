import { isIP, isIPv6 } from 'node:net';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const uuidOf = (version: string) =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');
const UUID3 = uuidOf('3');
const UUID4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const UUID5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const LONG_DURATION =
  /^(\d+)\s*(?:ns|nano|nanosecond|us|µs|micro|microsecond|ms|milli|millisecond|s|sec|second|m|min|minute|h|hr|hour|d|day|w|wk|week)s?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const HOSTNAME = /^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*(?:\.[a-zA-Z0-9](?:-?[a-zA-Z0-9])*)*\.?$/;
const MAC = /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4,18}[0-9a-f]{2}$|^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2,9}$/i;
const SHORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LONG_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
// Bounded repetition only: none of these expressions can backtrack badly.
const RGB =
  /^rgb\(\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(?:,\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/;

/** Whether a string is of a format; names as in strfmt (kube-openapi), with or without dashes. Unknown formats hold. */
export function matchesFormat(format: string, value: string): boolean {
  return CHECKS[format.replaceAll('-', '')]?.(value) ?? true;
}

const CHECKS: Record<string, (value: string) => boolean> = {
  datetime: isDateTime,
  date: isDate,
  duration: (v) => GO_DURATION.test(v) || LONG_DURATION.test(v),
  byte: (v) => BASE64.test(v),
  uuid: (v) => UUID.test(v),
  uuid3: (v) => UUID3.test(v),
  uuid4: (v) => UUID4.test(v),
  uuid5: (v) => UUID5.test(v),
  ipv4: (v) => isIP(unpadded(v)) === 4,
  ipv6: (v) => isIPv6(v) && !v.includes('%'),
  cidr: isCidr,
  mac: (v) => MAC.test(v),
  hostname: (v) => v.length <= 255 && HOSTNAME.test(v) && v.split('.').every((label) => label.length <= 63),
  email: (v) => /^(?:[^<>]*<)?[^\s@<>(),;:]+@[^\s@<>(),;:]+>?$/.test(v),
  uri: isRequestUri,
  hexcolor: (v) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(v),
  rgbcolor: (v) => RGB.test(v),
  ssn: (v) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(v),
  isbn: (v) => isIsbn10(v) || isIsbn13(v),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  bsonobjectid: (v) => /^[0-9a-fA-F]{24}$/.test(v),
  k8sshortname: (v) => v.length <= 63 && SHORT_NAME.test(v),
  k8slongname: (v) => v.length <= 253 && LONG_NAME.test(v),
};

/** RFC 3339's date-time, the calendar checked. */
export function isDateTime(value: string): boolean {
  const parts = DATE_TIME.exec(value);
  if (parts === null) return false;
  const [, year, month, day, hour, minute, second] = parts;
  return isCalendarDay(year, month, day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

/** RFC 3339's full-date. */
export function isDate(value: string): boolean {
  const parts = DATE.exec(value);
  return parts !== null && isCalendarDay(parts[1], parts[2], parts[3]);
}

function isCalendarDay(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): boolean {
  const time = new Date(Date.UTC(2000, 0, 1));
  time.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return time.getUTCMonth() === Number(month) - 1 && time.getUTCDate() === Number(day);
}

/** Leading zeros in an IPv4 address are let pass, as by Go before 1.17. */
const unpadded = (value: string): string => value.replace(/(^|\.)0+(?=\d)/g, '$1');

function isCidr(value: string): boolean {
  const slash = value.lastIndexOf('/');
  const bits = value.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(bits)) return false;
  const family = isIP(unpadded(value.slice(0, slash)));
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function isRequestUri(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (value === '' || /[\u0000-\u0020\u007f]/.test(value) || /%(?![0-9a-fA-F]{2})/.test(value)) return false;
  return value.startsWith('/') || /^[a-zA-Z][a-zA-Z0-9+.-]*:./.test(value);
}

function isIsbn10(value: string): boolean {
  const digits = value.replace(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = Array.from(digits).reduce((total, c, i) => total + (10 - i) * (c === 'X' ? 10 : Number(c)), 0);
  return sum % 11 === 0;
}

function isIsbn13(value: string): boolean {
  const digits = value.replace(/[\s-]+/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  return Array.from(digits).reduce((total, c, i) => total + Number(c) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

function isCreditCard(value: string): boolean {
  const digits = value.replace(/\D+/g, '');
  if (
    !/^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11})$/.test(
      digits,
    )
  )
    return false;
  const luhn = Array.from(digits)
    .reverse()
    .map((c, i) => (i % 2 === 0 ? Number(c) : Number(c) * 2));
  return luhn.reduce((total, n) => total + (n > 9 ? n - 9 : n), 0) % 10 === 0;
}
