// Runs inside a lab host (see ../agent-host.test.ts): the agent's host layer against a real systemd and a real dpkg.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { OpenHost } from '../../../packages/agent/src/host/index.ts';
import { createHost } from '../../../packages/agent/src/host/index.ts';
import type { PackageManager, UnitState } from '../../../packages/agent/src/ports.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
let host: OpenHost;

before(async () => {
  host = await createHost({ root: '' });
});
after(() => host.close());

const state = async (unit: string): Promise<UnitState> => {
  const found = (await host.services.states([unit])).get(unit);
  assert.ok(found, unit);
  return found;
};

async function until(what: string, check: () => Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await check()); await delay(10)) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
  }
}

async function unit(name: string, service: string, install = 'WantedBy=multi-user.target'): Promise<void> {
  const content = `[Unit]\nDescription=${name}\n[Service]\n${service}\n[Install]\n${install}\n`;
  await host.files.write(`/etc/systemd/system/${name}`, content, { mode: 0o644, owner: 'root:root' });
  await host.services.daemonReload();
}

test('knows what host it is on', async () => {
  const facts = await host.facts();
  assert.equal(host.services.kind, 'systemd');
  assert.equal(facts.osName, 'debian');
  assert.match(facts.machineID, /^[0-9a-f]{32}$/);
  assert.match(facts.bootID, /^[0-9a-f-]{36}$/);
  assert.equal(facts.addresses.length > 0, true);
});

test('a unit is brought up, enabled, told right, and goes through mask and unmask by hand', async () => {
  await unit('kn-a.service', 'ExecStart=/bin/sleep 100000');
  assert.equal((await state('kn-a.service')).enabled, 'disabled');
  await host.services.enable('kn-a.service');
  await host.services.start('kn-a.service', 10_000);
  const up = await state('kn-a.service');
  assert.deepEqual(
    [up.loadState, up.activeState, up.subState, up.enabled],
    ['loaded', 'active', 'running', 'enabled'],
  );
  assert.equal((await run('systemctl', ['is-enabled', 'kn-a.service'])).stdout.trim(), 'enabled');
  assert.ok(Math.abs(Date.now() - (up.startedAt ?? 0)) < 10_000);
  const sleep = `sha256:${createHash('sha256').update(readFileSync('/bin/sleep')).digest('hex')}`;
  assert.equal(await host.executableDigest(up.mainPID), sleep);
  process.kill(up.mainPID, 'SIGSTOP');
  await until('it is stopped', async () => (await host.processState(up.mainPID)) === 'T');
  process.kill(up.mainPID, 'SIGCONT');
  await host.services.restart('kn-a.service', 10_000);
  assert.notEqual((await state('kn-a.service')).mainPID, up.mainPID);
  await host.services.disable('kn-a.service');
  await mkdir('/run/systemd/system', { recursive: true });
  await host.files.remove('/etc/systemd/system/kn-a.service');
  await symlink('/dev/null', '/etc/systemd/system/kn-a.service');
  assert.equal((await state('kn-a.service')).enabled, 'masked');
  await assert.rejects(host.services.enable('kn-a.service'), { result: 'masked' });
  await host.services.unmask('kn-a.service');
  await host.services.stop('kn-a.service', 10_000);
  await host.services.stop('kn-a.service', 10_000);
  assert.equal((await state('kn-a.service')).loadState, 'not-found');
});

