import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { rootedPaths } from '../files/rooted-paths.ts';
import { UnitFiles } from '../unit-files.ts';
import { SystemdBus, unitOfPath, unitPath } from './bus.ts';
import type { Answer } from './fake-systemd.ts';
import { FakeSystemd } from './fake-systemd.ts';
import { SystemdServices } from './manager.ts';
import type { DBusValue } from './signature.ts';
import { Variant } from './signature.ts';

const job = '/org/freedesktop/systemd1/job/7';
const jobAnswer: Answer = { signature: 'o', body: [job] };

async function host(
  t: TestContext,
): Promise<{ fake: FakeSystemd; services: SystemdServices; bus: SystemdBus; root: string }> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-units-'));
  await mkdir(path.join(root, 'etc/systemd/system'), { recursive: true });
  const fake = await FakeSystemd.start(t);
  const bus = new SystemdBus({
    sockets: [
      { path: '/nowhere/at/all', direct: true },
      { path: fake.socket, direct: true },
    ],
  });
  t.after(async () => {
    bus.close();
    await rm(root, { recursive: true, force: true });
  });
  return {
    fake,
    bus,
    root,
    services: new SystemdServices(bus, new UnitFiles(rootedPaths(root)), ['/etc/kubenode']),
  };
}

const variant = (signature: string, value: DBusValue): Answer => ({
  signature: 'v',
  body: [new Variant(signature, value)],
});

/** Answers Get of the named properties. */
function properties(
  values: Readonly<Record<string, Answer>>,
  body: readonly DBusValue[],
): Answer | undefined {
  const name = body[1];
  return typeof name === 'string' ? values[name] : undefined;
}

function removed(fake: FakeSystemd, unit: string, result: string): void {
  fake.signal('JobRemoved', 'uoss', [7, job, unit, result]);
}

async function until(what: string, check: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !check(); await delay(5))
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
}

test('tells states as systemd has them and what is enabled as the files have it', async (t) => {
  const { fake, services, root } = await host(t);
  const row = (name: string, load: string, active: string, sub: string): DBusValue => [
    name,
    '',
    load,
    active,
    sub,
    '',
    unitPath(name),
    0,
    '',
    '/',
  ];
  fake.answer = (member, body) => {
    if (member === 'ListUnitsByNames') {
      const rows = [
        row('up.service', 'loaded', 'active', 'running'),
        row('gone.service', 'not-found', 'inactive', 'dead'),
        row('bad.service', 'bad-setting', 'inactive', 'dead'),
        row('new.service', 'loaded', 'refreshing', 'start'),
      ];
      return { signature: 'a(ssssssouso)', body: [rows] };
    }
    return properties(
      {
        MainPID: variant('u', 4711),
        NRestarts: variant('u', 2),
        ExecMainStartTimestamp: variant('t', 1_700_000_000_123_456n),
        LoadError: variant('(ss)', [
          'org.freedesktop.systemd1.BadUnitSetting',
          'Unit bad.service has a bad unit file setting.',
        ]),
      },
      body,
    );
  };
  await writeFile(
    path.join(root, 'etc/systemd/system/up.service'),
    '[Service]\n[Install]\nWantedBy=multi-user.target\n',
  );
  await symlink('/dev/null', path.join(root, 'etc/systemd/system/bad.service'));
  const states = await services.states(['up.service', 'gone.service', 'bad.service', 'new.service']);
  assert.deepEqual(states.get('up.service'), {
    name: 'up.service',
    loadState: 'loaded',
    activeState: 'active',
    subState: 'running',
    enabled: 'disabled',
    restarts: 2,
    mainPID: 4711,
    startedAt: 1_700_000_000_123,
  });
  assert.deepEqual(
    [states.get('gone.service')?.loadState, states.get('gone.service')?.enabled],
    ['not-found', 'unknown'],
  );
  assert.match(states.get('bad.service')?.loadError ?? '', /bad unit file setting/);
  assert.equal(states.get('bad.service')?.enabled, 'masked');
  assert.equal(states.get('new.service')?.activeState, 'active');
});

test('waits for the end of the job, also of one that ended before its name was known', async (t) => {
  const { fake, services } = await host(t);
  let ended = false;
  fake.answer = (member) => (member === 'StartUnit' || member === 'RestartUnit' ? jobAnswer : undefined);
  const started = services
    .start('a.service', 5_000)
    .then(() => assert.ok(ended, 'resolved before the job ended'));
  await until('it was asked to start', () => fake.calls.includes('StartUnit'));
  removed(fake, 'a.service', 'done');
  ended = true;
  await started;
  fake.answer = (member) => {
    if (member !== 'RestartUnit') return undefined;
    removed(fake, 'a.service', 'done');
    return jobAnswer;
  };
  await services.restart('a.service', 5_000);
  assert.deepEqual(fake.calls, [
    'Subscribe',
    'ResetFailedUnit',
    'ListUnitsByNames',
    'StartUnit',
    'ResetFailedUnit',
    'RestartUnit',
  ]);
});

