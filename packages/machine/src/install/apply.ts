import {
  type Client,
  type Clock,
  ClusterRole,
  ClusterRoleBinding,
  CustomResourceDefinition,
  isTrue,
  type Kind,
  Namespace,
  Role,
  RoleBinding,
  ServiceAccount,
  systemClock,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@kubenode/runtime';
import { installManifests } from './install.ts';

const kinds: Readonly<Record<string, Kind>> = Object.fromEntries(
  [
    ClusterRole,
    ClusterRoleBinding,
    CustomResourceDefinition,
    Namespace,
    Role,
    RoleBinding,
    ServiceAccount,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
  ].map((kind) => [kind.kind, kind]),
);

/** Field manager of the installation. */
export const installManager = 'kubenode-install';
/** A definition that is not served by then never will be. Milliseconds. */
const servedWithinMs = 60_000;

/**
 * Applies everything of `installManifests`, over an earlier version too, and resolves when the kinds are served. What is there and
 * was written by others is left alone, but for the fields that are ours.
 * @param told called with `Kind/name` of each object, once it is applied
 * @throws ApiError where something was refused; what was applied before it stays, and the same call goes on from there
 */
export async function install(
  client: Client,
  signal: AbortSignal,
  told: (object: string) => void = () => undefined,
  clock: Clock = systemClock,
): Promise<void> {
  for (const manifest of installManifests()) {
    const kind = kinds[manifest.kind ?? ''];
    if (kind === undefined)
      throw new TypeError(`no way to apply a ${manifest.kind ?? 'thing without a kind'}`);
    const { name = '' } = manifest.metadata;
    const object = { ...manifest, metadata: { ...manifest.metadata, name } };
    await client.apply(kind, object, { fieldManager: installManager, force: true, signal });
    told(`${kind.kind}/${name}`);
  }
  const started = clock.monotonic();
  for (const { kind, metadata } of installManifests()) {
    if (kind !== CustomResourceDefinition.kind) continue;
    while (!(await isServed(client, metadata.name ?? '', signal))) {
      if (clock.monotonic() - started > servedWithinMs) {
        throw new Error(
          `${metadata.name ?? ''} is not served after ${servedWithinMs / 1000} s: kubectl describe crd tells why`,
        );
      }
      await clock.sleep(100, signal);
    }
  }
}

async function isServed(client: Client, name: string, signal: AbortSignal): Promise<boolean> {
  const definition = await client.get(CustomResourceDefinition, name, { signal });
  return isTrue(definition?.status?.conditions, 'Established');
}
