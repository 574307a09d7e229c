import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ArtifactError } from '../errors.ts';
import { syncFolder } from '../files/atomic.ts';
import { hashFile } from '../files/digests.ts';
import { isMissing } from '../files/rooted-paths.ts';
import type { HttpAnswer, HttpOptions } from './http.ts';
import { display, get, NetworkError } from './http.ts';

/** Left free on a file system whatever is downloaded: the host's own programs need some. */
const reserveBytes = 64 * 1024 * 1024;
/** Written at once: a socket brings some 64 KiB a time, and each write costs calls through the thread pool. */
const writeBytes = 512 * 1024;
const firstRetryMs = 500;
const maxRetryMs = 15_000;
/** A server that sends less than this in a minute does not send: at that rate the whole time for a file would bring 4 MB. */
const leastBytes = 64 * 1024;

export interface DownloadOptions extends HttpOptions {
  /** Tries that brought no new byte, in a row, before giving up; the brain tries again later. Default 4, which takes about 4 s. */
  readonly fruitlessTries?: number;
  /** Whole time for one file. Default an hour. */
  readonly deadlineMs?: number;
  /** Within so long a server has to send 64 KiB, or the try brought nothing. Default a minute. */
  readonly slowMs?: number;
  /** Bytes free at a path of this machine; the real statfs unless a test says otherwise. */
  readonly free?: (real: string) => Promise<number>;
  readonly random?: () => number;
}

interface ReceiveOptions extends DownloadOptions {
  readonly isTemporary: boolean;
  /** When the whole time for the file is over, epoch milliseconds. */
  readonly deadline: number;
}

export interface DownloadRequest {
  readonly url: string;
  /** `sha256:<hex>`. */
  readonly digest: string;
  /** Path of this machine where it goes; a part of it stands beside as `.part` between tries and across restarts. */
  readonly to: string;
  /** It is read and removed in the step that asks for it, so that nothing is lost where a power loss takes it. */
  readonly isTemporary?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked once when the server wants to know who we are; answers headers to try again with. */
  readonly authorize?: (answer: HttpAnswer) => Promise<Readonly<Record<string, string>> | undefined>;
}

/** Throws ArtifactError unless the text is `sha256:` and 64 hexadecimal digits. */
export function checkDigest(address: string, digest: string): void {
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return;
  throw new ArtifactError(
    display(address),
    'Invalid',
    `digest '${digest}' of ${display(address)} is not sha256: and 64 lower-case hexadecimal digits`,
  );
}

/**
 * Downloads one file and verifies it: resumed, retried, mirrors in turn. What stands at `to` afterwards has that digest and is on disk, unless
 * it is temporary.
 */
export async function download(
  request: DownloadRequest,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  checkDigest(request.url, request.digest);
  if (await isThere(request.to, request.digest)) return;
  await mkdir(path.dirname(request.to), { recursive: true, mode: 0o755 });
  const failures: Error[] = [];
  for (const url of options.sources.addresses(request.url)) {
    try {
      await downloadFrom(url, request, options, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ArtifactError) || error.reason === 'NoSpace') throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (failures.length === 1 && first !== undefined) throw first;
  throw new ArtifactError(
    display(request.url),
    last(failures)?.reason ?? 'Unreachable',
    `no mirror of ${display(request.url)} served it: ${failures.map((failure) => failure.message).join('; ')}`,
  );
}

function last(failures: readonly Error[]): ArtifactError | undefined {
  const failure = failures.at(-1);
  return failure instanceof ArtifactError ? failure : undefined;
}

async function isThere(file: string, digest: string): Promise<boolean> {
  try {
    return (await hashFile(file)) === digest;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function downloadFrom(
  url: string,
  request: DownloadRequest,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  const part = `${request.to}.part`;
  const { isTemporary = false } = request;
  const tries = options.fruitlessTries ?? 4;
  const deadline = Date.now() + (options.deadlineMs ?? 3_600_000);
  let fruitless = 0;
  let headers = request.headers ?? {};
  let authorized = false;
  for (;;) {
    const before = await sizeOf(part);
    try {
      const answer = await get(
        url,
        before > 0 ? { ...headers, range: `bytes=${before}-` } : headers,
        options,
        signal,
      );
      if (answer.status === 401 && !authorized && request.authorize !== undefined) {
        authorized = true;
        const more = await request.authorize(answer);
        answer.body.destroy();
        if (more !== undefined) {
          headers = { ...headers, ...more };
          continue;
        }
      }
      const digest = await receive(url, part, before, answer, { ...options, deadline, isTemporary });
      if (digest === request.digest) break;
      await rm(part, { force: true });
      // What was resumed may have been the beginning of another file: once more, from the start.
      if (before > 0) continue;
      throw mismatch(url, request.digest, digest);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NetworkError)) throw error;
      const isFruitful = !(error instanceof TooSlow) && (await sizeOf(part)) > before;
      fruitless = isFruitful ? 0 : fruitless + 1;
      const wait =
        Math.min(firstRetryMs * 2 ** fruitless, maxRetryMs) * (0.5 + (options.random ?? Math.random)());
      if (fruitless >= tries || Date.now() + wait > deadline) throw unreachable(url, fruitless, error);
      await delay(wait, undefined, { signal });
    }
  }
  await rename(part, request.to);
  if (!isTemporary) await syncFolder(path.dirname(request.to));
}

/** Appends the body to the part and answers the digest of the whole. */
async function receive(
  url: string,
  part: string,
  have: number,
  answer: HttpAnswer,
  options: ReceiveOptions,
): Promise<string> {
  const { status, body } = answer;
  try {
    if (status === 416 && have > 0) {
      // Nothing is left to get, or the part is longer than the file: its digest decides.
      return await hashFile(part);
    }
    const resumed = status === 206 && startsAt(answer) === have;
    if (status !== 200 && !resumed) throw refusal(url, answer);
    const length = Number(answer.headers['content-length'] ?? Number.NaN);
    await checkSpace(url, part, Number.isFinite(length) ? length : 0, options);
    const file = await open(part, resumed ? 'a' : 'w', 0o600);
    try {
      const hash = createHash('sha256');
      if (resumed) await hashBeginning(part, hash);
      const received = await drain(url, body, file, hash, part, options);
      if (Number.isFinite(length) && received < length) {
        throw new NetworkError(`${display(url)} stopped after ${received} of ${length} bytes`);
      }
      if (!options.isTemporary) await file.sync();
      return `sha256:${hash.digest('hex')}`;
    } finally {
      await file.close();
    }
  } finally {
    body.destroy();
  }
}

async function drain(
  url: string,
  body: AsyncIterable<Buffer>,
  file: FileHandle,
  hash: Hash,
  part: string,
  options: ReceiveOptions,
): Promise<number> {
  let received = 0;
  let written = 0;
  let checked = 0;
  let waiting: Buffer[] = [];
  const write = async (): Promise<void> => {
    const taken = Buffer.concat(waiting);
    // Before it is tried: where the disk is full, some of it may be written, and the same must not follow once more.
    waiting = [];
    written = received;
    if (taken.length > 0) await file.appendFile(taken);
  };
  const pace = new Pace(url, options);
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new NetworkError(`${display(url)} broke off after ${received} bytes: ${why}`, { cause: error });
      });
      if (next.done === true) return received;
      hash.update(next.value);
      waiting.push(next.value);
      received += next.value.length;
      if (received - written >= writeBytes) await write();
      pace.take(next.value.length);
      if (received - checked > reserveBytes / 2) {
        checked = received;
        await checkSpace(url, part, 0, options);
      }
    }
  } finally {
    // Also of a connection that broke off: the next try goes on after it.
    await write();
  }
}

