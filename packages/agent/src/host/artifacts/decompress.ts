import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';

import { findProgram } from '../command.ts';
import { TarError } from './tar.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz';

const magics: readonly (readonly [Compression, string])[] = [
  ['gzip', '1f8b'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
];
/** Each turn costs calls through the thread pool; these take a file of some 20 MB in some forty. */
const readChunk = 512 * 1024;
const decompressedChunk = 1024 * 1024;

/** The compression by the file's first bytes: names and media types are often wrong. */
export async function compressionOf(file: string): Promise<Compression> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const start = buffer.toString('hex', 0, bytesRead);
    return magics.find(([, magic]) => start.startsWith(magic))?.[0] ?? 'none';
  } finally {
    await handle.close();
  }
}

/** The file's content, decompressed as it is read. Throws TarError where this runtime or the host lacks what it takes. */
export async function decompressed(file: string): Promise<AsyncIterable<Buffer>> {
  const compression = await compressionOf(file);
  if (compression === 'xz') return throughXz(file);
  const source = createReadStream(file, { highWaterMark: readChunk });
  if (compression === 'none') return source;
  const zlib = await import('node:zlib');
  let decoder: Duplex;
  if (compression === 'gzip') decoder = zlib.createGunzip({ chunkSize: decompressedChunk });
  else if ('createZstdDecompress' in zlib)
    decoder = zlib.createZstdDecompress({ chunkSize: decompressedChunk });
  else throw new TarError('it is compressed with zstd, which this agent cannot read: pack it with gzip');
  // The reader of the decoder sees every error: pipeline destroys it with whatever went wrong before it.
  return explain(pipeline(source, decoder, () => undefined));
}

async function* explain(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    throw new TarError(
      `its compression is damaged (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
}

/** The runtime has no xz, hosts mostly do. */
async function* throughXz(file: string): AsyncGenerator<Buffer> {
  const program = await findProgram('', 'xz');
  if (program === undefined) {
    throw new TarError(
      'it is compressed with xz and the host has no xz program: install the package xz-utils there, or pack it with gzip',
    );
  }
  const input = await open(file, 'r');
  try {
    const child = spawn(program, ['--decompress', '--stdout', '--memlimit-decompress=256MiB'], {
      stdio: [input.fd, 'pipe', 'ignore'],
      env: {},
    });
    const ended = new Promise<number>((resolve) => {
      child.on('error', () => resolve(126));
      child.on('close', (code) => resolve(code ?? 128));
    });
    try {
      yield* child.stdout as AsyncIterable<Buffer>;
      const code = await ended;
      if (code !== 0) throw new TarError(`its xz compression is damaged (xz ended with ${code})`);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    await input.close();
  }
}
