import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineComponentSpec } from '@kubenode/api';
import { daemon, desired, Story } from './testing/stories.ts';

const unit = 'daemon.service';

/** A host that went from daemon 1.0 to 1.1 a moment ago. */
async function upgraded(fields: Partial<MachineComponentSpec> = {}): Promise<Story> {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  story.want(desired([daemon(story.host, '1.1', { progressDeadline: '5m', ...fields })]));
  await story.ready('daemon', 'daemon-1.1');
  story.host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: 'daemon v1.0' });
  await story.clock.advance(20_000);
  return story;
}
async function isBack(story: Story, why: RegExp): Promise<void> {
  await story.until(() => story.status('daemon')?.state === 'Failed');
  const status = story.status('daemon');
  assert.equal(status?.running, 'daemon-1.0');
  assert.equal(status?.desired, 'daemon-1.1');
  assert.equal(status?.failed?.step, 'observe');
  assert.match(status?.failed?.message ?? '', why);
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'version = 1.0\n');
  await story.until(() => story.status('daemon')?.correct?.running === 'True');
  await story.clock.advance(3_600_000);
  assert.equal(story.status('daemon')?.running, 'daemon-1.0', 'it is not tried again by itself');
  await story.stop();
}

test('a unit that fails again after one repair is gone back from', async () => {
  const story = await upgraded();
  story.host.services.harm(unit, 'fail');
  await story.until(() => story.status('daemon')?.drift?.repaired === 1);
  await story.until(() => story.status('daemon')?.state === 'Ready');
  await story.clock.advance(20_000);
  assert.equal(story.status('daemon')?.running, 'daemon-1.1', 'once is forgiven');
  story.host.services.harm(unit, 'fail');
  await isBack(story, /^did not stay healthy: daemon.service: failed, \d+ s after it was brought in$/);
});

test('probes that fail again after one repair are gone back from', async () => {
  const story = await upgraded();
  story.host.behaviour.failingProbes.add('probe');
  const pid = story.host.services.pidOf(unit);
  await story.until(() => story.host.services.pidOf(unit) !== pid);
  await story.until(() => story.component('daemon')?.operation?.kind === 'Rollback');
  story.host.behaviour.failingProbes.clear();
  await isBack(story, /did not stay healthy: probe alive: probe fails/);
});

test('a crash loop that is up whenever somebody looks is gone back from', async () => {
  const story = await upgraded();
  story.host.services.harm(unit, 'crash');
  await story.clock.advance(15_000);
  assert.equal(story.status('daemon')?.state, 'Ready', 'one restart is forgiven');
  story.host.services.harm(unit, 'crash');
  await isBack(story, /daemon.service: its process ends and is started again/);
});

test('a program that ends by itself without an error is gone back from at the third time', async () => {
  const story = await upgraded();
  for (let times = 1; times <= 2; times++) {
    story.host.services.harm(unit, 'stop');
    await story.until(() => story.status('daemon')?.drift?.repaired === times);
    await story.clock.advance(15_000);
  }
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  story.host.services.harm(unit, 'stop');
  await isBack(story, /daemon.service: inactive/);
});

test('the restart of the agent forgets nothing of it', async () => {
  const story = await upgraded();
  story.host.services.harm(unit, 'crash');
  await story.clock.advance(15_000);
  await story.stop();
  story.start(desired([daemon(story.host, '1.1', { progressDeadline: '5m' })]));
  story.host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: 'daemon v1.0' });
  await story.until(() => story.status('daemon')?.running === 'daemon-1.1');
  await story.clock.advance(15_000);
  story.host.services.harm(unit, 'crash');
  await isBack(story, /its process ends/);
});

test('what somebody else did to its files does not speak against it', async () => {
  const story = await upgraded();
  for (let times = 1; times <= 4; times++) {
    story.host.files.harm('/etc/daemon.conf', 'bad');
    story.host.services.harm(unit, 'fail');
    await story.until(() => story.status('daemon')?.drift?.repaired === times);
    await story.clock.advance(15_000);
  }
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  await story.stop();
});

test('after its probation it is the last good one, and what was kept for the way back goes', async () => {
  const story = await upgraded();
  const staged = (): number =>
    [...story.host.files.nodes.keys()].filter((path) => path.startsWith('/var/lib/kubenode/staged/daemon/'))
      .length;
  assert.equal(staged(), 2);
  await story.clock.advance(300_000);
  assert.equal(staged(), 1);
  for (let times = 0; times < 3; times++) {
    story.host.services.harm(unit, 'fail');
    await story.clock.advance(20_000);
  }
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  await story.stop();
});

test('a crash loop after that is Degraded and says so', async () => {
  const story = await upgraded();
  await story.clock.advance(400_000);
  for (let times = 0; times < 3; times++) {
    story.host.services.harm(unit, 'crash');
    await story.clock.advance(20_000);
  }
  assert.equal(story.status('daemon')?.state, 'Degraded');
  assert.match(story.status('daemon')?.message ?? '', /daemon.service: starts again and again/);
  await story.clock.advance(320_000);
  assert.equal(story.status('daemon')?.state, 'Ready');
  await story.stop();
});

test('with onFailure Hold it stays, failed, and says so', async () => {
  const story = await upgraded({ onFailure: 'Hold' });
  story.host.behaviour.failingProbes.add('probe');
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  assert.equal(story.status('daemon')?.lastGood, 'daemon-1.0');
  await story.stop();
});

test('a Debian package goes back by the .deb that was kept', async () => {
  const story = new Story();
  const { host } = story;
  const at = (version: string): MachineComponentSpec => {
    host.behaviour.debs.set(`daemon=${version}`, {
      '/usr/bin/daemon': `program ${version}`,
      '/lib/systemd/system/daemon.service': '[Service]\nExecStart=/usr/bin/daemon\n',
    });
    const digest = `sha256:${'0'.repeat(64)}`;
    const artifacts = [{ os: 'linux', arch: 'amd64', package: { name: 'daemon', version, digest } }];
    const { versionCheck: _check, ...rest } = daemon(host, version, { artifacts, unit: { name: unit } });
    return rest;
  };
  story.start(desired([at('1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  story.want(desired([at('1.1')]));
  await story.ready('daemon', 'daemon-1.1');
  // Nobody has the old one any more.
  const { install, fetch } = host.packages;
  host.packages.fetch = async (request, folder, signal) => {
    if (request.version === '1.0') throw new Error('package daemon 1.0 cannot be had');
    return await fetch(request, folder, signal);
  };
  const installed: string[] = [];
  host.packages.install = async (request) => {
    installed.push(`${request.version} from ${host.files.text(request.deb)}`);
    await install(request);
  };
  host.services.harm(unit, 'crash');
  host.services.harm(unit, 'crash');
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.deepEqual(installed, ['1.0 from daemon=1.0']);
  assert.equal(host.packages.there.get('daemon')?.version, '1.0');
  assert.equal(host.files.text('/usr/bin/daemon'), 'program 1.0');
  await story.until(() => story.status('daemon')?.correct?.running === 'True');
  await story.stop();
});