/** Holds a server to a pace: one that drips keeps a connection alive for ever. */
class Pace {
  readonly #url: string;
  readonly #options: ReceiveOptions;
  #since = Date.now();
  #bytes = 0;

  constructor(url: string, options: ReceiveOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** @throws NetworkError where it is too slow, or the whole time is over */
  take(bytes: number): void {
    const { deadline, slowMs = 60_000 } = this.#options;
    this.#bytes += bytes;
    const now = Date.now();
    if (now > deadline) throw new NetworkError(`${display(this.#url)} did not send all of it in time`);
    if (now - this.#since < slowMs) return;
    if (this.#bytes < leastBytes)
      throw new TooSlow(`${display(this.#url)} sent ${this.#bytes} bytes in ${slowMs / 1000} s`);
    this.#since = now;
    this.#bytes = 0;
  }
}

class TooSlow extends NetworkError {}

async function hashBeginning(part: string, hash: Hash): Promise<void> {
  const file = await open(part, 'r');
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 128 * 1024, autoClose: false }))
      hash.update(chunk as Buffer);
  } finally {
    await file.close();
  }
}

/** Throws ArtifactError where the file system cannot take so many bytes more and keep its reserve. */
export async function checkSpace(
  address: string,
  real: string,
  bytes: number,
  options: DownloadOptions,
): Promise<void> {
  const folder = path.dirname(real);
  const free = await (options.free ?? freeBytes)(folder);
  if (free - bytes >= reserveBytes) return;
  const mebibytes = (count: number): string => `${Math.ceil(count / 1024 / 1024)} MiB`;
  throw new ArtifactError(
    display(address),
    'NoSpace',
    `not enough space for ${display(address)}: it needs ${mebibytes(bytes)} and ${mebibytes(reserveBytes)} must stay free, ` +
      `${folder} has ${mebibytes(free)}: free some space on the host`,
  );
}

async function freeBytes(folder: string): Promise<number> {
  const stat = await statfs(folder);
  return stat.bavail * stat.bsize;
}

function startsAt(answer: HttpAnswer): number {
  return Number(/^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1] ?? -1);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** The error for a status that is no success. 408, 429 and 5xx pass; the rest needs a person. */
export function refusal(url: string, answer: HttpAnswer): Error {
  const { status } = answer;
  const where = display(answer.url);
  if (status === 408 || status === 429 || status >= 500)
    return new NetworkError(`${where} answered ${status}`);
  if (status === 404 || status === 410) {
    return new ArtifactError(
      display(url),
      'NotFound',
      `${where} answered ${status}: nothing is there; correct the address in the revision`,
    );
  }
  if (status === 401 || status === 403) {
    return new ArtifactError(
      display(url),
      'Denied',
      `${where} answered ${status}: put credentials for it into sources.json on the host, or open it to the host`,
    );
  }
  return new ArtifactError(
    display(url),
    'Malformed',
    `${where} answered ${status}, which is no file: correct the address in the revision`,
  );
}

function mismatch(url: string, wanted: string, got: string): ArtifactError {
  return new ArtifactError(
    display(url),
    'DigestMismatch',
    `${display(url)} has digest ${got} and the revision says ${wanted}: nothing of it was used; ` +
      'correct the digest in a new revision, or find out who changed the file',
  );
}

function unreachable(url: string, tries: number, error: NetworkError): ArtifactError {
  return new ArtifactError(
    display(url),
    'Unreachable',
    `${error.message} (${tries} tries without progress): check the address, the network and any proxy between the host and it; it is tried again`,
    { cause: error },
  );
}
