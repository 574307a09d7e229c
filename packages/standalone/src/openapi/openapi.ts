import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from '../http/respond.ts';
import { VERSION } from '../http/version.ts';
import { componentName, components } from '../kinds/schemas.ts';
import { VIRTUAL } from '../kinds/virtual.ts';
import { isObj, type Obj } from '../object.ts';
import type { Resource, Resources, Version } from '../registry/resource.ts';
import { pathsOf, virtualPath } from './paths.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const REF = '#/components/schemas/';

interface Document {
  body: string;
  hash: string;
}

/** OpenAPI v3: an index, and one document per group and version, made when first asked for. */
export class OpenApi {
  readonly #resources: Resources;
  #generation = -1;
  readonly #documents = new Map<string, Document>();

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  serve(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    if (this.#generation !== this.#resources.generation) {
      this.#documents.clear();
      this.#generation = this.#resources.generation;
    }
    const name = path.slice('/openapi/v3'.length).replaceAll(/^\/|\/$/g, '');
    if (name === '') return this.#index(request, response);
    const document = this.#document(name);
    if (!document) return send(response, 404, '404 page not found\n', 'text/plain; charset=utf-8');
    const asked = query.get('hash');
    if (asked !== null && asked !== document.hash) {
      response.writeHead(301, { location: `/openapi/v3/${name}?hash=${document.hash}` });
      response.end();
      return;
    }
    const etag = `"${document.hash}"`;
    response.setHeader('etag', etag);
    response.setHeader('vary', 'Accept');
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304);
      response.end();
      return;
    }
    send(response, 200, document.body);
  }

  #index(request: IncomingMessage, response: ServerResponse): void {
    const paths: Obj = {};
    for (const name of this.#names()) {
      const document = this.#document(name);
      if (document) paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${document.hash}` };
    }
    const body = JSON.stringify({ paths });
    const etag = `"${hashOf(body)}"`;
    response.setHeader('etag', etag);
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304);
      response.end();
      return;
    }
    send(response, 200, body);
  }

  #names(): string[] {
    const names: string[] = [];
    const groups = this.#resources.groups();
    for (const { group, version } of VIRTUAL) {
      if (!groups.has(group)) groups.set(group, [version]);
    }
    for (const [group, versions] of groups) {
      for (const version of versions) names.push(group ? `apis/${group}/${version}` : `api/${version}`);
    }
    return names.sort();
  }

  #document(name: string): Document | undefined {
    const held = this.#documents.get(name);
    if (held) return held;
    if (!this.#names().includes(name)) return undefined;
    const parts = name.split('/');
    const version = parts.at(-1) ?? '';
    const group = parts[0] === 'apis' ? (parts[1] ?? '') : '';
    const body = JSON.stringify(this.#make(group, version));
    const document = { body, hash: hashOf(body) };
    this.#documents.set(name, document);
    return document;
  }

  #make(group: string, version: string): Obj {
    const paths: Obj = {};
    const schemas: Obj = {};
    for (const resource of this.#resources.all()) {
      const served = resource.versions.get(version);
      if (resource.group !== group || !served) continue;
      const component = define(resource, served, schemas);
      Object.assign(paths, pathsOf(resource, served, `${REF}${component}`, `${REF}${component}List`));
    }
    for (const virtual of VIRTUAL) {
      if (virtual.group !== group || virtual.version !== version) continue;
      const component = componentName(group, version, virtual.kind) ?? '';
      include(component, schemas);
      Object.assign(paths, virtualPath(virtual, `${REF}${component}`));
    }
    for (const needed of ['DeleteOptions', 'Status', 'Patch', 'ObjectMeta', 'ListMeta']) {
      include(`${META}${needed}`, schemas);
    }
    return {
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version: VERSION.gitVersion },
      paths,
      components: { schemas },
    };
  }
}

/** Adds a resource's component, its list's and what they refer to; gives its name. */
function define(resource: Resource, version: Version, schemas: Obj): string {
  const builtIn = resource.custom ? undefined : componentName(resource.group, version.name, resource.kind);
  if (builtIn) {
    include(builtIn, schemas);
    include(`${builtIn}List`, schemas);
    return builtIn;
  }
  const name = `${resource.group.split('.').reverse().join('.')}.${version.name}.${resource.kind}`;
  const gvk = (kind: string): Obj[] => [{ group: resource.group, kind, version: version.name }];
  const properties = version.jsonSchema.properties ?? {};
  schemas[name] = {
    ...version.jsonSchema,
    type: 'object',
    properties: {
      ...properties,
      ...typeMeta(),
      metadata: {
        allOf: [{ $ref: `${REF}${META}ObjectMeta` }],
        description: "Standard object's metadata.",
      },
    },
    'x-kubernetes-group-version-kind': gvk(resource.kind),
  };
  schemas[`${name}List`] = {
    description: `${resource.listKind} is a list of ${resource.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMeta(),
      metadata: { allOf: [{ $ref: `${REF}${META}ListMeta` }] },
      items: { type: 'array', items: { $ref: `${REF}${name}` } },
    },
    'x-kubernetes-group-version-kind': gvk(resource.listKind),
  };
  include(`${META}ObjectMeta`, schemas);
  return name;
}

function typeMeta(): Obj {
  return {
    apiVersion: {
      description: 'APIVersion defines the versioned schema of this representation of an object.',
      type: 'string',
    },
    kind: {
      description: 'Kind is a string value representing the REST resource this object represents.',
      type: 'string',
    },
  };
}

/** Adds a component and everything it refers to. */
function include(name: string, schemas: Obj): void {
  const component = components[name];
  if (!component || schemas[name]) return;
  schemas[name] = component;
  const follow = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(follow);
    else if (isObj(value)) {
      const ref = value['$ref'];
      if (typeof ref === 'string') include(ref.slice(REF.length), schemas);
      Object.values(value).forEach(follow);
    }
  };
  follow(component);
}

function hashOf(body: string): string {
  return createHash('sha512').update(body).digest('hex').toUpperCase();
}
