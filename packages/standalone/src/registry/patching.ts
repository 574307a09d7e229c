/** Bodies of PATCH: what they make of an object, and what is wrong with them. */
import { goValue, jsonPatch, mergePatch, strategicMergePatch } from '../apply/index.ts';
import { ApiError, badRequest, type Cause } from '../http/status.ts';
import { clone, isObj, show, type KubeObject, type Obj } from '../object.ts';
import { stringifyJson } from '../schema/index.ts';
import { metadataTypeProblem } from './metadata.ts';
import type { Request } from './request.ts';
import { apiVersion } from './resource.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** What strict decoding complains about: the object as patched, or of a strategic patch the patch, in Go's form. */
export function decoded(type: PatchType, patch: unknown, object: KubeObject): string {
  return type === 'strategic' ? goValue(patch) : stringifyJson(object, { sortKeys: true });
}

/** The live object as the patch makes it. @throws ApiError for a patch that can't be applied, or that makes another object. */
export function patched(live: KubeObject, type: PatchType, patch: unknown, request: Request): KubeObject {
  let out: Obj;
  try {
    let next: Obj;
    if (type === 'json') next = jsonPatch(live, patch);
    else if (type === 'merge') next = mergePatch(live, patch);
    else next = strategicMergePatch(request.version.jsonSchema, live, patch);
    out = clone(next);
  } catch (error) {
    return applyFailure(error, request, type);
  }
  const problem = metadataTypeProblem(out['metadata']);
  if (problem) throw badRequest(problem);
  const metadata = isObj(out['metadata']) ? out['metadata'] : {};
  if (metadata['name'] && metadata['name'] !== request.name) {
    throw badRequest(
      `the name of the object (${show(metadata['name'])}) does not match the name on the URL (${request.name})`,
    );
  }
  const version = apiVersion(request.resource.group, request.version.name);
  const { kind } = request.resource;
  if (request.resource.custom && (out['kind'] !== kind || out['apiVersion'] !== version)) {
    throw badRequest(`invalid object type: ${show(out['apiVersion'])}, Kind=${show(out['kind'])}`);
  }
  return { ...out, apiVersion: version, kind, metadata: { ...metadata, name: request.name } };
}

/** What the real server refuses in an applied configuration before merging. */
export function checkApplied(config: unknown, request: Request): KubeObject {
  const { resource, version } = request;
  const group = apiVersion(resource.group, version.name);
  if (!isObj(config)) throw badRequest('error decoding YAML: the patch must be an object');
  const given = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
  const kind = typeof config['kind'] === 'string' ? config['kind'] : '';
  if (given !== group || kind !== resource.kind) {
    throw badRequest(`invalid object type: ${given || '/'}, Kind=${kind}`);
  }
  const metadata = isObj(config['metadata']) ? config['metadata'] : {};
  if (!metadata['name']) {
    throw badRequest(
      `the name of the object (${request.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata['name'] !== request.name) {
    throw badRequest(
      `the name of the object (${show(metadata['name'])}) does not match the name on the URL (${request.name})`,
    );
  }
  const namespace = metadata['namespace'];
  if (resource.namespaced && namespace && namespace !== request.namespace) {
    throw badRequest(
      `the namespace of the object (${show(namespace)}) does not match the namespace on the request (${request.namespace})`,
    );
  }
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  return config as KubeObject;
}

/** Errors of the apply library, as they go to the client. */
export function applyFailure(error: unknown, request: Request, type: string): never {
  const failed = error as { code?: unknown; reason?: unknown; message?: unknown; causes?: unknown };
  if (!(error instanceof Error) || typeof failed.code !== 'number') throw error;
  const causes = Array.isArray(failed.causes) ? (failed.causes as Cause[]) : [];
  const { group, plural } = request.resource;
  const reason = failed.reason === 'InternalError' ? '' : String(failed.reason);
  if (failed.code === 422 && type === 'json') {
    // All that the real server says of a JSON patch that can't be applied.
    throw new ApiError(422, reason, 'the server rejected our request due to an error in our request', {});
  }
  let details: Obj | undefined;
  if (failed.code === 409) details = { causes };
  else if (failed.code === 422) {
    details = { name: request.name, ...(group ? { group } : {}), kind: plural };
    if (causes.length > 0) details['causes'] = causes;
  }
  throw new ApiError(failed.code, reason, error.message, details);
}
