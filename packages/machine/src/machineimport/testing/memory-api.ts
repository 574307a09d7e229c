/** An API server in memory, for tests of the import: whole objects, merge in place of real server-side apply, watches. */
import {
  ApiError,
  type Client,
  keyOf,
  keyString,
  type Kind,
  type KubeObject,
  type WatchEvent,
} from '@kubenode/runtime';

type Loose = Record<string, unknown> & { metadata: Record<string, unknown> };

export interface MemoryApi extends Client {
  /** Called before each write; what it throws is the answer. */
  before: (write: string) => void;
  /** Resolves as soon as it is true; looked at after each write. */
  until<T>(found: () => T | undefined | false): Promise<T>;
  read<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined;
  /** Changes an object in place, as another writer would. */
  change<T extends KubeObject>(kind: Kind<T>, key: string, change: (object: T) => void): void;
}

export function memoryApi(): MemoryApi {
  const store = new Map<string, Loose>();
  const listeners = new Set<(path: string, event: WatchEvent<KubeObject>) => void>();
  let version = 0;
  let uids = 0;
  const pathOf = (kind: Kind, key: string): string => `${kind.plural}/${key}`;
  const refuse = (status: number, reason: string): ApiError =>
    new ApiError(status, { reason, message: reason, causes: [] }, 'memory');
  const emit = (path: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Loose): void => {
    const event = { type, object: structuredClone(object) as unknown as KubeObject } as const;
    for (const listener of listeners) listener(path, event);
  };
  const put = (path: string, object: Loose, specChanged: boolean): Loose => {
    const old = store.get(path);
    const { generation = 0 } = (old?.metadata ?? {}) as { generation?: number };
    object.metadata = {
      ...object.metadata,
      uid: old?.metadata['uid'] ?? `uid-${++uids}`,
      creationTimestamp: old?.metadata['creationTimestamp'] ?? new Date(uids * 1000).toISOString(),
      resourceVersion: String(++version),
      generation: specChanged ? generation + 1 : generation,
    };
    store.set(path, object);
    emit(path, old === undefined ? 'ADDED' : 'MODIFIED', object);
    return structuredClone(object);
  };
  const drop = (path: string): boolean => {
    const old = store.get(path);
    if (old === undefined) return false;
    store.delete(path);
    emit(path, 'DELETED', old);
    return true;
  };
  const unsupported = (): never => {
    throw new Error('the memory API cannot do that');
  };
  const matching = (kind: Kind): Loose[] =>
    [...store]
      .filter(([path]) => path.startsWith(`${kind.plural}/`))
      .map(([, object]) => structuredClone(object));

  const api: MemoryApi = {
    server: 'memory',
    before: () => undefined,
    async get<T extends KubeObject>(kind: Kind<T>, key: Parameters<Client['get']>[1]) {
      await Promise.resolve();
      return api.read(kind, keyString(key));
    },
    async list<T extends KubeObject>(kind: Kind<T>) {
      await Promise.resolve();
      return { items: matching(kind) as unknown as T[], resourceVersion: String(version) };
    },
    async create<T extends KubeObject>(kind: Kind<T>, draft: KubeObject) {
      await Promise.resolve();
      const path = pathOf(kind, keyOf(draft));
      api.before(`create ${path}`);
      if (store.has(path)) throw refuse(409, 'AlreadyExists');
      const object = structuredClone(draft) as unknown as Loose;
      object['kind'] = kind.kind;
      const { stringData } = object as { stringData?: Record<string, string> };
      if (stringData !== undefined) {
        object['data'] = Object.fromEntries(
          Object.entries(stringData).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
        );
        delete object['stringData'];
      }
      return put(path, object, true) as unknown as T;
    },
    async apply<T extends KubeObject>(
      kind: Kind<T>,
      applied: KubeObject,
      { subresource }: { subresource?: string },
    ) {
      await Promise.resolve();
      const path = pathOf(kind, keyOf(applied));
      api.before(`apply ${path}${subresource === undefined ? '' : `/${subresource}`}`);
      const old = store.get(path);
      if (old === undefined && subresource !== undefined) throw refuse(404, 'NotFound');
      const fields = structuredClone(applied) as unknown as Loose;
      const merged: Loose = {
        ...structuredClone(old ?? { metadata: {} }),
        ...fields,
        kind: kind.kind,
        metadata: { ...old?.metadata, ...fields.metadata },
      };
      if (subresource === undefined)
        merged['spec'] = { ...(old?.['spec'] as object), ...(fields['spec'] as object) };
      const specChanged = JSON.stringify(old?.['spec']) !== JSON.stringify(merged['spec']);
      return put(path, merged, specChanged) as unknown as T;
    },
    async patch<T extends KubeObject>(
      kind: Kind<T>,
      key: Parameters<Client['patch']>[1],
      { body }: Parameters<Client['patch']>[2],
    ) {
      await Promise.resolve();
      const path = pathOf(kind, keyString(key));
      api.before(`patch ${path}`);
      const old = store.get(path);
      if (old === undefined) throw refuse(404, 'NotFound');
      const { spec } = body as { spec?: object };
      return put(
        path,
        { ...structuredClone(old), spec: { ...(old['spec'] as object), ...spec } },
        true,
      ) as unknown as T;
    },
    async delete(kind, key) {
      await Promise.resolve();
      const path = pathOf(kind, keyString(key));
      api.before(`delete ${path}`);
      return drop(path);
    },
    async *watch<T extends KubeObject>(kind: Kind<T>, { signal }: { signal: AbortSignal }) {
      const waiting: WatchEvent<KubeObject>[] = [];
      let wake: () => void = () => undefined;
      const listener = (path: string, event: WatchEvent<KubeObject>): void => {
        if (path.startsWith(`${kind.plural}/`)) waiting.push(event);
        wake();
      };
      listeners.add(listener);
      const stop = (): void => wake();
      signal.addEventListener('abort', stop);
      try {
        yield { type: 'RELIST' };
        for (const object of matching(kind)) yield { type: 'LISTED', object: object as unknown as T };
        yield { type: 'SYNCED', resourceVersion: String(version) };
        while (!signal.aborted) {
          const event = waiting.shift();
          if (event !== undefined) {
            yield event as WatchEvent<T>;
            continue;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener('abort', stop);
      }
    },
    until: (found) =>
      new Promise((resolve) => {
        const look = (): void => {
          const value = found();
          if (value === undefined || value === false) return;
          listeners.delete(look);
          resolve(value);
        };
        listeners.add(look);
        look();
      }),
    read: <T extends KubeObject>(kind: Kind<T>, key: string) =>
      structuredClone(store.get(pathOf(kind, key))) as unknown as T | undefined,
    change: <T extends KubeObject>(kind: Kind<T>, key: string, change: (object: T) => void) => {
      const path = pathOf(kind, key);
      const object = structuredClone(store.get(path));
      if (object === undefined) throw refuse(404, 'NotFound');
      const spec = JSON.stringify(object['spec']);
      change(object as unknown as T);
      put(path, object, JSON.stringify(object['spec']) !== spec);
    },
    pages: unsupported,
    update: unsupported,
    raw: unsupported,
    close: () => undefined,
  };
  return api;
}
