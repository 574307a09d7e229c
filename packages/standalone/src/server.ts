import { mkdirSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AdmissionChain } from './admission/admission.ts';
import { Escalation } from './admission/escalation.ts';
import { nodeRestriction } from './admission/nodes.ts';
import { Policies } from './admission/policies.ts';
import { Tokens } from './authn/tokens.ts';
import { MASTERS } from './authn/user.ts';
import { Authorizer } from './authz/authorizer.ts';
import { bootstrapPolicy } from './authz/bootstrap.ts';
import { Authority } from './certificates/authority.ts';
import { Signer } from './certificates/signer.ts';
import { Discovery } from './discovery/discovery.ts';
import { runControllers } from './garbage/control.ts';
import { Definitions } from './garbage/definitions.ts';
import { expireEvents } from './garbage/events.ts';
import { Namespaces } from './garbage/namespaces.ts';
import { OwnerCollector } from './garbage/owners.ts';
import { handle, type Parts } from './http/handler.ts';
import { kubeconfig } from './kubeconfig.ts';
import { builtInResources } from './kinds/builtin.ts';
import { serveDefinitions } from './kinds/custom-watch.ts';
import type { KubeObject } from './object.ts';
import { OpenApi } from './openapi/openapi.ts';
import { internal } from './registry/internal.ts';
import { Registry } from './registry/registry.ts';
import { Resources } from './registry/resource.ts';
import { lock } from './store/lock.ts';
import { Store } from './store/store.ts';
import { WatchHub } from './store/watch.ts';

export interface ApiServerOptions {
  /** Folder of the database and the keys; made when it is not there. One process at a time. */
  dataDir: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Address to listen on; default 127.0.0.1. `0.0.0.0` for hosts on a bridge. */
  host?: string;
  /** More names and addresses by which clients reach the server; they go into its certificate. */
  advertise?: string[];
  /** Milliseconds since 1970; for tests. */
  clock?: () => number;
  /** Told of failures that no client caused; default: standard error. */
  log?: (error: unknown) => void;
}

export interface ApiServer {
  /** `https://127.0.0.1:<port>`, or the first advertised address when it doesn't listen on loopback. */
  url: string;
  port: number;
  /** Certificate of the authority that signed the server's and the clients' certificates. */
  caPem: string;
  /** A kubeconfig of the administrator (group system:masters), with the key inside: keep it 0600. */
  kubeconfig: string;
  /** The administrator's kubeconfig by another of the server's addresses. */
  kubeconfigFor: (server: string) => string;
  /** Ends all requests and watches, and closes the database. What was acknowledged is on disk before that already. */
  stop: () => Promise<void>;
}

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
/** History and old Events are cleaned this often (ms). */
const CLEAN_EVERY = 30_000;

/** Starts the embedded API server. Resolves when it answers. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const clock = options.clock ?? Date.now;
  const host = options.host ?? '127.0.0.1';
  const log = options.log ?? ((error: unknown) => console.error(error));
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const unlock = lock(options.dataDir);
  const authority = await Authority.open(join(options.dataDir, 'pki'), clock());
  const names = new Set([
    '127.0.0.1',
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
  ]);
  for (const name of options.advertise ?? []) names.add(name);
  if (host !== '0.0.0.0' && host !== '::') names.add(host);
  const serving = await authority.serving([...names], clock());
  const admin = await authority.client(
    'admin',
    { commonName: 'kubernetes-admin', organizations: [MASTERS] },
    clock(),
  );

  const store = new Store(join(options.dataDir, 'state.db'), clock);
  const resources = new Resources();
  for (const resource of builtInResources()) resources.add(resource);
  const hub = new WatchHub();
  const authorizer = new Authorizer(store);
  serveDefinitions(store, resources);
  store.subscribe((change) => hub.publish(change));
  const stopping = new AbortController();
  const registry = new Registry(
    store,
    new AdmissionChain(
      nodeRestriction,
      new Escalation(authorizer),
      new Policies(store, resources, authorizer),
    ),
  );
  const parts: Parts = {
    store,
    hub,
    registry,
    resources,
    tokens: new Tokens(store, authority),
    authorizer,
    discovery: new Discovery(resources),
    openapi: new OpenApi(resources),
    clock,
    stopping: stopping.signal,
    log,
  };
  await bootstrap(registry, resources, clock);
  const control = { store, registry, resources, clock, log };
  const stopControllers = runControllers(control, [
    new Namespaces(control, authority.pem),
    new OwnerCollector(control),
    new Definitions(control),
    new Signer(control, authority, authorizer),
  ]);

  const server = createServer(
    {
      cert: serving.cert,
      key: serving.key,
      ca: authority.pem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    },
    (request, response) => void handle(parts, request, response),
  );
  // A kubelet writes every 10 s, an agent every 60 s: neither should pay for a new TLS connection each time.
  server.keepAliveTimeout = 10 * 60_000;
  server.requestTimeout = 60_000;
  server.headersTimeout = 60_000;
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const timer = setInterval(() => {
    store.compact();
    expireEvents(control).catch(log);
  }, CLEAN_EVERY);
  timer.unref();
  const { port } = server.address() as AddressInfo;
  const reach = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const kubeconfigFor = (url: string): string => kubeconfig(url, authority.pem, admin);
  const url = `https://${reach.includes(':') ? `[${reach}]` : reach}:${port}`;
  return {
    url,
    port,
    caPem: authority.pem,
    kubeconfig: kubeconfigFor(url),
    kubeconfigFor,
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Connections go as they fall idle; a request that is still being answered then gets a moment.
      const idle = setInterval(() => server.closeIdleConnections(), 5);
      const last = setTimeout(() => server.closeAllConnections(), 1_000);
      await closed;
      clearInterval(idle);
      clearTimeout(last);
      await stopControllers();
      store.close();
      unlock();
    },
  };
}

/** What every cluster has from its first start; what somebody changed since is left as it is. */
async function bootstrap(registry: Registry, resources: Resources, clock: () => number): Promise<void> {
  const objects: { resource: string; object: KubeObject }[] = [
    ...NAMESPACES.map((name) => ({
      resource: 'namespaces',
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    })),
    ...bootstrapPolicy(),
  ];
  for (const { resource: id, object } of objects) {
    if (registry.store.get(id, '', object.metadata.name)) continue;
    const resource = resources.all().find((one) => one.id === id);
    if (!resource) throw new Error(`no built-in resource ${id}`);
    await registry.create(internal(resource, '', object.metadata.name, clock()), object);
  }
}
