import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { hashFile } from './files/digests.ts';
import { createHost } from './index.ts';

test('a folder plays a host: supervisor, files below it, facts of its own', async (t) => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-host-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(path.join(root, 'etc'));
  await writeFile(path.join(root, 'etc/hostname'), 'local-1\n');
  await writeFile(path.join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
  const host = await createHost({ root });
  t.after(() => host.close());
  assert.equal(host.services.kind, 'supervisor');
  assert.equal(host.packages, undefined);
  const facts = await host.facts();
  assert.deepEqual(
    [facts.os, facts.hostname, facts.machineID],
    ['linux', 'local-1', '0123456789abcdef0123456789abcdef'],
  );
  assert.match(facts.arch, /^(amd64|arm64)$/);
  assert.match(facts.bootID, /^[0-9a-f-]{36}$/);
  const said = await host.services.run({
    command: ['sh', '-c', 'echo $KUBENODE_ROOT'],
    timeoutMs: 5_000,
    isolation: 'hook',
  });
  assert.equal(said.output.trim(), root);
});

test('tells what a process really runs and how it is', async (t) => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-host-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const host = await createHost({ root });
  t.after(() => host.close());
  assert.equal(await host.executableDigest(process.pid), await hashFile(process.execPath));
  assert.match((await host.processState(process.pid)) ?? '', /^[RS]$/);
  const beyondAnyLimit = 2 ** 22 + 1;
  assert.equal(await host.executableDigest(beyondAnyLimit), undefined);
  assert.equal(await host.processState(beyondAnyLimit), undefined);
});

test('waits until a process that systemd has just made is what its unit says', async (t) => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-host-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const executor = path.join(root, 'lib/systemd/systemd-executor');
  await mkdir(path.dirname(executor), { recursive: true });
  await copyFile('/bin/sh', executor);
  const host = await createHost({ root });
  t.after(() => host.close());
  const service = spawn(executor, ['-c', 'read line; exec sleep 60'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => service.kill('SIGKILL'));
  await once(service, 'spawn');
  const digest = host.executableDigest(service.pid ?? 0);
  service.stdin.end('go\n');
  const sleep = await realpath(await which('sleep'));
  assert.equal(await digest, await hashFile(sleep));
});

async function which(program: string): Promise<string> {
  for (const folder of ['/usr/bin', '/bin']) {
    const file = path.join(folder, program);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new Error(`no ${program} here`);
}
