import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Obj } from './object.ts';
import { startApiServer, type ApiServer, type ApiServerOptions } from './server.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Obj;
  text: string;
}

/** Credentials and headers of one request; without any, the administrator's certificate. */
export interface As {
  token?: string;
  cert?: string;
  key?: string;
  anonymous?: boolean;
  headers?: Record<string, string>;
}

/** A running server, a folder of its own, and a plain client; all gone when the test ends. */
export class TestServer {
  server: ApiServer;
  readonly dir: string;
  readonly #options: Partial<ApiServerOptions>;
  #agents = new Map<string, Agent>();

  constructor(server: ApiServer, dir: string, options: Partial<ApiServerOptions>) {
    this.server = server;
    this.dir = dir;
    this.#options = options;
  }

  agent(as: As = {}): Agent {
    const { user, ca } = credentials(this.server.kubeconfig);
    const bare = as.token !== undefined || as.anonymous === true;
    const cert = as.cert ?? (bare ? undefined : user.cert);
    const key = as.key ?? (bare ? undefined : user.key);
    const name = cert ?? '';
    const held = this.#agents.get(name);
    if (held) return held;
    const agent = new Agent({ keepAlive: true, maxSockets: 64, ca, ...(cert && key ? { cert, key } : {}) });
    this.#agents.set(name, agent);
    return agent;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
    as: As = {},
  ): Promise<Answer> {
    const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const payload = raw ? (body as string | Buffer | undefined) : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        this.server.url + path,
        {
          method,
          agent: this.agent(as),
          headers: {
            accept: 'application/json',
            ...(payload === undefined
              ? {}
              : { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
            ...(as.token ? { authorization: `Bearer ${as.token}` } : {}),
            ...as.headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const json = (incoming.headers['content-type'] ?? '').startsWith('application/json');
            const parsed = json && !path.includes('watch=') ? (JSON.parse(text) as Obj) : {};
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: parsed, text });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }

  get = (path: string, as: As = {}): Promise<Answer> => this.call('GET', path, undefined, undefined, as);
  post = (path: string, body: unknown, as: As = {}): Promise<Answer> =>
    this.call('POST', path, body, undefined, as);
  put = (path: string, body: unknown, as: As = {}): Promise<Answer> =>
    this.call('PUT', path, body, undefined, as);
  merge = (path: string, body: unknown, as: As = {}): Promise<Answer> =>
    this.call('PATCH', path, body, 'application/merge-patch+json', as);
  apply = (path: string, body: unknown, as: As = {}): Promise<Answer> =>
    this.call('PATCH', path, body, 'application/apply-patch+yaml', as);
  delete = (path: string, body?: unknown, as: As = {}): Promise<Answer> =>
    this.call('DELETE', path, body, undefined, as);

  /** Opens a watch; `next` gives its events in order, and fails after five seconds without one. */
  watch(path: string, as: As = {}): Watching {
    return new Watching(this.server.url + path, this.agent(as), as);
  }

  /** Waits until `check` of a GET is true; fails after five seconds. */
  async until(path: string, check: (answer: Answer) => boolean): Promise<Answer> {
    const end = Date.now() + 5_000;
    for (;;) {
      const answer = await this.get(path);
      if (check(answer)) return answer;
      if (Date.now() > end) throw new Error(`${path} did not get there; last answer: ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Stops the server and starts it again on the same folder. */
  async restart(): Promise<void> {
    await this.stop();
    this.server = await startApiServer({ dataDir: this.dir, ...this.#options });
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
    await this.server.stop();
  }
}

export interface Event {
  type: string;
  object: Obj & {
    metadata: { name?: string; resourceVersion?: string; annotations?: Record<string, string> };
  };
}

export class Watching {
  readonly #events: Event[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  readonly #abort = new AbortController();

  constructor(url: string, agent: Agent, as: As) {
    const headers = {
      accept: 'application/json',
      ...(as.token ? { authorization: `Bearer ${as.token}` } : {}),
      ...as.headers,
    };
    const outgoing = httpsRequest(url, { agent, headers, signal: this.#abort.signal }, (incoming) => {
      let rest = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#events.push(JSON.parse(line) as Event);
        this.#wake?.();
      });
      incoming.on('error', () => this.#end());
      incoming.on('end', () => this.#end());
    });
    outgoing.on('error', () => this.#end());
    outgoing.end();
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** The next event, or undefined when the watch has ended. */
  async next(): Promise<Event | undefined> {
    const end = Date.now() + 5_000;
    while (this.#events.length === 0 && !this.#over) {
      const left = end - Date.now();
      if (left <= 0) throw new Error('no event came in five seconds');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#events.shift();
  }

  close(): void {
    this.#abort.abort();
  }
}

function credentials(kubeconfig: string): { user: { cert: string; key: string }; ca: string } {
  const config = JSON.parse(kubeconfig) as {
    users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    clusters: { cluster: { 'certificate-authority-data': string } }[];
  };
  const plain = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('utf8');
  const user = config.users[0]?.user;
  return {
    user: { cert: plain(user?.['client-certificate-data']), key: plain(user?.['client-key-data']) },
    ca: plain(config.clusters[0]?.cluster['certificate-authority-data']),
  };
}

/** Starts a server that ends, and whose folder goes, with the test. */
export async function testServer(
  t: Pick<TestContext, 'after'>,
  options: Partial<ApiServerOptions> = {},
): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-apiserver-'));
  const server = new TestServer(await startApiServer({ dataDir: dir, ...options }), dir, options);
  t.after(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return server;
}

/** A CustomResourceDefinition to play with: `widgets.example.io`, namespaced. */
export function widgets(more: Obj = {}): Obj {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.io' },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: {
        plural: 'widgets',
        singular: 'widget',
        kind: 'Widget',
        shortNames: ['wd'],
        categories: ['all'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          selectableFields: [{ jsonPath: '.spec.color' }],
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          additionalPrinterColumns: [
            { name: 'Color', type: 'string', jsonPath: '.spec.color' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A widget.',
              properties: {
                spec: {
                  type: 'object',
                  description: 'What is wanted of the widget.',
                  required: ['color'],
                  properties: {
                    color: { type: 'string', enum: ['red', 'blue', 'green'], description: 'Its color.' },
                    replicas: { type: 'integer', default: 1, minimum: 0 },
                    note: { type: 'string' },
                  },
                },
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
          ...more,
        },
      ],
    },
  };
}

/** A widget, for {@link widgets}. */
export function widget(name: string, spec: Obj = { color: 'red' }, metadata: Obj = {}): Obj {
  return { apiVersion: 'example.io/v1', kind: 'Widget', metadata: { name, ...metadata }, spec };
}

export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const WIDGETS = '/apis/example.io/v1/namespaces/default/widgets';
