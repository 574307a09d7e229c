import { createHash } from 'node:crypto';
import type { Obj } from '../object.ts';
import { apiVersion, type Resource, type Resources } from '../registry/resource.ts';
import { VIRTUAL } from '../kinds/virtual.ts';

interface Sub {
  name: string;
  kind: string;
  group: string;
  version: string;
  verbs: string[];
}

interface Listed {
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames: string[];
  categories: string[];
  subresources: Sub[];
}

const STATUS = ['get', 'patch', 'update'];

/** What the clients are told exists. Computed again only when the set of resources changed. */
export class Discovery {
  readonly #resources: Resources;
  #generation = -1;
  readonly #cache = new Map<string, { body: string; etag: string }>();

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  /** The document for a path, or undefined where the path is none of discovery. */
  document(path: string, aggregated: boolean): { body: string; etag: string } | undefined {
    if (this.#generation !== this.#resources.generation) {
      this.#cache.clear();
      this.#generation = this.#resources.generation;
    }
    const clean = path.replace(/\/$/, '');
    const key = `${clean} ${aggregated}`;
    const held = this.#cache.get(key);
    if (held) return held;
    const made = this.#make(clean, aggregated);
    if (!made) return undefined;
    const body = `${JSON.stringify(made)}\n`;
    const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
    const document = { body, etag };
    this.#cache.set(key, document);
    return document;
  }

  #groups(): Map<string, string[]> {
    const groups = this.#resources.groups();
    for (const { group, version } of VIRTUAL) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return groups;
  }

  #make(path: string, aggregated: boolean): Obj | undefined {
    const parts = path.split('/').slice(1);
    if (path === '/api') {
      if (aggregated) return this.#aggregated(['']);
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    }
    const groups = this.#groups();
    if (path === '/apis') {
      const named = [...groups.keys()].filter((group) => group !== '');
      if (aggregated) return this.#aggregated(named);
      return {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: named.map((group) => describe(group, groups.get(group) ?? [])),
      };
    }
    if (parts[0] === 'api' && parts.length === 2 && parts[1] === 'v1') return this.#list('', 'v1');
    if (parts[0] !== 'apis') return undefined;
    const [, group = '', version] = parts;
    const versions = group === '' ? undefined : groups.get(group);
    if (!versions) return undefined;
    if (parts.length === 2) return { kind: 'APIGroup', apiVersion: 'v1', ...describe(group, versions) };
    if (parts.length === 3 && version && versions.includes(version)) return this.#list(group, version);
    return undefined;
  }

  #listed(group: string, version: string): Listed[] {
    const own = this.#resources
      .all()
      .filter((resource) => resource.group === group && resource.versions.has(version))
      .map((resource) => listed(resource, version));
    const virtual = VIRTUAL.filter((v) => v.group === group && v.version === version).map((v) => ({
      plural: v.plural,
      singular: v.kind.toLowerCase(),
      kind: v.kind,
      namespaced: v.namespaced,
      verbs: ['create'],
      shortNames: [],
      categories: [],
      subresources: [],
    }));
    return [...own, ...virtual].sort((a, b) => (a.plural < b.plural ? -1 : 1));
  }

  #aggregated(groups: string[]): Obj {
    const all = this.#groups();
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      metadata: {},
      items: groups.map((group) => ({
        metadata: group ? { name: group } : {},
        versions: (all.get(group) ?? []).map((version) => ({
          version,
          resources: this.#listed(group, version).map((r) => ({
            resource: r.plural,
            responseKind: { group, version, kind: r.kind },
            scope: r.namespaced ? 'Namespaced' : 'Cluster',
            singularResource: r.singular,
            verbs: r.verbs,
            ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
            ...(r.categories.length ? { categories: r.categories } : {}),
            ...(r.subresources.length
              ? {
                  subresources: r.subresources.map((sub) => ({
                    subresource: sub.name,
                    responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
                    verbs: sub.verbs,
                  })),
                }
              : {}),
          })),
          freshness: 'Current',
        })),
      })),
    };
  }

  #list(group: string, version: string): Obj {
    const resources = this.#listed(group, version).flatMap((r) => [
      {
        name: r.plural,
        singularName: r.singular,
        namespaced: r.namespaced,
        kind: r.kind,
        verbs: r.verbs,
        ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
        ...(r.categories.length ? { categories: r.categories } : {}),
        storageVersionHash: hash(`${group}/${version}/${r.kind}`),
      },
      ...r.subresources.map((sub) => ({
        name: `${r.plural}/${sub.name}`,
        singularName: '',
        namespaced: r.namespaced,
        ...(sub.group === group && sub.version === version ? {} : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]);
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion(group, version), resources };
  }
}

function listed(resource: Resource, version: string): Listed {
  const { group } = resource;
  const detail = resource.versions.get(version);
  const own = (name: string, kind: string, verbs: string[]): Sub => ({ name, kind, group, version, verbs });
  const subresources: Sub[] = resource.subresources.map((sub) => ({
    name: sub.name,
    kind: sub.kind,
    group: sub.group ?? group,
    version: sub.version ?? version,
    verbs: sub.verbs,
  }));
  const scale: Sub = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: STATUS };
  if (detail?.scale && !resource.custom) subresources.push(scale);
  if (detail?.status) subresources.push(own('status', resource.kind, STATUS));
  if (detail?.scale && resource.custom) subresources.push(scale);
  return { ...resource, subresources };
}

function describe(group: string, versions: string[]): Obj {
  const named = versions.map((version) => ({ groupVersion: apiVersion(group, version), version }));
  return { name: group, versions: named, preferredVersion: named[0] };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}
