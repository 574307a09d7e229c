import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { ArtifactError } from '../errors.ts';
import type { DownloadOptions, DownloadRequest } from './download.ts';
import { checkDigest, download } from './download.ts';
import type { HttpAnswer } from './http.ts';
import { basic, display, get } from './http.ts';

/** Of the OCI image specification and Docker's older ones. */
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const titleAnnotation = 'org.opencontainers.image.title';
/** The specification's advice for registries; a manifest is read into memory. */
const maxManifestBytes = 4 * 1024 * 1024;
const maxTokenBytes = 64 * 1024;

export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
}

export interface Layer {
  readonly digest: string;
  /** A layer that is one plain file, as ORAS pushes them, has its name here. */
  readonly title: string | undefined;
  /** Where the verified blob lies on this machine. */
  readonly file: string;
}

/** Reads `registry/repository[:tag]@sha256:...`; the digest is what counts. Throws ArtifactError. */
export function parseImage(image: string): ImageReference {
  const [, name = '', digest] = /^([^@]+)@(.+)$/.exec(image) ?? [];
  if (digest === undefined) {
    throw new ArtifactError(
      image,
      'Invalid',
      `image '${image}' has no digest: write it as registry/repository@sha256:...`,
    );
  }
  checkDigest(image, digest);
  const withoutTag = name.replace(/:[\w.-]+$/, (tag) =>
    name.lastIndexOf('/') > name.length - tag.length ? tag : '',
  );
  const slash = withoutTag.indexOf('/');
  const registry = withoutTag.slice(0, Math.max(slash, 0));
  const repository = withoutTag.slice(slash + 1);
  if (!/^(localhost|.*[.:].*)$/.test(registry) || !/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository)) {
    throw new ArtifactError(
      image,
      'Invalid',
      `image '${image}' must name its registry: write it as registry.example/repository@sha256:...`,
    );
  }
  return { registry, repository, digest };
}

