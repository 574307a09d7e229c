import { RE2JS } from 're2js';
import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import { formatText } from './sprintf.ts';

/** Patterns that were compiled before; they come from rules, so there are few. */
const patterns = new Map<string, RE2JS>();

function regex(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    try {
      compiled = RE2JS.compile(pattern);
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
    if (patterns.size < 1000) patterns.set(pattern, compiled);
  }
  return compiled;
}

function badPattern(pattern: unknown): string | undefined {
  try {
    if (typeof pattern === 'string') RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const points = (text: string): string[] => Array.from(text);

function findAll(text: string, pattern: string, limit: number): string[] {
  const matcher = regex(pattern).matcher(text);
  const out: string[] = [];
  while (out.length < limit && matcher.find()) out.push(matcher.group() ?? '');
  return out;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const chars = points(text);
  const to = end ?? BigInt(chars.length);
  if (start < 0n || start > BigInt(chars.length)) fail(`index out of range: ${start}`);
  if (to < 0n || to > BigInt(chars.length)) fail(`index out of range: ${to}`);
  if (start > to) fail(`invalid substring range. start: ${start}, end: ${to}`);
  return chars.slice(Number(start), Number(to)).join('');
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const chars = points(text);
  const wanted = points(part);
  if (from < 0n) fail(`index out of range: ${from}`);
  if (wanted.length === 0) return from > BigInt(chars.length) ? -1n : from;
  for (let i = Number(from); i + wanted.length <= chars.length; i++)
    if (wanted.every((c, j) => chars[i + j] === c)) return BigInt(i);
  return -1n;
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const chars = points(text);
  const wanted = points(part);
  if (from !== undefined && from < 0n) fail(`index out of range: ${from}`);
  const start = Math.min(from === undefined ? chars.length : Number(from), chars.length - wanted.length);
  for (let i = start; i >= 0; i--) if (wanted.every((c, j) => chars[i + j] === c)) return BigInt(i);
  return -1n;
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  let left = Number(limit);
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

function split(text: string, separator: string, limit: bigint): string[] {
  if (limit === 0n) return [];
  const parts = separator === '' ? points(text) : text.split(separator);
  const most = Number(limit);
  return limit < 0n || parts.length <= most
    ? parts
    : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

/** Strings and regular expressions, the latter in linear time. */
export function addStrings(library: Library): void {
  library.add('size(string): int', (s: string) => BigInt(points(s).length));
  library.add('string.size(): int', (s: string) => BigInt(points(s).length));
  library.add('size(bytes): int', (b: Uint8Array) => BigInt(b.length));
  library.add('bytes.size(): int', (b: Uint8Array) => BigInt(b.length));
  library.add('string.contains(string): bool', (s: string, p: string) => s.includes(p));
  library.add('string.startsWith(string): bool', (s: string, p: string) => s.startsWith(p));
  library.add('string.endsWith(string): bool', (s: string, p: string) => s.endsWith(p));
  const matches = (s: string, p: string): boolean => regex(p).test(s);
  library.add('string.matches(string): bool', matches).add('matches(string, string): bool', matches);
  library.add('string.find(string): string', (s: string, p: string) => findAll(s, p, 1)[0] ?? '');
  library.add('string.findAll(string): list<string>', (s: string, p: string) =>
    findAll(s, p, Number.POSITIVE_INFINITY),
  );
  library.add('string.findAll(string, int): list<string>', (s: string, p: string, n: bigint) =>
    findAll(s, p, n < 0n ? Number.POSITIVE_INFINITY : Number(n)),
  );
  library.rule('matches', {
    index: 1,
    when: 'check',
    check: (p) => (badPattern(p) === undefined ? undefined : 'invalid matches argument'),
  });
  for (const name of ['find', 'findAll']) library.rule(name, { index: 1, when: 'plan', check: badPattern });
  library.add('string.charAt(int): string', (s: string, i: bigint) => charAt(s, i));
  library.add('string.indexOf(string): int', (s: string, p: string) => indexOf(s, p));
  library.add('string.indexOf(string, int): int', indexOf);
  library.add('string.lastIndexOf(string): int', (s: string, p: string) => lastIndexOf(s, p));
  library.add('string.lastIndexOf(string, int): int', lastIndexOf);
  library.add('string.lowerAscii(): string', (s: string) => s.replace(/[A-Z]/g, (c) => c.toLowerCase()));
  library.add('string.upperAscii(): string', (s: string) => s.replace(/[a-z]/g, (c) => c.toUpperCase()));
  library.add('string.replace(string, string): string', (s: string, a: string, b: string) =>
    replace(s, a, b, -1n),
  );
  library.add('string.replace(string, string, int): string', replace);
  library.add('string.split(string): list<string>', (s: string, p: string) => split(s, p, -1n));
  library.add('string.split(string, int): list<string>', split);
  library.add('string.substring(int): string', (s: string, a: bigint) => substring(s, a));
  library.add('string.substring(int, int): string', substring);
  library.add('string.trim(): string', (s: string) => s.trim());
  library.add('string.reverse(): string', (s: string) => points(s).reverse().join(''));
  library.add('strings.quote(string): string', (s: string) => JSON.stringify(s));
  library.add('list<string>.join(): string', (l: string[]) => l.join(''));
  library.add('list<string>.join(string): string', (l: string[], s: string) => l.join(s));
  library.add('string.format(list<dyn>): string', formatText);
}

function charAt(text: string, index: bigint): string {
  const chars = points(text);
  if (index < 0n || index > BigInt(chars.length)) return fail(`index out of range: ${index}`);
  return chars[Number(index)] ?? '';
}
