import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { rootedPaths } from '../files/rooted-paths.ts';
import { stopLocalHost } from '../index.ts';
import { processStat } from '../process.ts';
import { Supervisor } from './supervisor.ts';

const unitFolder = 'etc/systemd/system';

async function localHost(
  t: TestContext,
): Promise<{ root: string; open: () => Promise<Supervisor>; log: string[] }> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-supervisor-'));
  await mkdir(path.join(root, unitFolder), { recursive: true });
  const opened: Supervisor[] = [];
  const log: string[] = [];
  const open = async (): Promise<Supervisor> => {
    const supervisor = await Supervisor.open(rootedPaths(root), (line) => log.push(line));
    opened.push(supervisor);
    return supervisor;
  };
  t.after(async () => {
    for (const supervisor of opened) await supervisor.close();
    await stopLocalHost(root, 5_000);
    await rm(root, { recursive: true, force: true });
  });
  return { root, open, log };
}

async function unit(root: string, name: string, service: string, install = ''): Promise<void> {
  await writeFile(
    path.join(root, unitFolder, name),
    `[Unit]\nDescription=${name}\n[Service]\n${service}\n${install}`,
  );
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 5_000; !(await check()); await delay(10)) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
  }
}

const pidOf = async (supervisor: Supervisor, name: string): Promise<number> =>
  (await supervisor.states([name])).get(name)?.mainPID ?? 0;

test('starts a service with its environment and arguments, and stops it with its children', async (t) => {
  const { root, open } = await localHost(t);
  await writeFile(path.join(root, 'etc/extra'), '# comment\nGREETING="good day"\n');
  await unit(
    root,
    'a.service',
    `Environment=PLACE=world "TWO=a b"
EnvironmentFile=/etc/extra
ExecStartPre=/bin/sh -c 'echo prepared > "$KUBENODE_ROOT/prepared"'
ExecStart=/bin/sh -c "echo $0 $@ > \${KUBENODE_ROOT}/said; sleep 1000 & wait" %n \${GREETING} $TWO \${PLACE}`,
  );
  const supervisor = await open();
  await supervisor.start('a.service', 5_000);
  const state = (await supervisor.states(['a.service'])).get('a.service');
  assert.equal(state?.activeState, 'active');
  assert.equal(state.loadState, 'loaded');
  assert.ok(Date.now() - (state.startedAt ?? 0) < 5_000);
  await until(
    'it said something',
    async () => (await readFile(path.join(root, 'said'), 'utf8').catch(() => '')) !== '',
  );
  assert.equal(await readFile(path.join(root, 'said'), 'utf8'), 'a.service good day a b world\n');
  assert.equal(await readFile(path.join(root, 'prepared'), 'utf8'), 'prepared\n');
  const { mainPID } = state;
  await supervisor.stop('a.service', 5_000);
  assert.equal(await processStat(mainPID), undefined);
  assert.equal((await supervisor.states(['a.service'])).get('a.service')?.activeState, 'inactive');
});

test('starts a crashed service again, later each time, and tells about it', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/sleep 1000\nRestart=on-failure\nRestartSec=20ms');
  const supervisor = await open();
  const hints: string[] = [];
  using _watch = supervisor.watch(
    () => ['a.service'],
    (name) => hints.push(name),
  );
  await supervisor.start('a.service', 5_000);
  let pid = await pidOf(supervisor, 'a.service');
  for (let round = 0; round < 3; round += 1) {
    process.kill(pid, 'SIGKILL');
    const before = pid;
    await until(
      'another process runs',
      async () => ![0, before].includes(await pidOf(supervisor, 'a.service')),
    );
    pid = await pidOf(supervisor, 'a.service');
  }
  assert.ok(hints.includes('a.service'));
});

test('a process that somebody stopped ends by its own hand when its service is stopped', async (t) => {
  const { root, open } = await localHost(t);
  await unit(
    root,
    'a.service',
    `ExecStart=/bin/sh -c 'trap "echo bye > \\"$KUBENODE_ROOT/bye\\"; exit 0" TERM; touch "$KUBENODE_ROOT/up"; sleep 1000 & wait'`,
  );
  const supervisor = await open();
  await supervisor.start('a.service', 5_000);
  await until('it is up', async () => existsSync(path.join(root, 'up')));
  const pid = await pidOf(supervisor, 'a.service');
  process.kill(pid, 'SIGSTOP');
  await until('it is stopped', async () => (await processStat(pid))?.state === 'T');
  await supervisor.stop('a.service', 5_000);
  assert.equal(await readFile(path.join(root, 'bye'), 'utf8'), 'bye\n');
});

