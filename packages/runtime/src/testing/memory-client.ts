import type { Client } from '../client/client.ts';
import { ApiError } from '../client/errors.ts';
import { collectionPath, objectPath } from '../client/paths.ts';
import { keyOf, type Kind, type KubeObject, parseKey } from '../client/object.ts';

/** What the tests of leases, events and finalizers need of an API server: one object at a time, resourceVersions, conflicts. */
export interface MemoryClient extends Client {
  /** Each write as `create leases default/x`. */
  readonly writes: readonly string[];
  /** The next calls fail with these errors, in order. */
  fail(...errors: Error[]): void;
  /** Calls fail with this error until it is undefined. */
  down: Error | undefined;
  objects<T extends KubeObject>(kind: Kind<T>): T[];
}

export function memoryClient(): MemoryClient {
  const store = new Map<string, KubeObject>();
  const failures: Error[] = [];
  const writes: string[] = [];
  let version = 0;
  const refuse = (code: number, reason: string): ApiError =>
    new ApiError(code, { reason, message: reason, causes: [] }, 'memory');
  const enter = async (write?: string): Promise<void> => {
    await Promise.resolve();
    const error = client.down ?? failures.shift();
    if (error !== undefined) throw error;
    if (write !== undefined) writes.push(write);
  };
  const put = <T extends KubeObject>(path: string, object: T): T => {
    const next = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++version) },
    });
    store.set(path, next);
    return structuredClone(next);
  };
  const unsupported = (): never => {
    throw new Error('the memory client cannot do that');
  };
  const client: MemoryClient = {
    server: 'memory',
    down: undefined,
    writes,
    fail: (...errors) => void failures.push(...errors),
    objects: <T extends KubeObject>(kind: Kind<T>) =>
      [...store]
        .filter(
          ([path]) =>
            path.startsWith(collectionPath(kind).split(kind.plural)[0] ?? '') &&
            path.includes(`/${kind.plural}/`),
        )
        .map(([, object]) => structuredClone(object) as T),
    async get<T extends KubeObject>(kind: Kind<T>, key: Parameters<Client['get']>[1]) {
      await enter();
      return structuredClone(store.get(objectPath(kind, key))) as T | undefined;
    },
    async create<T extends KubeObject>(kind: Kind<T>, draft: KubeObject) {
      await enter(`create ${kind.plural} ${keyOf(draft)}`);
      const path = objectPath(kind, keyOf(draft));
      if (store.has(path)) throw refuse(409, 'AlreadyExists');
      return put(path, { ...draft, metadata: { uid: `uid-${version}`, ...draft.metadata } }) as unknown as T;
    },
    async update(kind, object) {
      await enter(`update ${kind.plural} ${keyOf(object)}`);
      const path = objectPath(kind, keyOf(object));
      const old = store.get(path);
      if (old === undefined) throw refuse(404, 'NotFound');
      const wanted = object.metadata.resourceVersion;
      if (wanted !== undefined && wanted !== old.metadata.resourceVersion) throw refuse(409, 'Conflict');
      return put(path, object);
    },
    async patch<T extends KubeObject>(
      kind: Kind<T>,
      key: Parameters<Client['patch']>[1],
      patch: Parameters<Client['patch']>[2],
    ) {
      await enter(
        `patch ${kind.plural} ${typeof key === 'string' ? key : keyOf({ metadata: parseKey(key) })}`,
      );
      const path = objectPath(kind, key);
      const old = store.get(path);
      if (old === undefined) throw refuse(404, 'NotFound');
      const body = patch.body as { metadata?: { resourceVersion?: string } };
      const wanted = body.metadata?.resourceVersion;
      if (wanted !== undefined && wanted !== old.metadata.resourceVersion) throw refuse(409, 'Conflict');
      return put(path, { ...old, ...body, metadata: { ...old.metadata, ...body.metadata } }) as unknown as T;
    },
    async delete(kind, key) {
      await enter(`delete ${kind.plural}`);
      return store.delete(objectPath(kind, key));
    },
    apply: unsupported,
    list: unsupported,
    pages: unsupported,
    watch: unsupported,
    raw: unsupported,
    close: () => undefined,
  };
  return client;
}
