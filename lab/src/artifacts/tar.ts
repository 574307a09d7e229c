import { readFile } from 'node:fs/promises';
import { tryRun } from '../system/run.ts';

/** A file to be packed: where it stands on this machine, and its name in the archive. */
export interface PackedFile {
  file: string;
  name: string;
  mode?: number;
}

/** Modification time of everything packed, so that the same input makes the same bytes: the start of 2024, in seconds. */
const fixedTime = 1_704_067_200;

/**
 * Packs files into a tar.gz whose bytes depend on nothing but names, modes and contents: sorted, one fixed time, owner root. The folders
 * above the files are packed too, with mode 0755.
 */
export async function packTarGz(files: readonly PackedFile[]): Promise<Buffer> {
  const folders = new Set<string>();
  for (const { name } of files) {
    const parts = name.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(`${parts.slice(0, depth).join('/')}/`);
  }
  const entries: Array<{ name: string; mode: number; content?: Buffer }> = [...folders].map((name) => ({
    name,
    mode: 0o755,
  }));
  for (const { file, name, mode } of files)
    entries.push({ name, mode: mode ?? 0o755, content: await readFile(file) });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks: Buffer[] = [];
  for (const { name, mode, content } of entries) {
    blocks.push(header(name, mode, content));
    if (content !== undefined) blocks.push(content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  blocks.push(Buffer.alloc(1024));
  return await gzip(Buffer.concat(blocks));
}

/** One header block of the ustar format. */
function header(name: string, mode: number, content: Buffer | undefined): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`Too long a name for this archive: ${name}`);
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  };
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content?.length ?? 0, 124, 12);
  octal(fixedTime, 136, 12);
  block.fill(' ', 148, 156);
  block.write(content === undefined ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** By GNU gzip: the zlib in Node.js compresses differently on different processors, and a digest must not depend on that. */
async function gzip(content: Buffer): Promise<Buffer> {
  const result = await tryRun(['gzip', '-n', '-6'], { stdin: content });
  if (result.code !== 0) throw new Error(`gzip failed: ${result.stderr}`);
  return result.bytes;
}
