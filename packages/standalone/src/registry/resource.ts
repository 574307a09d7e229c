import type { ObjectType } from '../apply/index.ts';
import type { SchemaRules } from '../cel/index.ts';
import type { Cause } from '../http/status.ts';
import type { KubeObject, Obj } from '../object.ts';
import type { CompiledSchema, JsonSchema } from '../schema/index.ts';
import type { FieldReader } from './selectors.ts';

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type: string;
  format: string;
  description: string;
  /** Above 0: only with `-o wide`. */
  priority: number;
  /** The cell; `now` in ms, for ages. */
  cell: (object: KubeObject, now: number) => unknown;
}

/** Where the scale subresource reads and writes, as paths below the object. */
export interface ScalePaths {
  spec: string[];
  status: string[];
  selector: string[] | undefined;
}

/** One served version of a resource. */
export interface Version {
  name: string;
  /** As given, for OpenAPI. */
  jsonSchema: JsonSchema;
  /** As pruned, defaulted and validated by. Undefined: anything goes. */
  schema: CompiledSchema | undefined;
  rules: SchemaRules | undefined;
  type: ObjectType;
  columns: Column[];
  /** Built-in kinds: the fields that are there before anybody sets any. */
  zero: Obj | undefined;
  /** Status has an endpoint of its own, and the main one leaves it alone. */
  status: boolean;
  scale: ScalePaths | undefined;
  fields: Record<string, FieldReader>;
  deprecation: string | undefined;
}

/** What a hook of a kind may look at. */
export interface HookContext {
  now: number;
  /** Who writes: user name and groups. */
  user: { username: string; groups: string[]; uid?: string; extra?: Record<string, string[]> };
  subresource: string;
}

/** What is particular to a kind. Hooks change `object` in place. */
export interface Hooks {
  /** metadata.generation is counted. */
  generation: boolean;
  /** PUT of what is not there creates it. */
  createOnUpdate: boolean;
  /** PUT must name the resourceVersion that it replaces. */
  conditionalUpdate: boolean;
  /** DELETE answers with the object and not with a Status. */
  returnDeleted: boolean;
  /** A write to /status may change metadata too: labels, annotations and finalizers. */
  statusTakesMetadata?: boolean;
  /** A new object may have a status. */
  createdWithStatus?: boolean;
  /** The top-level fields that nobody comes to own by a write to this subresource; undefined: as for custom resources. */
  ignored?: (subresource: string) => string[] | undefined;
  onCreate?: (object: KubeObject, context: HookContext) => void;
  /** Sets what the creator does not come to own. */
  prepare?: (object: KubeObject) => void;
  onUpdate?: (object: KubeObject, old: KubeObject, context: HookContext) => void;
  validate?: (object: KubeObject, old: KubeObject | undefined) => Cause[];
  /** Names are checked by this instead of as a DNS subdomain. */
  name?: 'subdomain' | 'label' | 'path';
}

/** A resource that is served, built in or from a CustomResourceDefinition. */
export interface Resource {
  /** In the store: the plural, with the group for custom resources. Two resources may show the same objects. */
  id: string;
  group: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  verbs: string[];
  custom: boolean;
  /** Subresources besides status and scale. */
  subresources: { name: string; kind: string; group?: string; version?: string; verbs: string[] }[];
  versions: Map<string, Version>;
  storageVersion: string;
  hooks: Hooks;
  /** Where the stored form is another kind's: how to read and write it. */
  convert?: { read: (stored: KubeObject) => KubeObject; write: (object: KubeObject) => KubeObject };
}

export const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** `group/version`, or the version alone for the core group. */
export function apiVersion(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

/** All resources that are served now. */
export class Resources {
  readonly #byPath = new Map<string, Resource>();
  readonly #byId = new Map<string, Resource>();
  #generation = 0;

  /** Changes whenever a resource comes, goes or changes: what was computed from the set is then stale. */
  get generation(): number {
    return this.#generation;
  }

  add(resource: Resource): void {
    this.remove(keyOf(resource));
    this.#byId.set(keyOf(resource), resource);
    for (const version of resource.versions.keys()) {
      this.#byPath.set(`${resource.group}/${version}/${resource.plural}`, resource);
    }
    this.#generation++;
  }

  /** By `plural.group`. */
  remove(key: string): void {
    const resource = this.#byId.get(key);
    if (!resource) return;
    this.#byId.delete(key);
    for (const version of resource.versions.keys()) {
      this.#byPath.delete(`${resource.group}/${version}/${resource.plural}`);
    }
    this.#generation++;
  }

  /** By what stands in a request's path. */
  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** By `plural.group`, the group empty for core: `nodes.`. */
  get(key: string): Resource | undefined {
    return this.#byId.get(key);
  }

  /** By group and kind, as owner references and Scale name it. */
  byKind(group: string, kind: string): Resource | undefined {
    return this.all().find((resource) => resource.group === group && resource.kind === kind);
  }

  all(): Resource[] {
    return [...this.#byId.values()];
  }

  /** Group to versions in order of preference; the core group first, as the empty name. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const resource of this.#byId.values()) {
      const versions = groups.get(resource.group) ?? [];
      for (const version of resource.versions.keys()) if (!versions.includes(version)) versions.push(version);
      groups.set(resource.group, versions.sort(byPreference));
    }
    return groups;
  }
}

function keyOf(resource: Resource): string {
  return `${resource.plural}.${resource.group}`;
}

/** v2 before v1 before v2beta1 before v1alpha1 before anything else. */
function byPreference(a: string, b: string): number {
  const rank = (version: string): number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (!match) return [0, 0, 0];
    const stage = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (right[i] ?? 0) - (left[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}