test('a service that ends well stays ended under on-failure', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/true\nRestart=on-failure');
  const supervisor = await open();
  await supervisor.start('a.service', 5_000);
  await until(
    'it is inactive',
    async () => (await supervisor.states(['a.service'])).get('a.service')?.activeState === 'inactive',
  );
});

test('another supervisor adopts what runs, with the same process', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=10ms');
  const first = await open();
  await first.start('a.service', 5_000);
  const pid = await pidOf(first, 'a.service');
  await first.close();
  const second = await open();
  assert.equal(await pidOf(second, 'a.service'), pid);
  await second.start('a.service', 5_000);
  assert.equal(await pidOf(second, 'a.service'), pid);
  process.kill(pid, 'SIGKILL');
  await until('it was started again', async () => ![0, pid].includes(await pidOf(second, 'a.service')));
});

test('a supervisor killed by SIGKILL, even before it wrote a record, does not make the next start twice', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/sleep 1001');
  const program = `
    import { Supervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)};
    import { rootedPaths } from ${JSON.stringify(new URL('../files/rooted-paths.ts', import.meta.url).href)};
    const supervisor = await Supervisor.open(rootedPaths(${JSON.stringify(root)}));
    await supervisor.start('a.service', 5000);
    console.log('started');
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const second = await open();
  const pid = await pidOf(second, 'a.service');
  assert.notEqual(pid, 0);
  await second.close();
  await rm(path.join(root, 'run/kubenode/supervisor'), { recursive: true });
  const third = await open();
  assert.equal(await pidOf(third, 'a.service'), pid);
});

test('a service that died while nobody watched is started again by its policy', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=10ms');
  const first = await open();
  await first.start('a.service', 5_000);
  const pid = await pidOf(first, 'a.service');
  await first.close();
  process.kill(pid, 'SIGKILL');
  await until('it is gone', async () => (await processStat(pid)) === undefined);
  const second = await open();
  await until('it runs again', async () => ![0, pid].includes(await pidOf(second, 'a.service')));
});

test('a supervisor that was closed in the middle writes no record beside the next one', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'a.service', 'ExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=10ms');
  for (let round = 0; round < 20; round += 1) {
    const supervisor = await open();
    const before = await pidOf(supervisor, 'a.service');
    if (before === 0) void supervisor.start('a.service', 5_000);
    else process.kill(before, 'SIGKILL');
    await until('a process runs', async () => ![0, before].includes(await pidOf(supervisor, 'a.service')));
    await supervisor.close();
    const record = await readFile(path.join(root, 'run/kubenode/supervisor/a.service.json'), 'utf8');
    assert.match(record, new RegExp(`"pid":${await pidOf(supervisor, 'a.service')},`));
  }
});

test('a supervisor that is closed does not wait for a preparing command', async (t) => {
  const { root, open } = await localHost(t);
  await unit(
    root,
    'a.service',
    `ExecStartPre=/bin/sh -c 'touch "$KUBENODE_ROOT/preparing"; exec sleep 1000'\nExecStart=/bin/sleep 1000`,
  );
  const supervisor = await open();
  const refused = assert.rejects(supervisor.start('a.service', 60_000), {
    name: 'ServiceError',
    result: 'unavailable',
  });
  await until('it prepares', async () => existsSync(path.join(root, 'preparing')));
  await supervisor.close();
  await refused;
  assert.equal(await pidOf(supervisor, 'a.service'), 0);
});

test('reload runs ExecReload with the main process, oneshot remains after exit', async (t) => {
  const { root, open } = await localHost(t);
  await unit(
    root,
    'a.service',
    `ExecStart=/bin/sleep 1000\nExecReload=/bin/sh -c 'echo $MAINPID > "$KUBENODE_ROOT/reloaded"'`,
  );
  await unit(
    root,
    'b.service',
    'Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStart=-/bin/false',
  );
  const supervisor = await open();
  await supervisor.start('a.service', 5_000);
  await supervisor.reload('a.service', 5_000);
  assert.equal(
    Number(await readFile(path.join(root, 'reloaded'), 'utf8')),
    await pidOf(supervisor, 'a.service'),
  );
  await supervisor.start('b.service', 5_000);
  const state = (await supervisor.states(['b.service'])).get('b.service');
  assert.deepEqual([state?.activeState, state?.subState], ['active', 'exited']);
});

test('refuses, with a reason, what it cannot run', async (t) => {
  const { root, open } = await localHost(t);
  await unit(root, 'forking.service', 'Type=forking\nExecStart=/bin/true');
  await unit(root, 'empty.service', '');
  await unit(root, 'nowhere.service', 'ExecStart=/nowhere/program');
  await unit(root, 'fails.service', `Type=oneshot\nExecStart=/bin/sh -c 'echo no luck; exit 3'`);
  await symlink('/dev/null', path.join(root, unitFolder, 'masked.service'));
  const supervisor = await open();
  const start = (name: string): Promise<void> => supervisor.start(name, 5_000);
  await assert.rejects(start('forking.service'), {
    name: 'ServiceError',
    result: 'bad-setting',
    message: /Type=forking is not supported/,
  });
  await assert.rejects(start('empty.service'), { result: 'bad-setting', message: /ExecStart= is missing/ });
  await assert.rejects(start('nowhere.service'), {
    result: 'exec',
    message: /'\/nowhere\/program' is not an executable file/,
  });
  await assert.rejects(start('masked.service'), { result: 'masked' });
  await assert.rejects(start('gone.service'), { result: 'not-found' });
  await assert.rejects(start('fails.service'), {
    result: 'exit-code',
    message: /exited with 3; its log ends: no luck/,
  });
  const states = await supervisor.states([
    'masked.service',
    'gone.service',
    'empty.service',
    'fails.service',
  ]);
  assert.deepEqual(
    [...states.values()].map(({ loadState, enabled, activeState }) => [loadState, enabled, activeState]),
    [
      ['masked', 'masked', 'inactive'],
      ['not-found', 'unknown', 'inactive'],
      ['bad-setting', 'static', 'inactive'],
      ['loaded', 'static', 'failed'],
    ],
  );
});

test('a command below the root wins over the machine, also through absolute links', async (t) => {
  const { root, open } = await localHost(t);
  await mkdir(path.join(root, 'opt/app'), { recursive: true });
  await mkdir(path.join(root, 'usr/local/bin'), { recursive: true });
  await writeFile(path.join(root, 'opt/app/true'), '#!/bin/sh\necho from below the root\n', { mode: 0o755 });
  await symlink('/opt/app/true', path.join(root, 'usr/local/bin/true'));
  const supervisor = await open();
  const run = await supervisor.run({ command: ['true'], timeoutMs: 5_000, isolation: 'plain' });
  assert.deepEqual([run.exitCode, run.output], [0, 'from below the root\n']);
});

test('enable, disable and unmask work on the files', async (t) => {
  const { root, open } = await localHost(t);
  await unit(
    root,
    'a.service',
    'ExecStart=/bin/true',
    '[Install]\nWantedBy=multi-user.target\nAlias=b.service\n',
  );
  const supervisor = await open();
  const enabled = async (): Promise<string | undefined> =>
    (await supervisor.states(['a.service'])).get('a.service')?.enabled;
  assert.equal(await enabled(), 'disabled');
  await supervisor.enable('a.service');
  assert.equal(await enabled(), 'enabled');
  await rm(path.join(root, unitFolder, 'multi-user.target.wants/a.service'));
  await symlink('/dev/null', path.join(root, unitFolder, 'multi-user.target.wants/a.service'));
  assert.equal(await enabled(), 'disabled');
  await supervisor.enable('a.service');
  assert.equal(await enabled(), 'enabled');
  await supervisor.disable('a.service');
  assert.equal(await enabled(), 'disabled');
  await mkdir(path.join(root, 'run/systemd/system'), { recursive: true });
  await symlink('/dev/null', path.join(root, 'run/systemd/system/c.service'));
  await supervisor.unmask('c.service');
  assert.equal((await supervisor.states(['c.service'])).get('c.service')?.loadState, 'not-found');
});
