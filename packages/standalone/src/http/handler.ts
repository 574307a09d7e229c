import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusal, type Attributes } from '../authz/attributes.ts';
import { review } from '../authz/reviews.ts';
import { authenticate } from '../authn/authenticate.ts';
import { impersonate } from '../authn/impersonate.ts';
import { ANONYMOUS, type User } from '../authn/user.ts';
import { firstFields, VIRTUAL } from '../kinds/virtual.ts';
import { isObj, type Obj, type ObjectMeta } from '../object.ts';
import type { FieldValidation, Request } from '../registry/request.ts';
import { decode, readBody } from './body.ts';
import { negotiate } from './negotiate.ts';
import type { Parts } from './parts.ts';
import { send, sendJson, sendError } from './respond.ts';
import { route, type Route } from './route.ts';
import { ApiError, badRequest, forbidden, invalid, methodNotAllowed, noSuchPath } from './status.ts';
import { serveResource } from './verbs.ts';
import { VERSION } from './version.ts';

/** Answers one HTTP request, from the first byte to the last. */
export async function handle(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://server');
    const self = authenticate(request, parts.tokens, parts.clock());
    const user = impersonate(self, request.headers, parts.authorizer);
    const found = route(url.pathname);
    if (found) await serveRoute(parts, found, url, user, request, response);
    else servePath(parts, url, user, request, response);
  } catch (error) {
    // A body that nobody reads would hold up the connection's next request.
    request.resume();
    sendError(response, error, parts.log);
  }
}

const METHODS: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function servePath(
  parts: Parts,
  url: URL,
  user: User,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = url.pathname;
  const verb = (request.method ?? 'GET').toLowerCase();
  authorize(parts, {
    user,
    verb,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path,
  });
  if (verb !== 'get' && verb !== 'head') throw methodNotAllowed();
  if (/^\/(healthz|livez|readyz)(\/.*)?$/.test(path)) {
    const verbose = url.searchParams.has('verbose');
    const name = path.slice(1);
    return send(
      response,
      200,
      verbose ? `[+]ping ok\n[+]store ok\n${name} check passed\n` : 'ok',
      'text/plain; charset=utf-8',
    );
  }
  if (path === '/version' || path === '/version/') return sendJson(response, 200, VERSION);
  if (path === '/openapi/v3' || path.startsWith('/openapi/v3/')) {
    return parts.openapi.serve(path, url.searchParams, request, response);
  }
  if (path === '/') {
    return sendJson(response, 200, {
      paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'],
    });
  }
  const wanted = path.startsWith('/api') ? negotiate(request.headers.accept) : undefined;
  const document = parts.discovery.document(path, wanted?.aggregated ?? false);
  if (!document) return send(response, 404, '404 page not found\n', 'text/plain; charset=utf-8');
  response.setHeader('etag', document.etag);
  response.setHeader('vary', 'Accept');
  if (request.headers['if-none-match'] === document.etag) {
    response.writeHead(304);
    response.end();
    return;
  }
  const aggregated = wanted?.aggregated && (path === '/api' || path === '/apis');
  const type = aggregated
    ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    : 'application/json';
  send(response, 200, document.body, type);
}

