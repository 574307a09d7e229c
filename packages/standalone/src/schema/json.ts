/** Thrown by `parseJson`, with the words of Go's decoder. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** What `parseJson` read. */
export interface ParsedJson {
  value: unknown;
  /** Paths of keys that came twice in one object, each once: `spec.list[0].name`. */
  duplicates: string[];
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const SPACE = /[\t\n\r ]*/y;
const MAX_DEPTH = 10_000;

/** Reads JSON as the server does: integers beyond 2^53 become bigint, a key that comes twice is reported and its last
 * value wins. Throws JsonError. Own reader, because JSON.parse can tell neither. */
export function parseJson(text: string): ParsedJson {
  return new Reader(text).read();
}

class Reader {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  private readonly path: (string | number)[] = [];
  private readonly duplicates = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  read(): ParsedJson {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.unexpected('after top-level value');
    return { value, duplicates: [...this.duplicates] };
  }

  private value(): unknown {
    this.space();
    switch (this.text.charCodeAt(this.at)) {
      case 0x7b:
        return this.object();
      case 0x5b:
        return this.array();
      case 0x22:
        return this.string();
      case 0x74:
        return this.literal('true', true);
      case 0x66:
        return this.literal('false', false);
      case 0x6e:
        return this.literal('null', null);
      default:
        return this.number();
    }
  }

  private object(): unknown {
    const out: Record<string, unknown> = {};
    this.at++;
    this.enter();
    this.space();
    if (this.text[this.at] === '}') return this.leave(out);
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.unexpected('looking for beginning of object key string');
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ':') this.unexpected('after object key');
      this.at++;
      this.path.push(key);
      if (Object.hasOwn(out, key)) this.duplicates.add(pathText(this.path));
      const value = this.value();
      this.path.pop();
      setKey(out, key, value);
      this.space();
      const next = this.text[this.at];
      if (next === '}') return this.leave(out);
      if (next !== ',') this.unexpected('after object key:value pair');
      this.at++;
    }
  }

  private array(): unknown {
    const out: unknown[] = [];
    this.at++;
    this.enter();
    this.space();
    if (this.text[this.at] === ']') return this.leave(out);
    for (;;) {
      this.path.push(out.length);
      out.push(this.value());
      this.path.pop();
      this.space();
      const next = this.text[this.at];
      if (next === ']') return this.leave(out);
      if (next !== ',') this.unexpected('after array element');
      this.at++;
    }
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw new JsonError('exceeded max depth');
  }

  private leave<T>(value: T): T {
    this.depth--;
    this.at++;
    return value;
  }

  private string(): string {
    const start = this.at;
    for (let i = start + 1; i < this.text.length; i++) {
      const code = this.text.charCodeAt(i);
      if (code === 0x22) {
        this.at = i + 1;
        return this.text.slice(start + 1, i);
      }
      if (code === 0x5c) return this.escaped(start, i);
      if (code < 0x20) {
        this.at = i;
        this.unexpected('in string literal');
      }
    }
    throw new JsonError('unexpected end of JSON input');
  }

  private escaped(start: number, from: number): string {
    let i = from;
    while (i < this.text.length && this.text[i] !== '"') i += this.text[i] === '\\' ? 2 : 1;
    if (i >= this.text.length) throw new JsonError('unexpected end of JSON input');
    this.at = i + 1;
    try {
      return JSON.parse(this.text.slice(start, i + 1)) as string;
    } catch {
      throw new JsonError('invalid character in string escape code');
    }
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) this.unexpected('looking for beginning of value');
    this.at += found[0].length;
    const value = Number(found[0]);
    const integer = found[1] === undefined && found[2] === undefined;
    if (!integer || Number.isSafeInteger(value)) return value;
    const exact = BigInt(found[0]);
    return exact >= -(2n ** 63n) && exact < 2n ** 63n ? exact : value;
  }

  private literal<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.unexpected('looking for beginning of value');
    this.at += word.length;
    return value;
  }

  private space(): void {
    const code = this.text.charCodeAt(this.at);
    if (code > 0x20) return;
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = Math.max(this.at, SPACE.lastIndex);
  }

  private unexpected(where: string): never {
    const char = this.text[this.at];
    if (char === undefined) throw new JsonError('unexpected end of JSON input');
    throw new JsonError(`invalid character '${char === "'" ? "\\'" : char}' ${where}`);
  }
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
  return text;
}

/** Sets a key that came from data: a plain assignment to `__proto__` would change the object's prototype instead. */
export function setKey(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** Reads a key that came from data: `constructor` is undefined where the object has none of its own. */
export function getKey(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** JSON.stringify that writes a bigint as a number. `sortKeys` gives the order in which Go writes maps. */
export function stringifyJson(value: unknown, options: { sortKeys?: boolean; indent?: number } = {}): string {
  const replace = (_key: string, item: unknown): unknown => {
    if (typeof item === 'bigint') return rawJson(item.toString());
    if (options.sortKeys === true && typeof item === 'object' && item !== null && !Array.isArray(item)) {
      return isRaw(item) ? item : sortedCopy(item as Record<string, unknown>);
    }
    return item;
  };
  return JSON.stringify(value, replace, options.indent);
}

function sortedCopy(object: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries);
}

// JSON.rawJSON is in Node 24 (V8 13.6) but not yet in TypeScript's library.
const raw = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };
const rawJson = (text: string): object => raw.rawJSON(text);
const isRaw = (value: object): boolean => raw.isRawJSON(value);
