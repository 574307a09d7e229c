import { fail } from '../errors.ts';
import type { Library } from '../functions.ts';
import type { Opaque } from '../values.ts';

/** A URL as Go's url.ParseRequestURI reads it: absolute, or a path from the root. */
export class Url implements Opaque {
  readonly opaqueType = 'kubernetes.URL';
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;

  private constructor(text: string, parts: readonly string[]) {
    this.text = text;
    [this.scheme = '', this.host = '', this.hostname = '', this.port = '', this.path = '', this.query = ''] =
      parts;
  }

  static parse(text: string): Url | undefined {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (text === '' || /[\u0000-\u001f\u007f]/.test(text) || /%(?![0-9a-fA-F]{2})/.test(text))
      return undefined;
    const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/.exec(
      text,
    );
    if (parts === null) return undefined;
    const [, scheme = '', authority, path = '', query = ''] = parts;
    if (scheme === '' && (authority !== undefined || !path.startsWith('/'))) return undefined;
    // Without a slash the rest is opaque: `mailto:x`.
    if (scheme !== '' && authority === undefined && !path.startsWith('/'))
      return new Url(text, [scheme.toLowerCase()]);
    const host = authority?.slice(authority.lastIndexOf('@') + 1) ?? '';
    const named = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(host);
    if (named === null) return undefined;
    const hostname = (named[1] ?? '').replace(/^\[|\]$/g, '');
    return new Url(text, [scheme.toLowerCase(), host, hostname, named[2] ?? '', path, query]);
  }

  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text;
  }

  /** The path, encoded where it has to be. */
  escapedPath(): string {
    let decoded: string;
    try {
      decoded = decodeURI(this.path);
    } catch {
      return this.path;
    }
    return encodeURI(decoded).replace(/[[\]]/g, encodeURIComponent);
  }

  queryValues(): Map<string, string[]> {
    const out = new Map<string, string[]>();
    for (const [key, value] of new URLSearchParams(this.query))
      out.set(key, [...(out.get(key) ?? []), value]);
    return out;
  }
}

/** `url()`. */
export function addUrl(library: Library): void {
  const type = 'kubernetes.URL';
  library.add(
    `url(string): ${type}`,
    (s: string) =>
      Url.parse(s) ??
      fail(`URL parse error during conversion from string: parse "${s}": invalid URI for request`),
  );
  library.add('isURL(string): bool', (s: string) => Url.parse(s) !== undefined);
  library.add(`${type}.getScheme(): string`, (u: Url) => u.scheme);
  library.add(`${type}.getHost(): string`, (u: Url) => u.host);
  library.add(`${type}.getHostname(): string`, (u: Url) => u.hostname);
  library.add(`${type}.getPort(): string`, (u: Url) => u.port);
  library.add(`${type}.getEscapedPath(): string`, (u: Url) => u.escapedPath());
  library.add(`${type}.getQuery(): map<string, list<string>>`, (u: Url) => u.queryValues());
}
