import {
  type AnyMeta,
  apiVersionOf,
  type Kind,
  type KubeObject,
  keyString,
  type OwnerReference,
} from '../client/object.ts';

/** The reference that makes `owner` the controller of an object. Throws where the owner has no uid yet. */
export function controllerReference(kind: Kind, owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  if (name === undefined || uid === undefined) {
    throw new TypeError(
      `${kind.kind} ${name ?? '(without a name)'}: an owner must have a uid; read it from the server first`,
    );
  }
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The reference of an object's controller, if it is of that kind (any version of the group). */
export function controllerOf(
  metadata: Pick<AnyMeta, 'ownerReferences'>,
  kind: Pick<Kind, 'group' | 'kind'>,
): OwnerReference | undefined {
  return metadata.ownerReferences?.find(
    (reference) =>
      reference.controller === true &&
      reference.kind === kind.kind &&
      groupOf(reference.apiVersion) === kind.group,
  );
}

/** The queue key of an object's controller. */
export function controllerKey(
  metadata: Pick<AnyMeta, 'ownerReferences' | 'namespace'>,
  kind: Pick<Kind, 'group' | 'kind' | 'namespaced'>,
): string | undefined {
  const reference = controllerOf(metadata, kind);
  if (reference === undefined) return undefined;
  return keyString({
    name: reference.name,
    ...(kind.namespaced && metadata.namespace !== undefined ? { namespace: metadata.namespace } : {}),
  });
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