test('failures are told with their cause and the last log lines', async () => {
  await unit('kn-fails.service', "Type=oneshot\nExecStart=/bin/sh -c 'echo the disk is on fire; exit 7'");
  await assert.rejects(host.services.start('kn-fails.service', 10_000), {
    name: 'ServiceError',
    result: 'failed',
    message: /exited with 7.*the disk is on fire/s,
  });
  assert.equal((await state('kn-fails.service')).activeState, 'failed');
  await unit('kn-bad.service', 'Type=simple');
  const bad = await state('kn-bad.service');
  assert.equal(bad.loadState, 'bad-setting');
  assert.match(bad.loadError ?? '', /kn-bad\.service/);
  await assert.rejects(host.services.start('kn-bad.service', 10_000), { result: 'bad-setting' });
  await assert.rejects(host.services.start('kn-nowhere.service', 10_000), { result: 'not-found' });
  await unit('kn-slow.service', 'Type=oneshot\nExecStart=/bin/sleep 100');
  await assert.rejects(host.services.start('kn-slow.service', 300), { result: 'timeout', retriable: true });
  await host.services.stop('kn-slow.service', 10_000);
});

test('a start survives daemon-reexec, and so does the watch', async () => {
  await unit('kn-long.service', 'Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 4');
  const hints: string[] = [];
  using _watch = host.services.watch(
    () => ['kn-long.service'],
    (name) => hints.push(name),
  );
  const started = host.services.start('kn-long.service', 30_000);
  await until('it is starting', async () => (await state('kn-long.service')).activeState === 'activating');
  await run('systemctl', ['daemon-reexec']);
  hints.length = 0;
  await started;
  assert.equal((await state('kn-long.service')).activeState, 'active');
  await until('hints come again', () => Promise.resolve(hints.length > 0));
  hints.length = 0;
  await host.services.stop('kn-long.service', 10_000);
  await until('the stop was told', () => Promise.resolve(hints.includes('kn-long.service')));
});

test('hooks run as units of their own, without a view of the credentials', async () => {
  await mkdir('/etc/kubenode/pki', { recursive: true });
  await writeFile('/etc/kubenode/pki/agent.key', 'SECRET');
  await mkdir('/var/lib/kubenode', { recursive: true });
  const hook = (script: string, timeoutMs = 10_000): ReturnType<typeof host.services.run> =>
    host.services.run({ command: ['sh', '-c', script], timeoutMs, isolation: 'hook', env: { NAME: 'a b' } });
  assert.deepEqual(await hook('echo "$NAME"; echo err >&2'), {
    exitCode: 0,
    timedOut: false,
    output: 'a b\nerr\n',
  });
  const peek = await hook('cat /etc/kubenode/pki/agent.key; ls /var/lib/kubenode; exit 3');
  assert.equal(peek.exitCode, 3);
  assert.doesNotMatch(peek.output, /SECRET/);
  const stubborn = await hook('trap "" TERM; sleep 1000 & wait; sleep 1000', 500);
  assert.deepEqual([stubborn.timedOut, stubborn.exitCode], [true, 128]);
  assert.equal(
    (await host.services.run({ command: ['no-such-program'], timeoutMs: 1000, isolation: 'hook' })).exitCode,
    127,
  );
  const own = await hook('cat /proc/self/cgroup');
  assert.match(own.output, /kubenode-hook-/);
  assert.deepEqual(await readdir('/run/kubenode/output'), []);
  const { stdout } = await run('systemctl', [
    'list-units',
    '--all',
    '--plain',
    '--no-legend',
    'kubenode-hook-*',
  ]);
  assert.equal(stdout, '');
});

test('plain commands end with their deadline, children included', async () => {
  const result = await host.services.run({
    command: ['sh', '-c', 'sleep 1000 & echo $!; wait'],
    timeoutMs: 300,
    isolation: 'plain',
  });
  assert.equal(result.timedOut, true);
  const child = Number(result.output);
  await until('the child is gone', async () => [undefined, 'Z'].includes(await host.processState(child)));
});

function packages(): PackageManager {
  assert.ok(host.packages, 'a Debian host has a package manager');
  return host.packages;
}

const chrony = {
  name: 'chrony',
  version: process.env['CHRONY_VERSION'] ?? '',
  digest: process.env['CHRONY_DIGEST'] ?? '',
};
const folder = '/var/lib/kubenode/staged/chrony';

