/** Builds tar archives for the tests, well-formed and hostile ones. */
export interface TarItem {
  readonly name: string;
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly mode?: number;
}

const block = 512;

export function tar(items: readonly TarItem[], options: { readonly end?: boolean } = {}): Buffer {
  const parts = items.flatMap((item) => [header(item), body(item)]);
  return Buffer.concat(options.end === false ? parts : [...parts, Buffer.alloc(2 * block)]);
}

/** A pax header entry with these records, for the entry after it. */
export function pax(records: Readonly<Record<string, string>>): TarItem {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest) + 1;
    while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
    return `${length}${rest}`;
  });
  return { name: 'pax', type: 'x', content: lines.join('') };
}

function header(item: TarItem): Buffer {
  const buffer = Buffer.alloc(block);
  const size = Buffer.byteLength(item.content ?? '');
  buffer.write(item.name, 0, 100);
  buffer.write(octal(item.mode ?? 0o644, 8), 100);
  buffer.write(octal(0, 8), 108);
  buffer.write(octal(0, 8), 116);
  buffer.write(octal(size, 12), 124);
  buffer.write(octal(0, 12), 136);
  buffer.write(item.type ?? '0', 156);
  buffer.write(item.target ?? '', 157, 100);
  buffer.write('ustar\0', 257, 'latin1');
  buffer.write('00', 263);
  buffer.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of buffer) sum += byte;
  buffer.write(octal(sum, 7), 148);
  return buffer;
}

function body(item: TarItem): Buffer {
  const content = Buffer.from(item.content ?? '');
  return Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)]);
}

function octal(value: number, size: number): string {
  return `${value.toString(8).padStart(size - 1, '0')}\0`;
}
