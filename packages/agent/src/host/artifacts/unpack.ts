import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';

import type { StagedFile } from '../../ports.ts';
import { ArtifactError } from '../errors.ts';
import { decompressed } from './decompress.ts';
import type { DownloadOptions } from './download.ts';
import { checkSpace } from './download.ts';
import type { TarEntry } from './tar.ts';
import { readTar, TarError } from './tar.ts';

export interface UnpackLimits {
  /** Kubernetes' node archives have some hundred entries. */
  readonly entries: number;
  /** All content together, decompressed. */
  readonly bytes: number;
}
export const defaultLimits: UnpackLimits = { entries: 100_000, bytes: 8 * 1024 ** 3 };

export interface UnpackRequest {
  /** For messages: where the archive came from. */
  readonly address: string;
  /** Path of this machine. */
  readonly archive: string;
  /** Host path that the names of the archive are below. */
  readonly target: string;
  /** Makes the place of the next file's content: `real` of this machine and `staged` as a host path. */
  readonly place: () => { readonly real: string; readonly staged: string };
  readonly limits: UnpackLimits;
  readonly options: DownloadOptions;
}

/**
 * Unpacks an archive's files beside each other under numbers: no name of an archive ever becomes a path while unpacking, so none can
 * lead anywhere. Links are only recorded. Later entries replace earlier ones of their name. Adds to `into`, by path.
 */
export async function unpack(
  request: UnpackRequest,
  into: Map<string, StagedFile>,
  signal: AbortSignal,
): Promise<void> {
  let entries = 0;
  let bytes = 0;
  try {
    for await (const entry of readTar(await decompressed(request.archive))) {
      signal.throwIfAborted();
      entries += 1;
      bytes += entry.size;
      if (entries > request.limits.entries || bytes > request.limits.bytes) {
        throw unsafe(
          request,
          `it has more than ${request.limits.entries} entries or ${request.limits.bytes} bytes`,
          'split it',
        );
      }
      await take(request, entry, into);
    }
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    const message = `archive ${request.address} cannot be unpacked: ${error.message}; nothing of it was used`;
    throw new ArtifactError(request.address, 'Malformed', message, { cause: error });
  }
}

async function take(request: UnpackRequest, entry: TarEntry, into: Map<string, StagedFile>): Promise<void> {
  const name = safeName(request, entry.name);
  if (name === '' || entry.kind === 'directory') return;
  // Marks of deletion between the layers of an image, which mean nothing on a host.
  if (path.posix.basename(name).startsWith('.wh.')) return;
  const hostPath = path.posix.join(request.target, name);
  refuseThroughLink(request, hostPath, into);
  if (entry.kind === 'file') {
    into.set(hostPath, { path: hostPath, mode: entry.mode, ...(await store(request, entry)) });
    return;
  }
  if (entry.kind === 'symlink') {
    into.set(hostPath, { path: hostPath, mode: 0o777, target: safeLink(request, name, entry.target) });
    return;
  }
  if (entry.kind === 'hardlink') {
    const original = into.get(path.posix.join(request.target, safeName(request, entry.target)));
    if (original === undefined)
      throw unsafe(
        request,
        `'${entry.name}' links to '${entry.target}', which is not in it before`,
        'pack it again',
      );
    into.set(hostPath, { ...original, path: hostPath });
    return;
  }
  throw unsafe(
    request,
    `'${entry.name}' is a device, pipe or other special file`,
    'pack only files, folders and links',
  );
}

async function store(request: UnpackRequest, entry: TarEntry): Promise<{ staged: string; digest: string }> {
  const { real, staged } = request.place();
  await checkSpace(request.address, real, entry.size, request.options);
  const file = await open(real, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    for await (const chunk of entry.content) {
      hash.update(chunk);
      await file.appendFile(chunk);
    }
    await file.sync();
    return { staged, digest: `sha256:${hash.digest('hex')}` };
  } finally {
    await file.close();
  }
}

/** The name without `.` and doubled slashes. Throws for what would leave the target. */
function safeName(request: UnpackRequest, name: string): string {
  if (name.startsWith('/'))
    throw unsafe(request, `'${name}' is an absolute name`, 'pack with relative names');
  if (name.includes('\0')) throw unsafe(request, 'a name contains a NUL byte', 'pack it again');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw unsafe(request, `'${name}' has '..' in its name`, 'pack with plain relative names');
  return parts.join('/');
}

/** The link's target as written. Throws where it leads out of the folder that the archive is unpacked into. */
function safeLink(request: UnpackRequest, name: string, target: string): string {
  const from = path.posix.join(request.target, path.posix.dirname(name));
  const leadsTo = path.posix.resolve(from, target);
  const inside =
    request.target === '/' || leadsTo === request.target || leadsTo.startsWith(`${request.target}/`);
  // Beyond the root, `..` stays at the root: with the target `/` that would hide a link that climbs out.
  const climbs = !target.startsWith('/') && climbsOut(path.posix.dirname(name), target);
  if (target === '' || !inside || climbs) {
    throw unsafe(
      request,
      `'${name}' links to '${target}', outside of ${request.target}`,
      'pack only links that stay inside',
    );
  }
  return target;
}

function climbsOut(folder: string, target: string): boolean {
  const joined = path.posix.normalize(path.posix.join(folder, target));
  return joined === '..' || joined.startsWith('../');
}

/** An entry below a link of the same archive would be written to wherever that leads. */
function refuseThroughLink(
  request: UnpackRequest,
  hostPath: string,
  into: ReadonlyMap<string, StagedFile>,
): void {
  for (
    let folder = path.posix.dirname(hostPath);
    folder.length >= request.target.length;
    folder = path.posix.dirname(folder)
  ) {
    const above = into.get(folder);
    if (above !== undefined)
      throw unsafe(
        request,
        `'${hostPath}' stands below '${folder}', which is a link or a file in it`,
        'pack it again',
      );
    if (folder === '/') return;
  }
}

function unsafe(request: UnpackRequest, what: string, todo: string): ArtifactError {
  return new ArtifactError(
    request.address,
    'Unsafe',
    `archive ${request.address} is refused: ${what}; nothing of it was used; ${todo} and make a new revision`,
  );
}
