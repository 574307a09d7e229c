import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ArtifactBuild, artifactBuilds } from '../artifacts/builds.ts';
import { debVersions, ensureDeb } from '../artifacts/debs.ts';
import { digestOfFile } from '../artifacts/digest.ts';
import { imageOf } from '../artifacts/image.ts';
import type { Progress } from '../system/progress.ts';
import type { ExampleArtifact, ExampleManifest } from './manifests.ts';

/** A file that the file server must have, at a path such as `/debs/x.deb`. */
export interface SuppliedFile {
  path: string;
  file: string;
  digest: string;
}

/** An image that the registry must have. */
export interface SuppliedImage {
  repository: string;
  /** The tar.gz of its only layer. */
  layerFile: string;
  digest: string;
}

/** What the manifests ask for, as it can be had today. */
export interface Supplies {
  files: SuppliedFile[];
  images: SuppliedImage[];
  /** What is not as the committed manifests say, a sentence each. */
  notes: string[];
}

/**
 * Gets what a revision's artifacts need, and puts today's digest and version into the manifest where the committed one differs (a mirror
 * carries a newer package, another build). Addresses are left alone.
 */
export async function settle(
  manifest: ExampleManifest,
  supplies: Supplies,
  progress: Progress,
): Promise<void> {
  for (const artifact of manifest.spec.artifacts ?? []) {
    if (artifact.package !== undefined) await settlePackage(manifest, artifact.package, supplies, progress);
    else if (artifact.oci !== undefined) await settleImage(manifest, artifact.oci, supplies, progress);
    else await settleDownload(manifest, artifact, supplies, progress);
  }
}

async function settlePackage(
  manifest: ExampleManifest,
  wanted: NonNullable<ExampleArtifact['package']>,
  supplies: Supplies,
  progress: Progress,
): Promise<void> {
  const name = manifest.metadata.name;
  const deb = await ensureDeb(wanted.name, wanted.version, progress).catch(async () => {
    const [offered] = await debVersions(wanted.name);
    if (offered === undefined)
      throw new Error(`${name}: no version of the package ${wanted.name} can be had.`);
    supplies.notes.push(`${name}: ${wanted.name} ${wanted.version} is no longer offered; taking ${offered}.`);
    return await ensureDeb(wanted.name, offered, progress);
  });
  const path = `/debs/${basename(deb.file)}`;
  if (deb.version !== wanted.version) {
    // The version check finds either the whole version of the package or the upstream part of it.
    if (manifest.spec.version === wanted.version) manifest.spec.version = deb.version;
    else
      manifest.spec.version =
        manifest.spec.version?.replace(upstream(wanted.version), upstream(deb.version)) ?? '';
    if (wanted.url !== undefined) wanted.url = new URL(path, wanted.url).href;
    wanted.version = deb.version;
  }
  wanted.digest = checked(name, wanted.digest, deb.digest, supplies);
  supplies.files.push({ path, file: deb.file, digest: deb.digest });
}

/** `1.1.5` of `1:1.1.5+ds1-1+deb12u1`. */
const upstream = (version: string): string => /^(?:\d+:)?([\d.]*\d)/.exec(version)?.[1] ?? version;

async function settleImage(
  manifest: ExampleManifest,
  wanted: NonNullable<ExampleArtifact['oci']>,
  supplies: Supplies,
  progress: Progress,
): Promise<void> {
  const [reference = '', committed = ''] = wanted.image.split('@');
  const { component, version } = manifest.spec;
  const found = artifactBuilds.find((build) => build.component === component && build.version === version);
  const layerFile = await buildOf(manifest, found).build(progress);
  const { digest } = imageOf(await readFile(layerFile));
  wanted.image = `${reference}@${checked(manifest.metadata.name, committed, digest, supplies)}`;
  supplies.images.push({ repository: reference.slice(reference.indexOf('/') + 1), layerFile, digest });
}

async function settleDownload(
  manifest: ExampleManifest,
  artifact: ExampleArtifact,
  supplies: Supplies,
  progress: Progress,
): Promise<void> {
  const wanted = artifact.archive ?? artifact.file;
  if (wanted === undefined) return;
  const path = new URL(wanted.url).pathname;
  const build = buildOf(
    manifest,
    artifactBuilds.find((candidate) => candidate.path === path),
  );
  const file = await build.build(progress);
  const digest = await digestOfFile(file);
  wanted.digest = checked(manifest.metadata.name, wanted.digest, digest, supplies);
  supplies.files.push({ path, file, digest });
}

function buildOf(manifest: ExampleManifest, found: ArtifactBuild | undefined): ArtifactBuild {
  if (found !== undefined) return found;
  throw new Error(
    `${manifest.metadata.name}: the lab builds no such artifact; see lab/src/artifacts/builds.ts for those it does.`,
  );
}

/** Today's digest, with a note where it isn't the committed one. */
function checked(name: string, committed: string, found: string, supplies: Supplies): string {
  if (committed !== found)
    supplies.notes.push(`${name}: the committed digest ${committed} differs from today's ${found}.`);
  return found;
}
