import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObj, type KubeObject } from '../object.ts';
import { deleteOptions } from '../registry/deletion.ts';
import type { PatchType } from '../registry/patching.ts';
import type { Request } from '../registry/request.ts';
import { selection } from '../registry/selectors.ts';
import { asObject, decode, decodeJson, decodeYaml, mediaType, readBody } from './body.ts';
import type { Parts } from './parts.ts';
import { resourceVersion, serveList } from './list.ts';
import { negotiate, type Wanted } from './negotiate.ts';
import { sendJson, sendObject, sendWarnings } from './respond.ts';
import { scaleOf, serveSpecial, setScale } from './subresources.ts';
import { ApiError, badRequest, invalid, methodNotAllowed, notFound, tooLarge } from './status.ts';
import { serveWatch } from './watch.ts';

const PATCHES: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Serves one authorized request about a resource. */
export async function serveResource(
  parts: Parts,
  request: Request,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { resource, version, subresource } = request;
  const wanted = negotiate(incoming.headers.accept);
  if (subresource !== '') {
    const served =
      (subresource === 'status' && version.status) ||
      (subresource === 'scale' && version.scale !== undefined) ||
      resource.subresources.some((sub) => sub.name === subresource);
    if (!served) throw notFound({ group: resource.group, resource: resource.plural }, request.name);
    if (await serveSpecial(parts, request, incoming, response)) return;
    if (!['get', 'update', 'patch'].includes(request.verb)) throw methodNotAllowed();
  } else if (!resource.verbs.includes(request.verb)) throw methodNotAllowed();
  switch (request.verb) {
    case 'get':
      return get(parts, request, wanted, response);
    case 'list':
      return serveList(parts.store, request, wanted, response);
    case 'watch':
      return serveWatch(parts.store, parts.hub, request, wanted, response, parts.stopping);
    case 'create':
      return create(parts, request, wanted, incoming, response);
    case 'update':
      return update(parts, request, wanted, incoming, response);
    case 'patch':
      return patch(parts, request, wanted, incoming, response);
    case 'delete':
      return remove(parts, request, wanted, incoming, response);
    case 'deletecollection':
      return removeAll(parts, request, incoming, response);
    default:
      throw methodNotAllowed();
  }
}

function get(parts: Parts, request: Request, wanted: Wanted, response: ServerResponse): void {
  const given = request.query.get('resourceVersion');
  if (given) {
    const rv = resourceVersion(given);
    if (rv > parts.store.rv) throw tooLarge(rv, parts.store.rv);
  }
  const object = parts.registry.get(request);
  if (request.subresource === 'scale') sendJson(response, 200, scaleOf(object, request));
  else sendObject(response, 200, object, request, wanted);
}

async function create(
  parts: Parts,
  request: Request,
  wanted: Wanted,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming);
  const { value, problems } = decode(body, incoming.headers['content-type'], request.resource.kind);
  const object = asObject(value, request, body);
  if (request.name !== '') throw methodNotAllowed();
  const made = { ...request, name: object.metadata.name ?? '' };
  const { object: created } = await parts.registry.create(made, object, problems);
  sendObject(response, 201, created, made, wanted);
}

async function update(
  parts: Parts,
  request: Request,
  wanted: Wanted,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.name === '') throw badRequest('name must be provided');
  const body = await readBody(incoming);
  const { value, problems } = decode(body, incoming.headers['content-type'], request.resource.kind);
  if (request.subresource === 'scale') {
    const object = await parts.registry.modify(request, (live) => setScale(live, value, request));
    sendWarnings(response, request.warnings);
    return sendJson(response, 200, scaleOf(object, request));
  }
  const written = await parts.registry.update(request, asObject(value, request, body), problems);
  sendObject(response, written.created ? 201 : 200, written.object, request, wanted);
}

async function patch(
  parts: Parts,
  request: Request,
  wanted: Wanted,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming);
  const type = PATCHES[mediaType(incoming.headers['content-type'])];
  const custom = request.resource.custom;
  if (!type || (custom && type === 'strategic')) {
    const known = Object.keys(PATCHES).filter((name) => !custom || !name.includes('strategic'));
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${known.join(', ')}`,
    );
  }
  if (type === 'apply' && !request.query.get('fieldManager')) {
    throw invalid({ group: 'meta.k8s.io', resource: 'PatchOptions' }, '', [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: is required for apply patch',
        field: 'fieldManager',
      },
    ]);
  }
  if (type !== 'apply' && request.query.has('force')) {
    throw invalid({ group: 'meta.k8s.io', resource: 'PatchOptions' }, '', [
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: may not be specified for non-apply patch',
        field: 'force',
      },
    ]);
  }
  const strict = request.fieldValidation === 'Strict';
  const { value, problems } = type === 'apply' ? decodeYaml(body, strict) : decodeJson(body);
  if (request.subresource === 'scale') {
    const { registry } = parts;
    const object = await registry.modify(request, (live) =>
      setScale(live, mergedScale(scaleOf(live, request), value), request),
    );
    return sendJson(response, 200, scaleOf(object, request));
  }
  const force = request.query.get('force') === 'true';
  const written = await parts.registry.patch(request, type, value, { force, problems });
  sendObject(response, written.created ? 201 : 200, written.object, request, wanted);
}

function mergedScale(scale: Record<string, unknown>, given: unknown): Record<string, unknown> {
  const spec = isObj(given) && isObj(given['spec']) ? given['spec'] : {};
  return { ...scale, spec: { ...(isObj(scale['spec']) ? scale['spec'] : {}), ...spec } };
}

async function options(
  incoming: IncomingMessage,
  request: Request,
): Promise<ReturnType<typeof deleteOptions>> {
  const body = await readBody(incoming);
  const given = body.length > 0 ? decode(body, incoming.headers['content-type']).value : undefined;
  if (isObj(given) && Array.isArray(given['dryRun']) && given['dryRun'].includes('All'))
    request.dryRun = true;
  return deleteOptions(given, request.query);
}

async function remove(
  parts: Parts,
  request: Request,
  wanted: Wanted,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const deleted = await parts.registry.delete(request, await options(incoming, request));
  const { resource } = request;
  if (!deleted.removed || resource.hooks.returnDeleted) {
    return sendObject(response, 200, deleted.object, request, wanted);
  }
  sendWarnings(response, request.warnings);
  return sendJson(response, 200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: request.name,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.plural,
      uid: deleted.object.metadata.uid,
    },
  });
}

async function removeAll(
  parts: Parts,
  request: Request,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { query, resource, version } = request;
  const how = await options(incoming, request);
  const chosen = selection(
    query.get('labelSelector') ?? undefined,
    query.get('fieldSelector') ?? undefined,
    version.fields,
  );
  const items: KubeObject[] = await parts.registry.deleteCollection(request, how, chosen.matches);
  sendJson(response, 200, {
    apiVersion: resource.group ? `${resource.group}/${version.name}` : version.name,
    items,
    kind: resource.listKind,
    metadata: { ...(resource.custom ? { continue: '' } : {}), resourceVersion: String(parts.store.rv) },
  });
}
