/** The least every Kubernetes object has in common. Kinds with stricter types (a required name, a spec) fit. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: AnyMeta;
}

/** Metadata as loosely as any kind may declare it. */
export interface AnyMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Metadata of the well-known kinds below. Times are RFC 3339 strings, as on the wire. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** A condition of metav1 shape. `status` is the truth; `lastTransitionTime` is RFC 3339. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** Where a kind is served. `T` is only a type: it names what the objects look like. */
export interface Kind<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: ties the type of the objects to the kind. */
  readonly objects?: T;
}

/** Gives a kind of any group its type: `defineKind<Machine>({ group: 'kubenode.io', ... })`. */
export function defineKind<T extends KubeObject>(kind: Omit<Kind<T>, 'objects'>): Kind<T> {
  return kind;
}

/** `v1`, `apps/v1`: what stands in an object's `apiVersion`. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** Names one object of a kind. */
export interface Key {
  readonly namespace?: string;
  readonly name: string;
}

/**
 * Where a key is asked for, a string does as well: `name`, or `namespace/name` for namespaced kinds. Caches and queues
 * use that string form.
 */
export type KeyLike = string | Key;

/** The string form of a key: `name`, or `namespace/name`. */
export function keyString(key: KeyLike): string {
  if (typeof key === 'string') return key;
  return key.namespace === undefined || key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** The parts of a key. */
export function parseKey(key: KeyLike): Key {
  if (typeof key !== 'string') return key;
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The string key of an object. */
export function keyOf(object: KubeObject): string {
  return keyString({
    name: object.metadata.name ?? '',
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  });
}

/** Everything in it optional, lists whole: what server-side apply takes. */
export type DeepPartial<T> = T extends readonly (infer U)[]
  ? readonly DeepPartial<U>[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** What `apply` sends: a name, and the fields that the field manager owns. apiVersion and kind are filled in. */
export type Applied<T extends KubeObject> = {
  readonly [K in Exclude<keyof T, 'metadata' | 'apiVersion' | 'kind'>]?: DeepPartial<T[K]>;
} & { readonly metadata: AnyMeta & { readonly name: string } };

/** What `create` takes: apiVersion and kind are filled in, what the server sets may be left out. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind' | 'status'> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: AnyMeta;
  readonly status?: unknown;
};
