import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../clock/clock.ts';
import { type Connection, type Credentials, type Identity, staticCredentials } from './credentials.ts';
import { execCredentials } from './exec.ts';
import { fileText } from './files.ts';
import { parseYaml } from './yaml.ts';

export interface KubeconfigOptions {
  /** @default the kubeconfig's current-context */
  readonly context?: string;
}

/** Reads a kubeconfig file. @param file @default $KUBECONFIG (its first file), then ~/.kube/config */
export async function loadKubeconfig(
  file: string = defaultFile(),
  options: KubeconfigOptions = {},
): Promise<Connection> {
  const text = await readFile(file, 'utf8');
  try {
    return parseKubeconfig(text, path.dirname(path.resolve(file)), options);
  } catch (cause) {
    throw new Error(`kubeconfig ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function defaultFile(): string {
  const [first] = (process.env['KUBECONFIG'] ?? '').split(path.delimiter).filter((part) => part !== '');
  return first ?? path.join(homedir(), '.kube', 'config');
}

/**
 * The connection of a kubeconfig text (YAML or JSON). `folder`: what relative file names in it start from. Throws an Error that names
 * what is missing.
 */
export function parseKubeconfig(text: string, folder: string, options: KubeconfigOptions = {}): Connection {
  const config = node(parseYaml(text), 'kubeconfig');
  const contextName = options.context ?? config.text('current-context');
  if (contextName === undefined) throw new Error('there is no current-context; name one');
  const context = config.named('contexts', contextName).node('context');
  const cluster = config.named('clusters', context.need('cluster')).node('cluster');
  const userName = context.text('user');
  const user =
    userName === undefined || userName === '' ? undefined : config.named('users', userName).node('user');
  const server = cluster.need('server');
  const file = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : path.resolve(folder, name);
  const caFile = file(cluster.text('certificate-authority'));
  const ca =
    cluster.base64('certificate-authority-data') ??
    (caFile === undefined ? undefined : readFileSync(caFile, 'utf8'));
  const namespace = context.text('namespace');
  const tlsServerName = cluster.text('tls-server-name');
  const credentials = user === undefined ? undefined : credentialsOf(user, file, { server, ca });
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(cluster.flag('insecure-skip-tls-verify') ? { insecureSkipVerify: true } : {}),
    ...(credentials === undefined ? {} : { credentials }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function credentialsOf(
  user: Node,
  file: (name: string | undefined) => string | undefined,
  cluster: { readonly server: string; readonly ca: string | undefined },
): Credentials | undefined {
  if (user.has('exec')) {
    const exec = user.node('exec');
    const command = exec.need('command');
    const apiVersion = exec.text('apiVersion');
    return execCredentials({
      // As kubectl does: a path with a slash in it is relative to the kubeconfig, a bare name is looked up in PATH.
      command: command.includes('/') ? (file(command) ?? command) : command,
      args: exec.list('args').map(String),
      env: Object.fromEntries(exec.nodes('env').map((one) => [one.need('name'), one.need('value')])),
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(exec.flag('provideClusterInfo')
        ? {
            cluster: {
              server: cluster.server,
              ...(cluster.ca === undefined
                ? {}
                : { 'certificate-authority-data': Buffer.from(cluster.ca).toString('base64') }),
            },
          }
        : {}),
    });
  }
  if (user.has('auth-provider') || user.has('username')) {
    throw new Error(
      `user ${user.name}: auth-provider and username/password went out of Kubernetes; use exec, a token or a certificate`,
    );
  }
  const cert = user.base64('client-certificate-data');
  const key = user.base64('client-key-data');
  const token = user.text('token');
  const files: CredentialFiles = {
    ...optional('certFile', cert === undefined ? file(user.text('client-certificate')) : undefined),
    ...optional('keyFile', key === undefined ? file(user.text('client-key')) : undefined),
    ...optional('tokenFile', file(user.text('tokenFile'))),
  };
  const fixed: Identity = { ...optional('cert', cert), ...optional('key', key), ...optional('token', token) };
  const hasCert = cert !== undefined || files.certFile !== undefined;
  if (hasCert !== (key !== undefined || files.keyFile !== undefined)) {
    throw new Error(`user ${user.name}: a client certificate needs its key, and a key its certificate`);
  }
  if (Object.keys(files).length > 0) return fileCredentials(files, systemClock, fixed);
  return Object.keys(fixed).length > 0 ? staticCredentials(fixed) : undefined;
}

export interface CredentialFiles {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
}

/** An identity in files, which are read again once a minute and when the server refuses it. @param fixed what isn't in files */
export function fileCredentials(
  files: CredentialFiles,
  clock: Clock = systemClock,
  fixed: Identity = {},
): Credentials {
  const open = (name: string | undefined) => (name === undefined ? undefined : fileText(name, clock));
  const [cert, key, token] = [open(files.certFile), open(files.keyFile), open(files.tokenFile)];
  let last: Identity | undefined;
  return {
    async identity() {
      const [certText, keyText, tokenText] = await Promise.all([cert?.read(), key?.read(), token?.read()]);
      const read: Identity = {
        ...fixed,
        ...optional('cert', certText),
        ...optional('key', keyText),
        ...optional('token', tokenText),
      };
      // Read in the middle of a renewal, certificate and key are not of one pair: the next look will find both.
      if (last !== undefined && isTornPair(read, last)) {
        for (const one of [cert, key]) one?.forget();
        return { ...last, ...optional('token', tokenText) };
      }
      last = read;
      return read;
    },
    rejected() {
      for (const one of [cert, key, token]) one?.forget();
    },
  };
}

function isTornPair({ cert, key }: Identity, last: Identity): boolean {
  if (cert === undefined || key === undefined || (cert === last.cert && key === last.key)) return false;
  try {
    return !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return true;
  }
}

function optional<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: string };
}

/** Reads fields of a mapping, and says where something is missing. */
interface Node {
  readonly name: string;
  has(field: string): boolean;
  /** undefined where it isn't there or empty. */
  text(field: string): string | undefined;
  need(field: string): string;
  flag(field: string): boolean;
  base64(field: string): string | undefined;
  list(field: string): readonly unknown[];
  nodes(field: string): readonly Node[];
  node(field: string): Node;
  /** The entry of that name in a list of named entries. */
  named(field: string, name: string): Node;
}

function node(value: unknown, name: string): Node {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${name} is no mapping`);
  const fields = value as Readonly<Record<string, unknown>>;
  const self: Node = {
    name,
    has: (field) => fields[field] !== undefined && fields[field] !== null,
    text(field) {
      const text = fields[field];
      if (text === undefined || text === null || text === '') return undefined;
      if (typeof text === 'string' || typeof text === 'number') return String(text);
      throw new Error(`${name}: ${field} is no text`);
    },
    need(field) {
      const text = self.text(field);
      if (text === undefined) throw new Error(`${name}: ${field} is missing`);
      return text;
    },
    flag: (field) => fields[field] === true || fields[field] === 'true',
    base64(field) {
      const text = self.text(field);
      return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
    },
    list(field) {
      const items = fields[field] ?? [];
      if (!Array.isArray(items)) throw new Error(`${name}: ${field} is no list`);
      return items;
    },
    nodes: (field) => self.list(field).map((item, index) => node(item, `${name}: ${field}[${index}]`)),
    node: (field) => node(fields[field] ?? {}, self.text('name') ?? `${name}: ${field}`),
    named(field, wanted) {
      const found = self.nodes(field).find((one) => one.text('name') === wanted);
      if (found === undefined) throw new Error(`${field} has none named ${JSON.stringify(wanted)}`);
      return found;
    },
  };
  return self;
}