/** Downloads the image's layers for this platform, each blob verified by its digest. `folder` is of this machine. */
export async function pullLayers(
  image: string,
  platform: { readonly os: string; readonly architecture: string },
  folder: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<readonly Layer[]> {
  const reference = parseImage(image);
  const registry = new Registry(reference, image, folder, options, signal);
  let manifest = await registry.manifest(reference.digest);
  if (manifest.manifests !== undefined) {
    const fitting = manifest.manifests.find(
      ({ os, architecture }) => os === platform.os && architecture === platform.architecture,
    );
    if (fitting === undefined) {
      const has = manifest.manifests.map(({ os, architecture }) => `${os}/${architecture}`).join(', ');
      throw new ArtifactError(
        image,
        'Unsupported',
        `image ${image} has nothing for ${platform.os}/${platform.architecture}, only for ${has}`,
      );
    }
    manifest = await registry.manifest(fitting.digest);
  }
  if (manifest.layers === undefined || manifest.layers.length === 0) {
    throw new ArtifactError(
      image,
      'Malformed',
      `image ${image} has no layers: name an image or an index of images`,
    );
  }
  const layers: Layer[] = [];
  for (const { digest, title } of manifest.layers)
    layers.push({ digest, title, file: await registry.blob(digest) });
  return layers;
}

/** One repository of a registry, with the token that it asked for. */
class Registry {
  readonly #reference: ImageReference;
  readonly #image: string;
  readonly #folder: string;
  readonly #options: DownloadOptions;
  readonly #signal: AbortSignal;
  readonly #base: string;
  #headers: Readonly<Record<string, string>> = {};

  constructor(
    reference: ImageReference,
    image: string,
    folder: string,
    options: DownloadOptions,
    signal: AbortSignal,
  ) {
    this.#reference = reference;
    this.#image = image;
    this.#folder = folder;
    this.#options = options;
    this.#signal = signal;
    this.#base = `${scheme(reference.registry, options)}://${reference.registry}`;
  }

  async manifest(digest: string): Promise<Manifest> {
    const file = await this.#fetch('manifests', digest, { accept: manifestTypes.join(', ') });
    const text = await readFile(file);
    if (text.length > maxManifestBytes) throw this.#malformed(`its manifest has ${text.length} bytes`);
    let json: unknown;
    try {
      json = JSON.parse(text.toString('utf8'));
    } catch {
      throw this.#malformed('its manifest is no JSON');
    }
    return (
      parseManifest(json) ?? raise(this.#malformed('its manifest is neither one of an image nor an index'))
    );
  }

  async blob(digest: string): Promise<string> {
    return await this.#fetch('blobs', digest, {});
  }

  async #fetch(
    kind: 'manifests' | 'blobs',
    digest: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<string> {
    const to = path.join(this.#folder, digest.replace(':', '-'));
    const request: DownloadRequest = {
      url: `${this.#base}/v2/${this.#reference.repository}/${kind}/${digest}`,
      digest,
      to,
      headers: { ...headers, ...this.#headers },
      authorize: (answer) => this.#authorize(answer),
    };
    await download(request, this.#options, this.#signal);
    return to;
  }

  /** The token flow of the distribution specification: the 401 says where a token is to be had, and for what. */
  async #authorize(answer: HttpAnswer): Promise<Readonly<Record<string, string>> | undefined> {
    const challenge = answer.headers['www-authenticate'] ?? '';
    const source = this.#options.sources.find(this.#base + '/v2/');
    const login = source?.username === undefined ? undefined : basic(source.username, source.password ?? '');
    if (/^basic/i.test(challenge)) {
      this.#headers = login === undefined ? {} : { authorization: login };
      return login === undefined ? undefined : this.#headers;
    }
    const field = (name: string): string | undefined =>
      new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
    const realm = field('realm');
    if (!/^bearer/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const service = field('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', field('scope') ?? `repository:${this.#reference.repository}:pull`);
    const token = await this.#token(
      url.href,
      this.#base.startsWith('https:') && url.protocol !== 'https:' ? undefined : login,
    );
    this.#headers = { authorization: `Bearer ${token}` };
    return this.#headers;
  }

  async #token(url: string, login: string | undefined): Promise<string> {
    const answer = await get(
      url,
      login === undefined ? {} : { authorization: login },
      this.#options,
      this.#signal,
    );
    let text = '';
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > maxTokenBytes) break;
    }
    const token = answer.status === 200 ? readToken(text) : undefined;
    if (token !== undefined) return token;
    throw new ArtifactError(
      this.#image,
      'Denied',
      `registry ${this.#reference.registry} gives no token for ${this.#image} (${display(url)} answered ${answer.status}): ` +
        `put username and password for ${this.#base}/ into sources.json on the host`,
    );
  }

  #malformed(what: string): ArtifactError {
    return new ArtifactError(this.#image, 'Malformed', `image ${this.#image} cannot be used: ${what}`);
  }
}

/** Plain http only on this machine itself, or where sources.json has the registry with http:// on purpose. */
function scheme(registry: string, options: DownloadOptions): 'http' | 'https' {
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry);
  if (options.sources.find(`http://${registry}/v2/`) !== undefined) return 'http';
  return isLocal && options.sources.find(`https://${registry}/v2/`) === undefined ? 'http' : 'https';
}

interface Manifest {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly os: string;
    readonly architecture: string;
  }[];
  readonly layers?: readonly { readonly digest: string; readonly title: string | undefined }[];
}

function parseManifest(json: unknown): Manifest | undefined {
  const manifests = records(field(json, 'manifests'))?.map((item) => {
    const platform = field(item, 'platform');
    return {
      digest: text(field(item, 'digest')),
      os: text(field(platform, 'os')),
      architecture: text(field(platform, 'architecture')),
    };
  });
  if (manifests !== undefined) return { manifests };
  const layers = records(field(json, 'layers'))?.map((item) => {
    const isTar = /[.+]tar\b|[.+]tar\+|rootfs\.diff/.test(text(field(item, 'mediaType')));
    const title = text(field(field(item, 'annotations'), titleAnnotation));
    return { digest: text(field(item, 'digest')), title: isTar || title === '' ? undefined : title };
  });
  return layers === undefined ? undefined : { layers };
}

function readToken(body: string): string | undefined {
  try {
    const json: unknown = JSON.parse(body);
    const token = text(field(json, 'token')) || text(field(json, 'access_token'));
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function records(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function raise(error: Error): never {
  throw error;
}
