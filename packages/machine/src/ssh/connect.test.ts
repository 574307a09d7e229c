import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connectSsh } from './connect.ts';
import { SshError, type SshFailure } from './errors.ts';
import { formatHostKey, parseHostKey } from './hostkey.ts';
import type { SshSession } from './session.ts';
import { makeKey, startSshServer, type TestServer } from './testserver.ts';

async function failure(promise: Promise<unknown>): Promise<SshError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SshError, `an SshError, not ${String(error)}`);
    return error;
  }
  return assert.fail('it should have failed');
}

async function listen(server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

describe('an ssh session', () => {
  let server: TestServer;
  let folder: string;
  let key: string;
  const open: SshSession[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubenode-ssh-'));
    const pair = await makeKey();
    key = pair.private;
    server = await startSshServer({ user: 'root', publicKey: pair.public });
  });
  after(async () => {
    for (const session of open) session.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const connect = async (
    over: Partial<Parameters<typeof connectSsh>[0]> = {},
    options: Parameters<typeof connectSsh>[1] = {},
  ): Promise<SshSession> => {
    const session = await connectSsh(
      { address: '127.0.0.1', port: server.port, hostKey: server.hostKey, privateKey: key, ...over },
      { connectTimeoutMs: 5_000, ...options },
    );
    open.push(session);
    return session;
  };
  const expectKind = async (promise: Promise<unknown>, kind: SshFailure): Promise<SshError> => {
    const error = await failure(promise);
    assert.equal(error.kind, kind, error.message);
    return error;
  };

  test('runs a command with its arguments as they are, stdin, output and exit status', async () => {
    const session = await connect();
    const result = await session.exec(['/bin/sh', '-c', 'cat; echo "$1" >&2; exit 7', 'sh', "it's $HOME"], {
      stdin: 'a secret\n',
    });
    assert.deepEqual(result, { exitCode: 7, stdout: 'a secret\n', stderr: "it's $HOME\n" });
  });

  test('runs several commands at once over one connection', async () => {
    const session = await connect();
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) => session.exec(['/bin/sh', '-c', 'echo "$1"', 'sh', String(i)])),
    );
    assert.deepEqual(
      results.map((result) => result.stdout.trim()),
      ['0', '1', '2', '3', '4', '5', '6', '7'],
    );
  });

  test('keeps the end of a long output', async () => {
    const session = await connect();
    const result = await session.exec(['/bin/sh', '-c', 'head -c 1000000 /dev/zero | tr "\\0" x; echo end']);
    assert.equal(result.stdout.length, 64 * 1024);
    assert.ok(result.stdout.endsWith('xend\n'));
  });

  test('a command that reads none of a large input still ends with its own status', async () => {
    const session = await connect();
    const result = await session.exec(['/bin/sh', '-c', 'exit 3'], { stdin: Buffer.alloc(4_000_000) });
    assert.equal(result.exitCode, 3);
  });

  test('writes a file whole, with its mode, and makes its folder', async () => {
    const session = await connect();
    const path = join(folder, "it's a folder", 'secret');
    await session.writeFile(path, 'one', { mode: 0o600 });
    await session.writeFile(path, 'two\0\n', { mode: 0o600 });
    assert.equal(await readFile(path, 'utf8'), 'two\0\n');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('half a content never stands where the file should be', async () => {
    const session = await connect();
    const path = join(folder, 'whole');
    await session.writeFile(path, 'before', { mode: 0o644 });
    // The same script as writeFile uses, with fewer bytes on stdin than were announced: what a broken connection looks like from there.
    const { writeFileScript } = await import('./scripts.ts');
    const result = await session.exec(['/bin/sh', '-c', writeFileScript, 'sh', path, '0644', '100'], {
      stdin: 'half',
    });
    assert.notEqual(result.exitCode, 0);
    assert.equal(await readFile(path, 'utf8'), 'before');
  });

  test('says which file could not be written and why', async () => {
    const session = await connect();
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(
      session.writeFile(join(file, 'below'), 'x', { mode: 0o600 }),
      (error: Error) =>
        error.message.includes(join(file, 'below')) && /could not be written: .+/.test(error.message),
    );
  });

  test('a command that hangs is given up at its deadline, and the session goes on', async () => {
    const session = await connect();
    const error = await expectKind(session.exec(['sleep', '600'], { timeoutMs: 300 }), 'Timeout');
    assert.match(error.message, /sleep on root@127\.0\.0\.1/);
    assert.equal((await session.exec(['echo', 'still here'])).stdout, 'still here\n');
  });

  test('a connection that breaks fails what is running, at once', async () => {
    const session = await connect();
    const running = session.exec(['sleep', '600']);
    await server.sawCommand('sleep 600');
    server.dropConnections();
    await expectKind(running, 'Lost');
    await expectKind(session.exec(['true']), 'Lost');
  });

  test('a host that freezes is noticed by keepalive', async () => {
    const session = await connect({}, { keepaliveMs: 50 });
    server.freezeConnections();
    await expectKind(session.exec(['true']), 'Lost');
  });

  test('without a host key it stops before anything is sent, and shows the key', async () => {
    const logins = server.logins();
    const error = await expectKind(
      connectSsh({ address: '127.0.0.1', port: server.port, privateKey: key }),
      'HostKeyUnknown',
    );
    assert.equal(error.hostKey, server.hostKey);
    assert.match(error.message, /SHA256:/);
    assert.ok(error.message.includes(server.hostKey));
    assert.equal(server.logins(), logins);
  });

  test('another host key than the given one is refused before anything is sent', async () => {
    const logins = server.logins();
    const other = await makeKey();
    const error = await expectKind(connect({ hostKey: other.public }), 'HostKeyDiffers');
    assert.equal(error.hostKey, server.hostKey);
    assert.equal(server.logins(), logins);
  });

  test('a host key of a type that the host does not have is refused', async () => {
    const ecdsa = await makeKey('ecdsa');
    await expectKind(connect({ hostKey: ecdsa.public }), 'HostKeyDiffers');
  });

  test('a host key that is none is told as such', async () => {
    const error = await expectKind(connect({ hostKey: 'ssh-ed25519 AAAA' }), 'HostKeyInvalid');
    assert.match(error.message, /cut or mistyped/);
  });

  test('a wrong user, and a wrong key', async () => {
    const error = await expectKind(connect({ user: 'nobody' }), 'Denied');
    assert.match(error.message, /user nobody/);
    await expectKind(connect({ privateKey: (await makeKey()).private }), 'Denied');
  });

  test('a private key that is none', async () => {
    const error = await expectKind(connect({ privateKey: 'not a key' }), 'KeyUnusable');
    assert.ok(!error.message.includes('not a key at all'));
    await expectKind(connect({ privateKey: server.hostKey }), 'KeyUnusable');
  });

  test('nobody listens', async () => {
    const free = createServer();
    const port = await listen(free);
    free.close();
    await once(free, 'close');
    await expectKind(connect({ port }), 'Refused');
  });

  test('somebody listens who never answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    const port = await listen(silent);
    try {
      const error = await expectKind(connect({ port }, { connectTimeoutMs: 200 }), 'Unreachable');
      assert.match(error.message, /did not answer within 0\.2 s/);
    } finally {
      silent.close();
    }
  });

  test('somebody listens who does not speak ssh', async () => {
    const web = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const port = await listen(web);
    try {
      await expectKind(connect({ port }), 'NotSSH');
    } finally {
      web.close();
    }
  });

  test('a name that does not resolve', async () => {
    await expectKind(connect({ address: 'no-such-host.invalid' }), 'Unreachable');
  });
});

