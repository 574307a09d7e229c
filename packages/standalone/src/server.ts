import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
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
import { handle } from './http/handler.ts';
import type { Parts } from './http/parts.ts';
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
/** Names in the serving certificate, besides those that are asked for. */
const NAMES = ['127.0.0.1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const EVERYWHERE = ['0.0.0.0', '::'];
/** History and old Events are cleaned this often (ms). */
const CLEAN_EVERY = 30_000;

/**
 * Starts the embedded API server. Resolves when it answers.
 * @throws Error when the folder is in use by another one, or the port is taken; nothing is left running then.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dataDir, clock = Date.now, host = '127.0.0.1' } = options;
  const log = options.log ?? ((error: unknown) => console.error(error));
  const undo: (() => void | Promise<void>)[] = [];
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    undo.push(lock(dataDir));
    const authority = await Authority.open(join(dataDir, 'pki'), clock());
    const store = new Store(join(dataDir, 'state.db'), clock);
    undo.push(() => store.close());
    const stopping = new AbortController();
    const parts = assemble(store, authority, clock, stopping.signal, log);
    await bootstrap(parts.registry, parts.resources, clock);
    undo.push(control(parts, authority));
    const server = await listen(parts, authority, host, options);
    undo.push(() => hangUp(server, stopping));
    undo.push(clean(parts));
    const { port } = server.address() as AddressInfo;
    const subject = { commonName: 'kubernetes-admin', organizations: [MASTERS] };
    const admin = await authority.client('admin', subject, clock());
    const kubeconfigFor = (url: string): string => kubeconfig(url, authority.pem, admin);
    const reach = EVERYWHERE.includes(host) ? '127.0.0.1' : host;
    const url = `https://${reach.includes(':') ? `[${reach}]` : reach}:${port}`;
    return { url, port, caPem: authority.pem, kubeconfig: kubeconfigFor(url), kubeconfigFor, stop: unwind };
  } catch (error) {
    await unwind();
    throw error;
  }
}

/** All parts that answer requests, over an open store. */
function assemble(
  store: Store,
  authority: Authority,
  clock: () => number,
  stopping: AbortSignal,
  log: (error: unknown) => void,
): Parts {
  const resources = new Resources();
  for (const resource of builtInResources()) resources.add(resource);
  const hub = new WatchHub();
  const authorizer = new Authorizer(store);
  serveDefinitions(store, resources);
  // After those above: who hears of a change finds roles and kinds already as it made them.
  store.subscribe((change) => hub.publish(change));
  const policies = new Policies(store, resources, authorizer);
  const admission = new AdmissionChain(nodeRestriction, new Escalation(authorizer), policies);
  return {
    store,
    hub,
    registry: new Registry(store, admission),
    resources,
    tokens: new Tokens(store, authority),
    authorizer,
    discovery: new Discovery(resources),
    openapi: new OpenApi(resources),
    clock,
    stopping,
    log,
  };
}

/** Starts the server's own controllers; returns what ends them. */
function control(parts: Parts, authority: Authority): () => Promise<void> {
  return runControllers(parts, [
    new Namespaces(parts, authority.pem),
    new OwnerCollector(parts),
    new Definitions(parts),
    new Signer(parts, authority, parts.authorizer),
  ]);
}

/** Cleans history and old Events, now and then; returns what ends it. */
function clean(parts: Parts): () => void {
  parts.store.compact();
  const timer = setInterval(() => {
    parts.store.compact();
    expireEvents(parts).catch(parts.log);
  }, CLEAN_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}

/** @throws Error that names address and port when they can't be had. */
async function listen(
  parts: Parts,
  authority: Authority,
  host: string,
  options: ApiServerOptions,
): Promise<Server> {
  const names = new Set([
    ...NAMES,
    ...(options.advertise ?? []),
    ...(EVERYWHERE.includes(host) ? [] : [host]),
  ]);
  const { cert, key } = await authority.serving([...names], parts.clock());
  const server = createServer(
    {
      cert,
      key,
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
  const port = options.port ?? 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`the API server can't listen on ${host}, port ${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  server.on('error', parts.log);
  return server;
}

/** Ends watches at once, requests as they are answered, and what is not answered in a second. */
async function hangUp(server: Server, stopping: AbortController): Promise<void> {
  stopping.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 5);
  const last = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearInterval(idle);
  clearTimeout(last);
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
