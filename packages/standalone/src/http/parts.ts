import type { Tokens } from '../authn/tokens.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { OpenApi } from '../openapi/openapi.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resources } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import type { WatchHub } from '../store/watch.ts';

/** What a request needs of the server. */
export interface Parts {
  store: Store;
  hub: WatchHub;
  registry: Registry;
  resources: Resources;
  tokens: Tokens;
  authorizer: Authorizer;
  discovery: Discovery;
  openapi: OpenApi;
  clock: () => number;
  stopping: AbortSignal;
  log: (error: unknown) => void;
}