test('a package comes by address or by apt, is held, starts nothing, and is checked', async () => {
  await mkdir(folder, { recursive: true });
  assert.equal(await packages().installed('chrony'), undefined);
  assert.equal(await packages().installed('no-such-package'), undefined);
  const byApt = await packages().fetch(chrony, folder, never);
  const wrong = { ...chrony, digest: `sha256:${'0'.repeat(64)}` };
  await assert.rejects(packages().fetch(wrong, folder, never), {
    name: 'ArtifactError',
    reason: 'DigestMismatch',
  });
  await assert.rejects(packages().fetch({ ...wrong, version: '99' }, folder, never), {
    reason: 'NotFound',
    message: /the host's apt has no chrony=99/,
  });
  await packages().install({ ...chrony, deb: byApt });
  assert.deepEqual(await packages().installed('chrony'), {
    version: chrony.version,
    complete: true,
    held: true,
  });
  const service = await state('chrony.service');
  assert.deepEqual([service.loadState, service.activeState], ['loaded', 'inactive']);
  assert.equal(existsSync('/usr/sbin/policy-rc.d'), false);
  assert.equal(existsSync('/run/kubenode/no-start'), false);
  assert.deepEqual(await packages().verify('chrony'), []);
  assert.ok((await packages().files('chrony')).includes('/usr/sbin/chronyd'));
  await writeFile('/usr/sbin/chronyd', 'swapped');
  await writeFile('/etc/chrony/chrony.conf', '# mine\n');
  assert.deepEqual(await packages().verify('chrony'), ['/usr/sbin/chronyd']);
  await packages().install({ ...chrony, deb: byApt });
  assert.deepEqual(await packages().verify('chrony'), []);
  assert.equal(await readFile('/etc/chrony/chrony.conf', 'utf8'), '# mine\n');
});

test('an agent killed in the middle of an installation leaves one that the next agent ends well', async () => {
  const deb = await packages().fetch(chrony, folder, never);
  const program = `
    import { createHost } from '/opt/kn-test/packages/agent/src/host/index.ts';
    const host = await createHost({ root: '' });
    console.log('begin');
    await host.packages.install(${JSON.stringify({ ...chrony, deb })});
    process.exit(0);`;
  for (const afterMs of [50, 300, 700]) {
    const agent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(agent.stdout, 'data');
    await delay(afterMs);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    await packages().install({ ...chrony, deb });
    assert.deepEqual(await packages().installed('chrony'), {
      version: chrony.version,
      complete: true,
      held: true,
    });
    assert.deepEqual(await packages().verify('chrony'), []);
  }
  // dpkg itself killed: its unit ends, the package is half there.
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(killed.stdout, 'data');
  await delay(300);
  killed.kill('SIGKILL');
  await run('systemctl', ['kill', '--signal=SIGKILL', 'kubenode-dpkg.service']).catch(() => undefined);
  await packages().install({ ...chrony, deb });
  assert.deepEqual(await packages().installed('chrony'), {
    version: chrony.version,
    complete: true,
    held: true,
  });
});

test('what does not fit is refused before anything changes, and removal removes', async () => {
  const broken = '/var/lib/kubenode/staged/broken';
  await mkdir(`${broken}/DEBIAN`, { recursive: true });
  await writeFile(
    `${broken}/DEBIAN/control`,
    'Package: kn-broken\nVersion: 1\nArchitecture: all\nMaintainer: x\nDepends: no-such-thing\nDescription: x\n',
  );
  await chmod(`${broken}/DEBIAN`, 0o755);
  await run('dpkg-deb', ['--build', broken, `${broken}.deb`]);
  const install = packages().install({ name: 'kn-broken', version: '1', deb: `${broken}.deb` });
  await assert.rejects(install, { name: 'PackageError', message: /does not fit this host.*no-such-thing/s });
  assert.equal(await packages().installed('kn-broken'), undefined);
  await packages().remove('chrony');
  await packages().remove('chrony');
  assert.equal(await packages().installed('chrony'), undefined);
});
