/** An ssh server in this process, for tests: it runs commands by the local shell, and can be made to misbehave. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Connection, PublicKeyAuthContext } from 'ssh2';

export interface TestServer {
  readonly port: number;
  /** Its public key, as one writes it into `spec.ssh.hostKey`. */
  readonly hostKey: string;
  /** How often somebody tried to log in. */
  logins(): number;
  /** Resolves when a command with exactly this text was asked for. */
  sawCommand(text: string): Promise<void>;
  /** Cuts every connection, without a goodbye. */
  dropConnections(): void;
  /** Reads nothing any more from connections that stand. */
  freezeConnections(): void;
  close(): Promise<void>;
}

export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

export async function makeKey(type: 'ed25519' | 'ecdsa' = 'ed25519'): Promise<KeyPair> {
  const { utils } = (await import('ssh2')).default;
  for (;;) {
    const pair =
      type === 'ed25519'
        ? utils.generateKeyPairSync('ed25519')
        : utils.generateKeyPairSync('ecdsa', { bits: 256 });
    // Now and then ssh2 makes a key that it cannot read itself.
    if (!(utils.parseKey(pair.private) instanceof Error))
      return { private: pair.private, public: pair.public.trim() };
  }
}

export interface TestServerOptions {
  readonly user: string;
  readonly publicKey: string;
  /** What `id -u` says. Default 0. */
  readonly uid?: number;
  /** Whether sudo -n works; it runs what follows it. */
  readonly sudo?: boolean;
  /** Runs a command in place of the local shell. */
  readonly shell?: (command: string) => { readonly program: string; readonly args: readonly string[] };
}

export async function startSshServer(options: TestServerOptions): Promise<TestServer> {
  const ssh2 = (await import('ssh2')).default;
  const host = await makeKey();
  const allowed = ssh2.utils.parseKey(options.publicKey);
  if (allowed instanceof Error) throw allowed;
  const uid = options.uid ?? 0;
  let logins = 0;
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  const sockets = new Set<Socket>();
  const children = new Set<ChildProcess>();

  const answer = (command: string): string => {
    if (command === 'id -u') return `echo ${uid}`;
    if (command.startsWith('sudo ')) {
      if (options.sudo !== true) return 'echo "sudo: a password is required" >&2; exit 1';
      const rest = command.slice('sudo -n -- '.length);
      return rest === 'id -u' ? 'echo 0' : rest;
    }
    return command;
  };

  const authenticate = (context: PublicKeyAuthContext): void => {
    const right =
      context.username === options.user &&
      context.key.data.equals(allowed.getPublicSSH()) &&
      (context.signature === undefined ||
        (context.blob !== undefined && allowed.verify(context.blob, context.signature, context.hashAlgo)));
    if (right) context.accept();
    else context.reject(['publickey']);
  };

  const serve = (connection: Connection): void => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      logins += 1;
      if (context.method === 'publickey') authenticate(context);
      else context.reject(['publickey']);
    });
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, info) => {
        seen.add(info.command);
        waiting.get(info.command)?.();
        const channel = acceptExec();
        const { program, args } = options.shell?.(answer(info.command)) ?? {
          program: '/bin/sh',
          args: ['-c', answer(info.command)],
        };
        const child = spawn(program, args, { stdio: 'pipe', detached: true });
        children.add(child);
        child.stdin.on('error', () => undefined);
        channel.on('error', () => undefined);
        channel.pipe(child.stdin);
        child.stdout.on('data', (chunk: Buffer) => channel.write(chunk));
        child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
        channel.on('close', () => killGroup(child));
        child.on('close', (code) => {
          children.delete(child);
          if (!channel.writable) return;
          channel.exit(code ?? 1);
          channel.end();
        });
      });
    });
  };

  const server = new ssh2.Server({ hostKeys: [host.private] }, serve);
  // The net.Server inside is where sockets can be cut and frozen.
  const inner = (server as unknown as { _srv: Server })._srv;
  inner.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(inner, 'listening');
  const address = inner.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');

  return {
    port: address.port,
    hostKey: host.public,
    logins: () => logins,
    sawCommand: (text) =>
      new Promise((resolve) => {
        if (seen.has(text)) resolve();
        else waiting.set(text, resolve);
      }),
    dropConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
    freezeConnections: () => {
      for (const socket of sockets) socket.pause();
    },
    close: async () => {
      for (const child of children) killGroup(child);
      for (const socket of sockets) socket.destroy();
      server.close();
      if (inner.listening) await once(inner, 'close');
    },
  };
}

/** The shell and what it started: a grandchild that keeps the pipes open would keep the test from ending. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, 'SIGKILL');
}
