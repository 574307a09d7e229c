/** An archive that breaks off or does not follow the format. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

export interface TarEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Permission bits, setuid and the like included. */
  readonly mode: number;
  /** Bytes of content; 0 for what has none. */
  readonly size: number;
  /** Of links. */
  readonly target: string;
  /** Content, to be read before the next entry is asked for; what is left unread is skipped. */
  readonly content: AsyncIterable<Buffer>;
}

const block = 512;
/** Long names and pax headers are kept in memory: more than any real one, little enough for a hostile one. */
const maxHeaderBytes = 64 * 1024;

/** Reads a tar stream: ustar, pax, and GNU's long names. Throws TarError on anything else. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(source);
  let global = new Map<string, string>();
  let local = new Map<string, string>();
  for (;;) {
    const header = await bytes.exactly(block);
    if (header.every((byte) => byte === 0)) return;
    verifyChecksum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = paxNumber(local.get('size')) ?? number(header, 124, 12);
    if (type === 'x' || type === 'g') {
      const records = parsePax(await headerText(bytes, size));
      if (type === 'g') global = new Map([...global, ...records]);
      else local = new Map([...local, ...records]);
      continue;
    }
    if (type === 'L' || type === 'K') {
      const text = (await headerText(bytes, size)).toString('utf8').replace(/\0.*$/s, '');
      local.set(type === 'L' ? 'path' : 'linkpath', text);
      continue;
    }
    const pax = new Map([...global, ...local]);
    local = new Map();
    yield* entry(header, type, size, pax, bytes);
  }
}

async function* entry(
  header: Buffer,
  type: string,
  size: number,
  pax: ReadonlyMap<string, string>,
  bytes: ByteReader,
): AsyncGenerator<TarEntry> {
  const name = pax.get('path') ?? headerName(header);
  if (type === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse'))) {
    throw new TarError(`'${name}' is a sparse file, which is not supported: pack without --sparse`);
  }
  const kind = kindOf(type, name);
  // Only plain files have content behind their header; links may name a size all the same.
  const length = kind === 'file' || kind === 'other' ? size : 0;
  let left = length;
  async function* content(): AsyncGenerator<Buffer> {
    while (left > 0) {
      const chunk = await bytes.some(left);
      left -= chunk.length;
      yield chunk;
    }
  }
  yield {
    name,
    kind,
    mode: number(header, 100, 8) & 0o7777,
    size: length,
    target: pax.get('linkpath') ?? string(header, 157, 100),
    content: content(),
  };
  while (left > 0) left -= (await bytes.some(left)).length;
  await skipPadding(bytes, length);
}

function kindOf(type: string, name: string): TarEntry['kind'] {
  if (type === '1') return 'hardlink';
  if (type === '2') return 'symlink';
  if (type === '5') return 'directory';
  // Before POSIX, a folder was a file whose name ends so.
  if (type === '0' || type === '\0' || type === '7') return name.endsWith('/') ? 'directory' : 'file';
  return 'other';
}

async function headerText(bytes: ByteReader, size: number): Promise<Buffer> {
  if (size > maxHeaderBytes)
    throw new TarError(`a header of ${size} bytes is more than the ${maxHeaderBytes} allowed`);
  const text = size === 0 ? Buffer.alloc(0) : await bytes.exactly(size);
  await skipPadding(bytes, size);
  return text;
}

async function skipPadding(bytes: ByteReader, size: number): Promise<void> {
  const padding = (block - (size % block)) % block;
  if (padding > 0) await bytes.exactly(padding);
}

function headerName(header: Buffer): string {
  const name = string(header, 0, 100);
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? string(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function verifyChecksum(header: Buffer): void {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  if (sum !== number(header, 148, 8))
    throw new TarError('it is not a tar archive, or it is damaged (a header has a wrong checksum)');
}

function string(header: Buffer, at: number, size: number): string {
  const field = header.subarray(at, at + size);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? size : end);
}

/** Octal text, or GNU's base-256 for sizes beyond 8 GiB. */
function number(header: Buffer, at: number, size: number): number {
  const first = header[at] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f;
    for (const byte of header.subarray(at + 1, at + size)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError('a header names an impossible size');
    return value;
  }
  const text = string(header, at, size).trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text))
    throw new TarError('it is not a tar archive, or it is damaged (a number in a header is not octal)');
  return Number.parseInt(text, 8);
}

function paxNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new TarError('a pax header names an impossible size');
  return value;
}

/** Records of the form "LENGTH KEY=VALUE\n", the length counting itself. */
function parsePax(text: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(0x20, at);
    const length = Number(text.toString('latin1', at, Math.max(space, at)));
    const end = at + length;
    if (space < 0 || !Number.isSafeInteger(length) || end <= space || end > text.length) {
      throw new TarError('a pax header is damaged');
    }
    const record = text.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 0) throw new TarError('a pax header is damaged');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** Pulls bytes out of a stream by count. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #current: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** At least one byte, at most so many. */
  async some(most: number): Promise<Buffer> {
    while (this.#current.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new TarError('it ends in the middle: the archive is truncated');
      this.#current = next.value;
    }
    const taken = this.#current.subarray(0, most);
    this.#current = this.#current.subarray(taken.length);
    return taken;
  }

  async exactly(count: number): Promise<Buffer> {
    const first = await this.some(count);
    if (first.length === count) return first;
    const parts = [first];
    for (let have = first.length; have < count; ) {
      const part = await this.some(count - have);
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts);
  }
}
