import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Fetcher, StagedFile, StageRequest } from '../../ports.ts';
import { ArtifactError } from '../errors.ts';
import { removeDurably, replaceFile } from '../files/atomic.ts';
import { hashFile } from '../files/digests.ts';
import type { RootedPaths } from '../files/rooted-paths.ts';
import { isMissing } from '../files/rooted-paths.ts';
import type { DownloadOptions } from './download.ts';
import { download } from './download.ts';
import { display } from './http.ts';
import { pullLayers } from './oci.ts';
import { readSources } from './sources.ts';
import type { UnpackLimits } from './unpack.ts';
import { defaultLimits, unpack } from './unpack.ts';

export interface FetcherOptions {
  readonly paths: RootedPaths;
  /** Host path of sources.json. */
  readonly sourcesFile: string;
  /** Go's word for this machine's architecture, by which an image index is read. */
  readonly architecture: string;
  readonly download?: Partial<Omit<DownloadOptions, 'sources' | 'resolve'>>;
  readonly limits?: UnpackLimits;
}

/**
 * Stages artifacts below a folder: `<key>/files/<n>` holds contents, `<key>/index.json` is written last and says that all of it is
 * there and verified, so that a stage that was cut off goes on and a finished one costs no download.
 */
export class HttpFetcher implements Fetcher {
  readonly #options: FetcherOptions;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  async stage(request: StageRequest, folder: string, signal: AbortSignal): Promise<readonly StagedFile[]> {
    const key = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 12);
    const stagedFolder = path.posix.join(folder, key);
    const real = await this.#options.paths.target(stagedFolder);
    const known = await this.#verifiedIndex(path.join(real, 'index.json'));
    if (known !== undefined) {
      await dropDownloads(request, real);
      return known;
    }
    // Files of a stage that was cut off; downloads are kept and resumed.
    await rm(path.join(real, 'files'), { recursive: true, force: true });
    await mkdir(path.join(real, 'files'), { recursive: true, mode: 0o700 });
    const files = await this.#stage(request, { real, stagedFolder }, signal);
    const index = JSON.stringify(files);
    await replaceFile(path.join(real, 'index.json'), { mode: 0o600, owner: undefined }, index);
    await dropDownloads(request, real);
    return files;
  }

  async #stage(
    request: StageRequest,
    place: { readonly real: string; readonly stagedFolder: string },
    signal: AbortSignal,
  ): Promise<readonly StagedFile[]> {
    const options = await this.#downloadOptions();
    const downloads = path.join(place.real, 'download');
    if (request.kind === 'file') {
      await download(
        { url: request.url, digest: request.digest, to: path.join(downloads, 'file') },
        options,
        signal,
      );
      const staged = path.posix.join(place.stagedFolder, 'download/file');
      return [{ path: request.path, staged, mode: request.mode, digest: request.digest }];
    }
    const files = new Map<string, StagedFile>();
    let count = 0;
    const next = (): { real: string; staged: string } => {
      count += 1;
      const name = `files/${count}`;
      return { real: path.join(place.real, name), staged: path.posix.join(place.stagedFolder, name) };
    };
    const common = {
      target: path.posix.resolve('/', request.path),
      place: next,
      limits: this.#options.limits ?? defaultLimits,
      options,
    };
    if (request.kind === 'archive') {
      const archive = path.join(downloads, 'archive');
      const wanted = { url: request.url, digest: request.digest, to: archive, isTemporary: true };
      await download(wanted, options, signal);
      await unpack({ ...common, archive, address: display(request.url) }, files, signal);
    } else {
      const platform = { os: 'linux', architecture: this.#options.architecture };
      for (const layer of await pullLayers(request.image, platform, downloads, options, signal)) {
        if (layer.title === undefined) {
          // Each layer may replace what an earlier one brought, links included.
          const layerFiles = new Map<string, StagedFile>();
          await unpack({ ...common, archive: layer.file, address: request.image }, layerFiles, signal);
          for (const [hostPath, file] of layerFiles) files.set(hostPath, file);
        } else {
          await this.#plainLayer(request, layer, { real: place.real, next }, files);
        }
      }
    }
    if (files.size === 0) {
      const address = request.kind === 'oci' ? request.image : display(request.url);
      throw new ArtifactError(
        address,
        'Malformed',
        `${address} contains no file: correct the address in the revision`,
      );
    }
    return [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** A layer that is one file by itself, named by its title. */
  async #plainLayer(
    request: StageRequest & { readonly kind: 'oci' },
    layer: { readonly digest: string; readonly title: string | undefined; readonly file: string },
    place: { readonly real: string; readonly next: () => { real: string; staged: string } },
    files: Map<string, StagedFile>,
  ): Promise<void> {
    const title = layer.title ?? '';
    if (!/^[\w.+-]+$/.test(title) || title === '.' || title === '..') {
      throw new ArtifactError(
        request.image,
        'Unsafe',
        `image ${request.image} has a layer titled '${title}', which is no plain file name`,
      );
    }
    const { real, staged } = place.next();
    await rename(layer.file, real);
    const hostPath = path.posix.join(request.path, title);
    files.set(hostPath, { path: hostPath, staged, mode: 0o755, digest: layer.digest });
  }

  async #downloadOptions(): Promise<DownloadOptions> {
    const { paths, sourcesFile, download: more } = this.#options;
    const sources = await readSources(await paths.target(sourcesFile));
    return { ...more, sources, resolve: (hostPath) => paths.target(hostPath) };
  }

  /** The index of a finished stage, if all of it still is what it was: a power cut or a person may have changed it. */
  async #verifiedIndex(file: string): Promise<readonly StagedFile[] | undefined> {
    try {
      const files = JSON.parse(await readFile(file, 'utf8')) as readonly StagedFile[];
      for (const { staged, digest } of files) {
        if (staged === undefined) continue;
        if ((await hashFile(await this.#options.paths.target(staged))) !== digest) return undefined;
      }
      return files;
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** What was unpacked is not needed any more. Durably: nobody looks for it once the step is done. */
async function dropDownloads(request: StageRequest, real: string): Promise<void> {
  if (request.kind !== 'file') await removeDurably(path.join(real, 'download'));
}