async function serveRoute(
  parts: Parts,
  found: Route,
  url: URL,
  user: User,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const verb = verbOf(request.method ?? 'GET', found, url.searchParams);
  authorize(parts, {
    user,
    verb,
    group: found.group,
    version: found.version,
    resource: found.plural,
    subresource: found.subresource,
    // A Namespace itself is authorized as if it were inside itself, as in the real server.
    namespace: found.namespace,
    name: found.name || selectedName(url.searchParams),
    fieldSelector: url.searchParams.get('fieldSelector') ?? '',
  });
  const virtual = VIRTUAL.find(
    (v) => v.group === found.group && v.version === found.version && v.plural === found.plural,
  );
  if (virtual) {
    if (request.method !== 'POST') throw methodNotAllowed();
    const { value } = decode(await readBody(request), request.headers['content-type'], virtual.kind);
    if (!isObj(value)) throw badRequest(`the body is no ${virtual.kind}`);
    const now = parts.clock();
    const typed = { kind: virtual.kind, apiVersion: `${virtual.group}/${virtual.version}` };
    const object = { ...value, ...typed, metadata: {} as ObjectMeta };
    const { fieldManager } = writeOptions(url.searchParams, request);
    const managedFields = firstFields(virtual, object, fieldManager, now);
    const answer = review(virtual.kind, object, user, found.namespace, { ...parts, now });
    const metadata = { ...(answer?.['metadata'] as Obj), ...(managedFields.length ? { managedFields } : {}) };
    return sendJson(response, 201, { ...answer, metadata });
  }
  const resource = parts.resources.find(found.group, found.version, found.plural);
  const version = resource?.versions.get(found.version);
  if (!resource || !version) {
    // The real server answers so for its own groups, and with a bare page for those of definitions.
    const own = parts.resources.all().some((one) => !one.custom && one.group === found.group);
    if (own) throw noSuchPath();
    return send(response, 404, '404 page not found\n', 'text/plain; charset=utf-8');
  }
  if (
    resource.namespaced
      ? found.name !== '' && found.namespace === ''
      : found.namespace !== '' && found.plural !== 'namespaces'
  ) {
    throw noSuchPath();
  }
  const warnings = version.deprecation ? [version.deprecation] : [];
  const made: Request = {
    user,
    verb,
    resource,
    version,
    namespace: resource.namespaced ? found.namespace : '',
    name: found.name,
    subresource: found.subresource,
    query: url.searchParams,
    warnings,
    now: parts.clock(),
    ...writeOptions(url.searchParams, request),
  };
  await serveResource(parts, made, request, response);
}

function verbOf(method: string, found: Route, query: URLSearchParams): string {
  const verb = METHODS[method];
  if (!verb) throw methodNotAllowed();
  if (verb === 'get' && found.name === '') {
    const watch = query.get('watch');
    return watch === 'true' || watch === '1' ? 'watch' : 'list';
  }
  if (verb === 'delete' && found.name === '') return 'deletecollection';
  return verb;
}

/** @throws ApiError 403, or 401 for nobody known. */
function authorize(parts: Parts, attributes: Attributes): void {
  const decision = parts.authorizer.authorize(attributes);
  if (decision.allowed) return;
  const why = decision.reason ? `${refusal(attributes)}: ${decision.reason}` : refusal(attributes);
  if (attributes.path !== undefined) {
    throw new ApiError(403, 'Forbidden', `forbidden: ${why}`, {});
  }
  if (attributes.user === ANONYMOUS && attributes.resource === '') {
    throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  }
  const { group, resource, name } = attributes;
  const error = forbidden({ group, resource }, name, why);
  throw name ? error : new ApiError(403, 'Forbidden', error.message.replace(` "${name}"`, ''), error.details);
}

/** A list or watch of one name by field selector is authorized as that name. */
function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector') ?? '';
  return /^metadata\.name==?([^,=]+)$/.exec(selector)?.[1] ?? '';
}

function writeOptions(
  query: URLSearchParams,
  request: IncomingMessage,
): Pick<Request, 'dryRun' | 'fieldManager' | 'fieldValidation'> {
  const dry = query.getAll('dryRun');
  const about = {
    group: 'meta.k8s.io',
    resource: request.method === 'PATCH' ? 'PatchOptions' : 'CreateOptions',
  };
  if (dry.some((value) => value !== 'All')) {
    throw invalid(about, '', [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(dry)}: supported values: "All"`,
        field: 'dryRun',
      },
    ]);
  }
  const manager = query.get('fieldManager') ?? '';
  if (Buffer.byteLength(manager) > 128) {
    throw invalid(about, '', [
      {
        reason: 'FieldValueTooLong',
        message: 'Too long: may not be more than 128 bytes',
        field: 'fieldManager',
      },
    ]);
  }
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Strict', 'Warn', 'Ignore'].includes(validation)) {
    throw invalid(about, '', [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`,
        field: 'fieldValidation',
      },
    ]);
  }
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown';
  return {
    dryRun: dry.length > 0,
    fieldManager: manager || agent.slice(0, 128) || 'unknown',
    fieldValidation: (validation || 'Warn') as FieldValidation,
  };
}
