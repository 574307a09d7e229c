import type { Virtual } from '../kinds/virtual.ts';
import type { Obj } from '../object.ts';
import type { Resource, Version } from '../registry/resource.ts';

const STATUS = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Status';
const DELETE = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const PATCH = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

function query(name: string, type: string, description: string): Obj {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

/** kubectl looks for `fieldValidation` to know that the server validates. */
const WRITE = [
  query(
    'dryRun',
    'string',
    'When present, indicates that modifications should not be persisted. Valid value: All.',
  ),
  query('fieldManager', 'string', 'The name of the actor that is making these changes, at most 128 bytes.'),
  query(
    'fieldValidation',
    'string',
    'How unknown and duplicate fields are handled: Ignore, Warn (the default) or Strict.',
  ),
];
const LIST = [
  query('allowWatchBookmarks', 'boolean', 'Requests watch events with type "BOOKMARK".'),
  query('continue', 'string', 'Where to continue, from an earlier answer.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'The greatest number of objects to answer at once.'),
  query('resourceVersion', 'string', 'What resource versions a request may be served from.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is applied to a list.'),
  query('sendInitialEvents', 'boolean', 'Begins a watch with the state as it is.'),
  query('timeoutSeconds', 'integer', 'Timeout of a list or watch.'),
  query('watch', 'boolean', 'Watches for changes.'),
];

function content(ref: string): Obj {
  return { 'application/json': { schema: { $ref: ref } } };
}

function answers(ref: string, ...codes: string[]): Obj {
  const out: Obj = { '401': { description: 'Unauthorized' } };
  for (const code of codes) out[code] = { description: 'OK', content: content(ref) };
  return out;
}

/** The paths of a resource: collection, object, subresources. */
export function pathsOf(resource: Resource, version: Version, ref: string, listRef: string): Obj {
  const { group, kind, namespaced, plural } = resource;
  const base = group ? `/apis/${group}/${version.name}` : `/api/${version.name}`;
  const tag = `${group ? camel(group) : 'core'}_${version.name}`;
  const operation = (action: string, verb: string, more: Obj): Obj => ({
    tags: [tag],
    description: `${verb} ${kind}`,
    operationId: `${verb}${camel(`${group || 'core'}.${version.name}`)}${namespaced ? 'Namespaced' : ''}${kind}`,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version: version.name, kind },
    ...more,
  });
  const body = (of: string): Obj => ({ requestBody: { content: content(of), required: true } });
  const patchBody = {
    requestBody: {
      required: true,
      content: Object.fromEntries(
        ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'].map(
          (type) => [type, { schema: { $ref: PATCH } }],
        ),
      ),
    },
  };
  const path = namespaced
    ? [{ name: 'namespace', in: 'path', required: true, schema: { type: 'string' } }]
    : [];
  const one = [...path, { name: 'name', in: 'path', required: true, schema: { type: 'string' } }];
  const collection = namespaced ? `${base}/namespaces/{namespace}/${plural}` : `${base}/${plural}`;
  const view = (suffix: string, parameters: Obj[]): Obj => ({
    parameters,
    get: operation('get', `read${suffix}`, { responses: answers(ref, '200') }),
    put: operation('put', `replace${suffix}`, {
      parameters: WRITE,
      ...body(ref),
      responses: answers(ref, '200', '201'),
    }),
    patch: operation('patch', `patch${suffix}`, {
      parameters: WRITE,
      ...patchBody,
      responses: answers(ref, '200', '201'),
    }),
  });
  const out: Obj = {
    [collection]: {
      parameters: path,
      get: operation('list', 'list', { parameters: LIST, responses: answers(listRef, '200') }),
      post: operation('post', 'create', {
        parameters: WRITE,
        ...body(ref),
        responses: answers(ref, '200', '201', '202'),
      }),
      delete: operation('deletecollection', 'deleteCollection', {
        parameters: LIST,
        ...body(DELETE),
        responses: answers(STATUS, '200'),
      }),
    },
    [`${collection}/{name}`]: {
      ...view('', one),
      delete: operation('delete', 'delete', {
        parameters: WRITE.slice(0, 1),
        ...body(DELETE),
        responses: answers(STATUS, '200', '202'),
      }),
    },
  };
  if (version.status) out[`${collection}/{name}/status`] = view('Status', one);
  return out;
}

/** A kind that is only ever POSTed. */
export function virtualPath(virtual: Virtual, ref: string): Obj {
  const { group, version, kind, plural } = virtual;
  const where = virtual.namespaced ? `namespaces/{namespace}/${plural}` : plural;
  return {
    [`/apis/${group}/${version}/${where}`]: {
      post: {
        tags: [`${camel(group)}_${version}`],
        operationId: `create${camel(`${group}.${version}`)}${kind}`,
        parameters: WRITE,
        requestBody: { content: content(ref), required: true },
        responses: answers(ref, '200', '201'),
        'x-kubernetes-action': 'post',
        'x-kubernetes-group-version-kind': { group, version, kind },
      },
    },
  };
}

function camel(name: string): string {
  return name
    .replace(/\.k8s\.io/, '')
    .split(/[.-]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
