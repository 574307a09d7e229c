import { SELF } from '../authn/user.ts';
import type { Request } from './request.ts';
import type { Resource } from './resource.ts';

/** A request that the server makes of itself, as a member of system:masters. */
export function internal(
  resource: Resource,
  namespace: string,
  name: string,
  now: number,
  subresource = '',
): Request {
  const version = resource.versions.get(resource.storageVersion) ?? [...resource.versions.values()][0];
  if (!version) throw new Error(`${resource.plural}.${resource.group} serves no version`);
  return {
    user: SELF,
    verb: 'update',
    resource,
    version,
    namespace,
    name,
    subresource,
    query: new URLSearchParams(),
    dryRun: false,
    fieldManager: 'kube-apiserver',
    fieldValidation: 'Ignore',
    warnings: [],
    now,
  };
}
