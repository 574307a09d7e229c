import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** What one artifact of a manifest says; exactly one of the four kinds is there. */
export interface ExampleArtifact {
  os: string;
  arch: string;
  archive?: { url: string; digest: string; path: string };
  file?: { url: string; digest: string; path: string; mode?: string };
  oci?: { image: string; path?: string };
  package?: { name: string; version: string; digest: string; url?: string };
}

/** A manifest of `examples/components`, as an object ready to be applied; what the lab doesn't touch has no type here. */
export interface ExampleManifest {
  apiVersion: 'kubenode.io/v1alpha1';
  kind: 'MachineComponent' | 'MachineComponentSet';
  metadata: { name: string };
  spec: { component: string; version?: string; artifacts?: ExampleArtifact[]; [field: string]: unknown };
}

/** Where the committed manifests are. */
export const examplesFolder: string = fileURLToPath(new URL('../../../examples/components', import.meta.url));

/** The committed manifests by file name, in the order of the files, each revision before the set that names it. */
export async function readManifests(): Promise<Map<string, ExampleManifest[]>> {
  const manifests = new Map<string, ExampleManifest[]>();
  for (const name of (await readdir(examplesFolder)).filter((file) => file.endsWith('.yaml')).sort()) {
    const documents = parseAllDocuments(await readFile(join(examplesFolder, name), 'utf8'));
    if (!Array.isArray(documents)) continue;
    for (const document of documents)
      if (document.errors[0] !== undefined)
        throw new Error(`examples/components/${name}: ${document.errors[0].message}`);
    manifests.set(
      name,
      documents.map((document) => document.toJS() as ExampleManifest),
    );
  }
  return manifests;
}