describe('a user who is not root', () => {
  test('who may sudo without a password works as root', async () => {
    const pair = await makeKey();
    const server = await startSshServer({ user: 'admin', publicKey: pair.public, uid: 1000, sudo: true });
    const session = await connectSsh({
      address: '127.0.0.1',
      port: server.port,
      user: 'admin',
      hostKey: server.hostKey,
      privateKey: pair.private,
    });
    try {
      await session.exec(['echo', 'hello']);
      await server.sawCommand('sudo -n -- echo hello');
    } finally {
      session.close();
      await server.close();
    }
  });

  test('who may not is told so', async () => {
    const pair = await makeKey();
    const server = await startSshServer({ user: 'admin', publicKey: pair.public, uid: 1000 });
    try {
      const error = await failure(
        connectSsh({
          address: '127.0.0.1',
          port: server.port,
          user: 'admin',
          hostKey: server.hostKey,
          privateKey: pair.private,
        }),
      );
      assert.equal(error.kind, 'NotRoot');
      assert.match(error.message, /a password is required/);
    } finally {
      await server.close();
    }
  });
});

describe('a host key', () => {
  test('is read as people have it: bare, with a comment, with the host in front', async () => {
    const { public: text } = await makeKey();
    const [type = '', blob = ''] = text.split(' ');
    for (const form of [text, `${text} root@h1`, `10.0.0.7 ${text}`, `  ${text}\n`]) {
      const key = parseHostKey(form);
      assert.equal(key.type, type);
      assert.equal(formatHostKey(key.blob), `${type} ${blob}`);
    }
  });
  test('is refused where it is something else', () => {
    assert.throws(() => parseHostKey('@cert-authority *.example ssh-ed25519 AAAA'), /certificate authority/);
    assert.throws(() => parseHostKey('ssh-dss AAAA'), /ssh-keyscan/);
    assert.throws(() => parseHostKey('SHA256:abc'), /ssh-keyscan/);
  });
});
