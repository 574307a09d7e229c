/** Manifests as files hold them, and how they get to a server. */
import { type Client, isNotFound, type KubeObject } from '@kubenode/runtime';

export interface Manifest extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeObject['metadata'] & { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A kind that was defined a moment ago is served a moment later. */
const servedWithinMs = 10_000;

/** Server-side apply of all of them, in order. */
export async function applyManifests(client: Client, manifests: readonly KubeObject[]): Promise<void> {
  for (const manifest of manifests) {
    const deadline = Date.now() + servedWithinMs;
    for (;;) {
      try {
        await client.raw('PATCH', pathOf(manifest), JSON.stringify(manifest), {
          contentType: 'application/apply-patch+yaml',
          idempotent: true,
        });
        break;
      } catch (error) {
        if (!isNotFound(error) || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

function pathOf({ apiVersion = '', kind = '', metadata }: KubeObject): string {
  const prefix = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const plural =
    kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : `${kind.toLowerCase()}s`;
  return `${prefix}${namespace}/${plural}/${metadata.name ?? ''}?fieldManager=kubenode-demo&force=true`;
}
