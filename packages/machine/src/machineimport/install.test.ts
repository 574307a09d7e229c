import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { agentFolder, type AgentBinary, type HostPaths, hostPaths, type HostShell } from './host.ts';
import { bringBinary, installAgent, removeAgent, startAgent, stopAgent } from './install.ts';
import { localShell } from './local-shell.ts';
import { linkScript, removeScratchScript, scratchScript } from './scripts.ts';

/** An agent that says its version, and when it runs, runs until it is stopped. Large and with every byte, so that a bad copy shows. */
const agent = Buffer.concat([
  Buffer.from('#!/bin/sh\n[ "$1" = version ] && { echo 1.2.3; exit; }\necho "$@"; exec sleep 600\nexit\n'),
  Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256)),
]);
const hex = createHash('sha256').update(agent).digest('hex');

describe('bringing the agent to a host', () => {
  let folder: string;
  let server: Server;
  let binary: AgentBinary;
  let paths: HostPaths;
  let requests = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubenode-install-'));
    server = createServer((request, response) => {
      requests += 1;
      if (request.url === '/agent') response.end(agent);
      else if (request.url === '/short')
        response.writeHead(200, { 'content-length': '100' }).end('x'.repeat(10)).destroy();
      else response.writeHead(404).end('nothing here');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    binary = { url: `http://127.0.0.1:${address.port}/agent`, digest: `sha256:${hex}` };
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  let count = 0;
  const freshPaths = (): HostPaths => hostPaths(join(folder, `root${count++}`));
  /** A host that has nothing but the bare minimum and these programs. */
  const hostWith = async (...programs: string[]): Promise<HostShell> => {
    const bin = join(folder, `bin${count++}`);
    await mkdir(bin);
    const always = [
      'sh',
      'cat',
      'cut',
      'mkdir',
      'dirname',
      'rm',
      'mv',
      'chmod',
      'sync',
      'sha256sum',
      'tail',
      'printf',
      'wc',
      'env',
    ];
    for (const program of [...always, ...programs]) {
      const path = ['/usr/bin', '/bin'].map((at) => join(at, program)).find((at) => existsSync(at));
      if (path !== undefined) await symlink(path, join(bin, program));
    }
    return localShell({ env: { PATH: bin } });
  };
  const target = (): string => `${agentFolder(paths, binary.digest)}/kubenode-agent`;

  for (const program of ['curl', 'wget', 'python3', 'perl', 'bash']) {
    const missing = !['/usr/bin', '/bin'].some((at) => existsSync(join(at, program)));
    test(`a host with nothing but ${program} pulls it`, {
      skip: missing && `${program} is not on this machine`,
    }, async () => {
      paths = freshPaths();
      const host = await hostWith(program);
      assert.equal(await bringBinary(host, binary, target()), 'pulled');
      assert.ok(agent.equals(await readFile(target())));
      assert.equal((await stat(target())).mode & 0o777, 0o755);

      const before = requests;
      assert.equal(await bringBinary(host, binary, target()), 'present');
      assert.equal(requests, before);
    });

    test(`${program} does not take an error page for the agent`, {
      skip: missing && `${program} is not on this machine`,
    }, async () => {
      paths = freshPaths();
      const host = await hostWith(program);
      const wrong = { ...binary, url: binary.url.replace('/agent', '/gone') };
      await assert.rejects(bringBinary(host, wrong, target()), /could not be brought from http.*\/gone to/);
      assert.ok(!existsSync(target()));
      assert.deepEqual(await readdir(dirname(target())), []);
    });

    test(`${program} does not take half of it`, {
      skip: missing && `${program} is not on this machine`,
    }, async () => {
      paths = freshPaths();
      const host = await hostWith(program);
      const short = { ...binary, url: binary.url.replace('/agent', '/short') };
      await assert.rejects(bringBinary(host, short, target()));
      assert.ok(!existsSync(target()));
    });
  }

  test('a host that has nothing to fetch with gets it pushed, and only then', async () => {
    paths = freshPaths();
    const host = await hostWith();
    await assert.rejects(bringBinary(host, binary, target()), /no curl, wget, python3, perl or bash/);
    async function* push(): AsyncIterable<Buffer> {
      yield agent.subarray(0, 1000);
      yield agent.subarray(1000);
    }
    assert.equal(await bringBinary(host, binary, target(), push), 'pushed');
    assert.ok(agent.equals(await readFile(target())));
  });

  test('one that may not be run is made to: whole and right, and cut off before its mode was set', async () => {
    paths = freshPaths();
    await mkdir(dirname(target()), { recursive: true });
    await writeFile(target(), agent, { mode: 0o644 });
    assert.equal(await bringBinary(localShell(), binary, target()), 'present');
    assert.equal((await stat(target())).mode & 0o777, 0o755);
  });

  test('a run that goes on beside another one, of an operator that was killed, takes nothing away from it', async () => {
    paths = freshPaths();
    let goOn = (): void => undefined;
    const otherIsDone = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* slowly(): AsyncIterable<Buffer> {
      yield agent.subarray(0, 1000);
      await otherIsDone;
      yield agent.subarray(1000);
    }
    const host = await hostWith();
    const first = bringBinary(host, binary, target(), slowly).catch((error: Error) => error.message);
    while (!existsSync(dirname(target())) || (await readdir(dirname(target()))).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(await bringBinary(localShell(), binary, target()), 'pulled');
    goOn();
    await first;
    assert.ok(agent.equals(await readFile(target())));
    assert.equal((await stat(target())).mode & 0o777, 0o755);
    assert.deepEqual(await readdir(dirname(target())), ['kubenode-agent']);
  });

  test('two runs at once leave the link there, whichever is faster', async () => {
    const at = await mkdtemp(join(folder, 'links-'));
    const link = join(at, 'current');
    const host = localShell();
    const switchTo = (target: string) => host.exec(['/bin/sh', '-c', linkScript, 'sh', target, link]);
    for (let round = 0; round < 50; round++) {
      const results = await Promise.all([switchTo('/one'), switchTo('/two'), switchTo('/three')]);
      assert.ok(results.some(({ exitCode }) => exitCode === 0));
      assert.match(await readlink(link), /^\/(one|two|three)$/);
    }
    assert.equal((await switchTo('/last')).exitCode, 0);
    assert.deepEqual([await readlink(link), await readdir(at)], ['/last', ['current']]);
  });

  test('another digest is refused, with both named, and nothing is left', async () => {
    paths = freshPaths();
    const other = { ...binary, digest: `sha256:${'0'.repeat(64)}` };
    await assert.rejects(
      bringBinary(localShell(), other, target()),
      (error: Error) => error.message.includes(hex) && error.message.includes('0'.repeat(64)),
    );
    assert.ok(!existsSync(dirname(target())) || !existsSync(target()));
  });

  test('is installed, started, stopped and removed, also where there is no systemd', async () => {
    paths = freshPaths();
    const host = localShell();
    await mkdir(dirname(paths.pid), { recursive: true });
    await mkdir(dirname(paths.log), { recursive: true });
    await mkdir(paths.run, { recursive: true });
    assert.equal(await installAgent(host, paths, binary), 'agent 1.2.3 pulled');
    assert.equal(await readlink(paths.current), agentFolder(paths, binary.digest));
    await host.writeFile(paths.config, '{}', { mode: 0o600 });

    await startAgent(host, paths, false);
    const pid = Number(await readFile(paths.pid, 'utf8'));
    assert.ok(process.kill(pid, 0));
    await stopAgent(host, paths, false);
    assert.throws(() => process.kill(pid, 0));
    await stopAgent(host, paths, false);

    await removeAgent(host, paths, { systemd: false, keepOriginals: false });
    for (const path of [paths.etc, paths.agents, paths.state, paths.run, dirname(paths.agents)])
      assert.ok(!existsSync(path), path);
    await removeAgent(host, paths, { systemd: false, keepOriginals: false });
  });

  test('leaves what the host itself knows of artifact sources', async () => {
    paths = freshPaths();
    const host = localShell();
    const sources = `${paths.etc}/sources.json`;
    await host.writeFile(sources, '{}', { mode: 0o600 });
    await host.writeFile(paths.config, '{}', { mode: 0o600 });
    await removeAgent(host, paths, { systemd: false, keepOriginals: false });
    assert.ok(existsSync(sources));
    assert.ok(!existsSync(paths.config));
  });

  test('one that does not run on the host is said to', async () => {
    paths = freshPaths();
    const broken = Buffer.from('#!/no/such/interpreter\n');
    const digest = `sha256:${createHash('sha256').update(broken).digest('hex')}`;
    const file = join(folder, 'broken');
    await writeFile(file, broken);
    async function* push(): AsyncIterable<Buffer> {
      yield broken;
    }
    const host = await hostWith('true');
    await assert.rejects(
      installAgent(host, paths, { url: binary.url, digest }, push),
      /does not run on the host: /,
    );
  });
});

describe('the folder for a plan', () => {
  test('lets programs run, is private, and goes without a trace', async () => {
    const host = localShell();
    const name = `kubenode-plan-test-${process.pid}`;
    const made = await host.exec(['/bin/sh', '-c', scratchScript, 'sh', '16', name]);
    assert.equal(made.exitCode, 0, made.stderr);
    const path = made.stdout.trim();
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    await host.exec(['/bin/sh', '-c', removeScratchScript, 'sh', name]);
    assert.ok(!existsSync(path));
  });
  test('that nothing has room for is refused', async () => {
    const made = await localShell().exec([
      '/bin/sh',
      '-c',
      scratchScript,
      'sh',
      '999999999999',
      'kubenode-plan-none',
    ]);
    assert.equal(made.exitCode, 1);
    assert.match(made.stderr, /no folder in memory has room/);
  });
});
