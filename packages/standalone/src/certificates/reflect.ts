/**
 * `@peculiar/x509` brings a dependency injection library that refuses to load without these three functions of the
 * "reflect-metadata" proposal. This is all of it that is used, so the package need not be.
 */
type Metadata = Map<unknown, unknown>;

const store = new WeakMap<object, Metadata>();

function getOwnMetadata(key: unknown, target: object): unknown {
  return store.get(target)?.get(key);
}

function getMetadata(key: unknown, target: object): unknown {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at) as object | null) {
    const found = getOwnMetadata(key, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const metadata: Metadata = store.get(target) ?? new Map();
  metadata.set(key, value);
  store.set(target, metadata);
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata, getOwnMetadata, defineMetadata });
