import { isIP } from 'node:net';
import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import type { Opaque } from '../values.ts';

/** An address, without a zone and not IPv4 written as IPv6. */
export class Ip implements Opaque {
  readonly opaqueType = 'net.IP';
  readonly value: bigint;
  readonly family: 4 | 6;
  constructor(value: bigint, family: 4 | 6) {
    this.value = value;
    this.family = family;
  }

  static parse(text: string): Ip | undefined {
    const family = isIP(text);
    if (family === 4) return new Ip(fold(text.split('.').map(BigInt), 8n), 4);
    if (family !== 6 || /[%.]/.test(text)) return undefined;
    const [head = '', tail] = text.split('::');
    const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
    const front = groups(head);
    const back = tail === undefined ? [] : groups(tail);
    const gap = tail === undefined ? 0 : 8 - front.length - back.length;
    const all = [...front, ...Array<string>(gap).fill('0'), ...back];
    return new Ip(
      fold(
        all.map((g) => BigInt(`0x${g}`)),
        16n,
      ),
      6,
    );
  }

  equals(other: Opaque): boolean {
    return other instanceof Ip && other.family === this.family && other.value === this.value;
  }

  /** The canonical text. */
  toString(): string {
    if (this.family === 4) return [24n, 16n, 8n, 0n].map((shift) => (this.value >> shift) & 255n).join('.');
    const groups = Array.from({ length: 8 }, (_, i) =>
      ((this.value >> BigInt((7 - i) * 16)) & 0xffffn).toString(16),
    );
    return compress(groups);
  }
}

const fold = (parts: readonly bigint[], bits: bigint): bigint =>
  parts.reduce((all, part) => (all << bits) | part, 0n);

/** The longest run of two or more zero groups is `::`. */
function compress(groups: readonly string[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  if (start < 0) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** A network; the address may have bits set behind the prefix. */
export class Cidr implements Opaque {
  readonly opaqueType = 'net.CIDR';
  readonly ip: Ip;
  readonly prefix: number;
  constructor(ip: Ip, prefix: number) {
    this.ip = ip;
    this.prefix = prefix;
  }

  static parse(text: string): Cidr | undefined {
    const parts = /^(.*)\/(0|[1-9]\d{0,2})$/.exec(text);
    const ip = parts === null ? undefined : Ip.parse(parts[1] ?? '');
    const prefix = Number(parts?.[2]);
    return ip === undefined || prefix > (ip.family === 4 ? 32 : 128) ? undefined : new Cidr(ip, prefix);
  }

  contains(ip: Ip): boolean {
    return ip.family === this.ip.family && ip.value >> this.hostBits() === this.ip.value >> this.hostBits();
  }

  masked(): Cidr {
    return new Cidr(
      new Ip((this.ip.value >> this.hostBits()) << this.hostBits(), this.ip.family),
      this.prefix,
    );
  }

  equals(other: Opaque): boolean {
    return other instanceof Cidr && other.prefix === this.prefix && other.ip.equals(this.ip);
  }

  toString(): string {
    return `${String(this.ip)}/${this.prefix}`;
  }

  private hostBits(): bigint {
    return BigInt((this.ip.family === 4 ? 32 : 128) - this.prefix);
  }
}

const within = (ip: Ip, ...networks: string[]): boolean =>
  networks.some((n) => Cidr.parse(n)?.contains(ip) === true);
const toIp = (text: string): Ip =>
  Ip.parse(text) ??
  fail(
    `IP Address "${text}" parse error during conversion from string: ParseAddr("${text}"): unable to parse IP`,
  );
const toCidr = (text: string): Cidr =>
  Cidr.parse(text) ??
  fail(`network address parse error during conversion from string: netip.ParsePrefix("${text}"): no '/'`);

const isLoopback = (ip: Ip): boolean => within(ip, '127.0.0.0/8', '::1/128');
const isUnspecified = (ip: Ip): boolean => ip.value === 0n;
const isLinkLocalUnicast = (ip: Ip): boolean => within(ip, '169.254.0.0/16', 'fe80::/10');
const isMulticast = (ip: Ip): boolean => within(ip, '224.0.0.0/4', 'ff00::/8');
const isBroadcast = (ip: Ip): boolean => within(ip, '255.255.255.255/32');

/** `ip()` and `cidr()`. */
export function addNetwork(library: Library): void {
  library.add('ip(string): net.IP', toIp);
  library.add('isIP(string): bool', (s: string) => Ip.parse(s) !== undefined);
  library.add('ip.isCanonical(string): bool', (s: string) => String(toIp(s)) === s);
  library.add('net.IP.family(): int', (ip: Ip) => BigInt(ip.family));
  library.add('net.IP.isUnspecified(): bool', isUnspecified);
  library.add('net.IP.isLoopback(): bool', isLoopback);
  library.add('net.IP.isLinkLocalUnicast(): bool', isLinkLocalUnicast);
  library.add('net.IP.isLinkLocalMulticast(): bool', (ip: Ip) => within(ip, '224.0.0.0/24', 'ff02::/16'));
  library.add(
    'net.IP.isGlobalUnicast(): bool',
    (ip: Ip) =>
      ![isUnspecified, isLoopback, isLinkLocalUnicast, isMulticast, isBroadcast].some((test) => test(ip)),
  );
  library.add('string(net.IP): string', String);
  library.add('cidr(string): net.CIDR', toCidr);
  library.add('isCIDR(string): bool', (s: string) => Cidr.parse(s) !== undefined);
  library.add('net.CIDR.ip(): net.IP', (c: Cidr) => c.ip);
  library.add('net.CIDR.prefixLength(): int', (c: Cidr) => BigInt(c.prefix));
  library.add('net.CIDR.masked(): net.CIDR', (c: Cidr) => c.masked());
  library.add('net.CIDR.containsIP(net.IP): bool', (c: Cidr, ip: Ip) => c.contains(ip));
  library.add('net.CIDR.containsIP(string): bool', (c: Cidr, ip: string) => c.contains(toIp(ip)));
  const covers = (outer: Cidr, inner: Cidr): boolean =>
    inner.prefix >= outer.prefix && outer.contains(inner.ip);
  library.add('net.CIDR.containsCIDR(net.CIDR): bool', covers);
  library.add('net.CIDR.containsCIDR(string): bool', (c: Cidr, other: string) => covers(c, toCidr(other)));
  library.add('string(net.CIDR): string', String);
}
