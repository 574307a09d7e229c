import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { digestOf } from './digest.ts';
import type { Registry } from './registry.ts';

/** An image in a registry. */
export interface PushedImage {
  /** `REGISTRY/REPOSITORY@sha256:...` */
  image: string;
  /** The digest of its manifest, `sha256:...`. */
  digest: string;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** What an image says beside its layer. */
export interface ImageOptions {
  /** Default `latest`. */
  tag?: string;
  /** What a container runs; none for an image that only carries a component. */
  entrypoint?: readonly string[];
}

/**
 * The manifest and configuration of an image whose one layer is a tar.gz. They depend on layer and entrypoint alone, so the digest does.
 */
export function imageOf(
  layer: Buffer,
  entrypoint?: readonly string[],
): { manifest: string; config: string; digest: string } {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: entrypoint === undefined ? {} : { Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [digestOf(gunzipSync(layer))] },
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: Buffer.byteLength(config),
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: digestOf(layer),
        size: layer.length,
      },
    ],
  });
  return { manifest, config, digest: digestOf(manifest) };
}

/** Puts a component into a registry as an image of one layer. @param layerFile a tar.gz. */
export async function pushComponentImage(
  registry: Registry,
  repository: string,
  layerFile: string,
  options: ImageOptions = {},
): Promise<PushedImage> {
  const layer = await readFile(layerFile);
  const { manifest, config, digest } = imageOf(layer, options.entrypoint);
  await pushBlob(registry, repository, layer);
  await pushBlob(registry, repository, Buffer.from(config));
  const response = await fetch(`${registry.url}/v2/${repository}/manifests/${options.tag ?? 'latest'}`, {
    method: 'PUT',
    headers: { 'content-type': manifestType },
    body: manifest,
  });
  if (!response.ok)
    throw new Error(
      `The registry refused the manifest of ${repository}: ${response.status} ${await response.text()}`,
    );
  return { image: `${registry.host}/${repository}@${digest}`, digest };
}

async function pushBlob(registry: Registry, repository: string, content: Buffer): Promise<void> {
  const digest = digestOf(content);
  const there = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' });
  if (there.ok) return;
  const begun = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = begun.headers.get('location');
  if (begun.status !== 202 || location === null)
    throw new Error(`The registry takes no upload for ${repository}: ${begun.status}`);
  const target = new URL(location, registry.url);
  target.searchParams.set('digest', digest);
  const stored = await fetch(target, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(content),
  });
  if (stored.status !== 201)
    throw new Error(`The registry refused a blob of ${repository}: ${stored.status} ${await stored.text()}`);
}
