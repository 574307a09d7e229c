import { type Progress, silent } from '../system/progress.ts';
import { type ExampleManifest, readManifests } from './manifests.ts';
import { settle, type Supplies } from './settle.ts';

/** Which examples are loaded, and for which addresses. */
export interface LoadExamplesOptions {
  /** Components to load; default all. */
  only?: readonly string[];
  /** What `http://artifacts.lab` becomes: a file server's `url`. Default: left as committed, for hosts of a lab. */
  filesUrl?: string;
  /** What `registry.lab:5000` becomes: a registry's `host`. Default: left as committed. */
  registryHost?: string;
  progress?: Progress;
}

/** Manifests as objects ready to be applied, and what must be served for them. */
export interface LoadedExamples extends Supplies {
  /** All, each revision before the set that names it. */
  manifests: ExampleManifest[];
  /** The MachineComponents among them. */
  components: ExampleManifest[];
  /** The MachineComponentSets among them. */
  sets: ExampleManifest[];
}

/**
 * Loads `examples/components`, gets every artifact that they name (builds, downloads; all cached), and settles digests and versions where
 * what can be had today differs from what is committed: each difference is in `notes` and told to `progress`.
 * @throws Error where an artifact can't be had, naming the manifest.
 */
export async function loadExamples(options: LoadExamplesOptions = {}): Promise<LoadedExamples> {
  const progress = options.progress ?? silent;
  const supplies: Supplies = { files: [], images: [], notes: [] };
  const manifests = [...(await readManifests()).values()]
    .flat()
    .filter(({ spec }) => options.only === undefined || options.only.includes(spec.component));
  const unknown =
    options.only?.filter((name) => !manifests.some(({ spec }) => spec.component === name)) ?? [];
  if (unknown.length > 0) throw new Error(`examples/components has no ${unknown.join(', ')}.`);
  for (const manifest of manifests) {
    await settle(manifest, supplies, progress);
    address(manifest, options);
  }
  for (const note of supplies.notes) progress(note);
  return {
    manifests,
    components: manifests.filter(({ kind }) => kind === 'MachineComponent'),
    sets: manifests.filter(({ kind }) => kind === 'MachineComponentSet'),
    ...supplies,
  };
}

/** Puts other addresses into loaded manifests; see the options of the same names. */
export function readdress(
  examples: LoadedExamples,
  to: Pick<LoadExamplesOptions, 'filesUrl' | 'registryHost'>,
): void {
  for (const manifest of examples.manifests) address(manifest, to);
}

function address(
  manifest: ExampleManifest,
  options: Pick<LoadExamplesOptions, 'filesUrl' | 'registryHost'>,
): void {
  for (const { archive, file, oci, package: deb } of manifest.spec.artifacts ?? []) {
    const download = archive ?? file ?? deb;
    if (download?.url !== undefined && options.filesUrl !== undefined)
      download.url = `${options.filesUrl}${new URL(download.url).pathname}`;
    if (oci !== undefined && options.registryHost !== undefined)
      oci.image = oci.image.replace(/^[^/]+/, options.registryHost);
  }
}
