/** Manifests as files hold them, and how they get to a server. */
import { MachineComponent, MachineComponentSet, MachineImport } from '@kubenode/machine';
import type { Client, Kind, KubeObject } from '@kubenode/runtime';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const kinds: Readonly<Record<string, Kind<KubeObject>>> = {
  MachineComponent,
  MachineComponentSet,
  MachineImport,
};

/** Server-side apply of all of them, in order. */
export async function applyManifests(client: Client, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    const kind = kinds[manifest.kind];
    if (kind === undefined)
      throw new Error(`${manifest.kind} ${manifest.metadata.name} cannot be applied here`);
    await client.apply(kind, manifest, { fieldManager: 'kubenode-demo', force: true });
  }
}