test('says how a unit failed', async (t) => {
  const { fake, services } = await host(t);
  let result = 'failed';
  fake.answer = (member, body) => {
    if (member === 'StartUnit') {
      setImmediate(() => removed(fake, 'a.service', result));
      return jobAnswer;
    }
    return properties(
      { Result: variant('s', 'exit-code'), ExecMainCode: variant('i', 1), ExecMainStatus: variant('i', 203) },
      body,
    );
  };
  const start = (): Promise<void> => services.start('a.service', 5_000);
  await assert.rejects(start(), {
    name: 'ServiceError',
    unit: 'a.service',
    result: 'failed',
    message: /exit-code, the process exited with 203/,
  });
  result = 'dependency';
  await assert.rejects(start(), { result: 'dependency', message: /a unit that it requires did not start/ });
  fake.answer = (member) =>
    member === 'StartUnit' ? { error: 'UnitMasked', message: 'Unit a.service is masked.' } : undefined;
  await assert.rejects(start(), { result: 'masked', message: /is masked/ });
  fake.answer = (member) => (member === 'StartUnit' ? jobAnswer : undefined);
  await assert.rejects(services.start('a.service', 50), { result: 'timeout', retriable: true });
});

test('stopping what systemd has not loaded is no error', async (t) => {
  const { fake, services } = await host(t);
  fake.answer = (member) =>
    member === 'StopUnit' ? { error: 'NoSuchUnit', message: 'Unit a.service not loaded.' } : undefined;
  await services.stop('a.service', 1_000);
});

test('a closed socket rejects what was asked as retriable, is opened again, and everything is looked at', async (t) => {
  const { fake, services } = await host(t);
  fake.answer = (member) => (member === 'ListUnitsByNames' ? 'silence' : undefined);
  const hints: string[] = [];
  using _watch = services.watch(
    () => ['a.service'],
    (unit) => hints.push(unit),
  );
  const asked = services.states(['a.service']);
  const rejected = assert.rejects(asked, { name: 'ServiceError', result: 'unavailable', retriable: true });
  await until('it was asked', () => fake.calls.includes('ListUnitsByNames'));
  assert.deepEqual(hints, []);
  await fake.stopListening();
  await rejected;
  await assert.rejects(services.states(['a.service']), { retriable: true });
  await fake.listen();
  await until('it connected again', () => fake.calls.filter((member) => member === 'Subscribe').length === 2);
  await until('it told to look', () => hints.length > 0);
  assert.deepEqual(hints, ['a.service']);
});

test('a job whose end was missed while the connection was down is judged by the unit', async (t) => {
  const { fake, services } = await host(t);
  let jobId = 7;
  fake.answer = (member, body) => {
    if (member === 'StartUnit') return jobAnswer;
    return properties(
      { Job: variant('(uo)', [jobId, jobId === 0 ? '/' : job]), ActiveState: variant('s', 'active') },
      body,
    );
  };
  const started = services.start('a.service', 10_000);
  await until('it was asked to start', () => fake.calls.includes('StartUnit'));
  fake.closeAll();
  await until('the unit was asked', () => fake.calls.includes('Get'));
  jobId = 0;
  await started;
});

test('hundreds of signals are one hint, and only for watched units', async (t) => {
  const { fake, services, bus } = await host(t);
  const hints: string[] = [];
  using _watch = services.watch(
    () => ['a@1.service', 'b.service'],
    (unit) => hints.push(unit),
  );
  await bus.connect();
  const changed = (unit: string): void =>
    fake.signal('PropertiesChanged', 's', ['x'], {
      path: unitPath(unit),
      interface: 'org.freedesktop.DBus.Properties',
    });
  for (let count = 0; count < 300; count += 1) changed(count % 2 === 0 ? 'a@1.service' : 'other.service');
  await until('it was told', () => hints.length > 0);
  await delay(50);
  assert.ok(hints.length <= 3, `${hints.length} hints`);
  assert.deepEqual([...new Set(hints)], ['a@1.service']);
  hints.length = 0;
  fake.signal('Reloading', 'b', [true]);
  fake.signal('Reloading', 'b', [false]);
  await until('both were told', () => hints.length === 2);
  assert.deepEqual(hints.toSorted(), ['a@1.service', 'b.service']);
});

test('reloads asked for at once are two at most: the one under way and one more', async (t) => {
  const { fake, services } = await host(t);
  await Promise.all(Array.from({ length: 10 }, () => services.daemonReload()));
  assert.equal(fake.calls.filter((member) => member === 'Reload').length, 2);
});

test('object paths and unit names lead to each other', () => {
  for (const unit of [
    'containerd.service',
    'a@b-c.service',
    '9p.mount',
    'dev-disk\\x2d.device',
    'ü.service',
  ]) {
    assert.equal(unitOfPath(unitPath(unit)), unit);
  }
  assert.equal(unitPath('9p.mount'), '/org/freedesktop/systemd1/unit/_39p_2emount');
  assert.equal(unitOfPath('/org/freedesktop/systemd1/job/7'), undefined);
});

test('a job that is waited for holds up nobody once the bus is closed: an agent that restarts itself ends at once', async (t) => {
  const { fake, services, bus } = await host(t);
  fake.answer = (member) => (member === 'RestartUnit' ? jobAnswer : undefined);
  const begun = performance.now();
  const restarted = assert.rejects(services.restart('a.service', 60_000), /closed/);
  await until('it was asked to restart', () => fake.calls.includes('RestartUnit'));
  bus.close();
  await restarted;
  assert.ok(performance.now() - begun < 10_000, 'long before the deadline of the job');
});
