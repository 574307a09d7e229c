import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineComponentSpec } from '@kubenode/api';
import type { Desired } from '../desired/desired.ts';
import { daemon, desired, spec, Story } from '../testing/stories.ts';

/** A host on which daemon 1.0 is Ready. */
async function held(fields: Partial<MachineComponentSpec>): Promise<Story> {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0', fields)]));
  await story.ready('daemon', 'daemon-1.0');
  return story;
}
const drain = { disruption: 'Drain' as const };
const reboot = { disruption: 'Reboot' as const };
const isOld = (story: Story): boolean => story.host.files.text('/etc/daemon.conf') === 'version = 1.0\n';

test('a first installation has nothing to drain, and asks nothing', async () => {
  const story = await held(drain);
  assert.ok(!story.events.some((event) => event.startsWith('Warning')));
  await story.stop();
});

test('an upgrade of class Drain is staged, asks, touches nothing before leave, and its deadline stands still', async () => {
  const story = await held(drain);
  const next = desired([
    daemon(story.host, '1.1', { ...drain, hooks: { preInstall: { command: ['pre'], timeout: '10s' } } }),
  ]);
  const pid = story.host.services.pidOf('daemon.service');
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  await story.clock.advance(3_600_000);
  const status = story.status('daemon');
  assert.equal(status?.state, 'Waiting');
  assert.equal(status?.asks, 'Drain');
  assert.match(
    status?.message ?? '',
    /daemon-1.1 follows daemon-1.0; waits for leave to disturb a drained machine/,
  );
  assert.ok(story.host.effects.includes('run pre'), 'what disturbs nothing is done before');
  assert.ok(isOld(story));
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  const weaker = story.grant(next, 'Restart', 'weak');
  story.want(weaker);
  await story.clock.advance(10_000);
  assert.ok(isOld(story), 'a weaker leave is not enough');
  story.want(story.grant(next, 'Drain', 'l1'));
  await story.ready('daemon', 'daemon-1.1');
  assert.equal(story.status('daemon')?.asks, undefined);
  await story.stop();
});

test('it goes on asking until it has ended, and the same leave serves the way back', async () => {
  const story = await held(drain);
  const next = desired([daemon(story.host, '1.1', { ...drain, progressDeadline: '5s' })]);
  story.host.behaviour.failing.add('daemon.service');
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  story.want(story.grant(next, 'Drain', 'l1'));
  await story.until(() => story.status('daemon')?.step === 'probes');
  assert.equal(story.status('daemon')?.asks, 'Drain');
  story.host.behaviour.failing.clear();
  story.host.services.harm('daemon.service', 'fail');
  story.want(next);
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.ok(isOld(story));
  assert.equal(story.status('daemon')?.running, 'daemon-1.0');
  await story.stop();
});

test('what waits for leave and is taken back leaves no trace', async () => {
  const story = await held(drain);
  const pid = story.host.services.pidOf('daemon.service');
  const before = story.host.files.fingerprint(['/var/lib/kubenode']);
  story.want(desired([daemon(story.host, '1.1', drain)]));
  await story.until(() => story.status('daemon')?.step === 'leave');
  story.want(desired([daemon(story.host, '1.0', drain)]));
  await story.ready('daemon', 'daemon-1.0');
  assert.equal(story.status('daemon')?.asks, undefined);
  assert.deepEqual(story.host.files.fingerprint(['/var/lib/kubenode']), before);
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  await story.stop();
});

test('an agent that starts anew while it waits goes on waiting', async () => {
  const story = await held(drain);
  const next = desired([daemon(story.host, '1.1', drain)]);
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  await story.stop();
  story.start(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  await story.clock.advance(600_000);
  assert.ok(isOld(story));
  story.want(story.grant(next, 'Reboot', 'l1'));
  await story.ready('daemon', 'daemon-1.1');
  await story.stop();
});

test('a removal of class Drain asks before it stops what runs', async () => {
  const story = await held(drain);
  const gone = desired([daemon(story.host, '1.0', drain)], { daemon: { state: 'Absent' } });
  await story.clock.advance(11_000);
  story.want(gone);
  await story.until(() => story.status('daemon')?.asks === 'Drain');
  await story.clock.advance(60_000);
  assert.notEqual(story.host.services.pidOf('daemon.service'), 0);
  story.want(story.grant(gone, 'Drain', 'l1'));
  await story.until(() => story.host.services.pidOf('daemon.service') === 0);
  await story.stop();
});

const reboots = (story: Story): number => story.host.effects.filter((effect) => effect === 'reboot').length;

/** Two components that need a reboot. */
function three(story: Story): Desired {
  const file = (path: string) => ({
    path,
    mode: '0644',
    owner: '0:0',
    onChange: 'None' as const,
    content: 'x',
  });
  const kernel = spec({ component: 'kernel', version: '2', ...reboot, files: [file('/etc/kernel')] });
  return desired([daemon(story.host, '1.1', reboot), kernel]);
}

test('one reboot serves all, is journalled before, and is proven by another boot', async () => {
  const story = await held({});
  const next = three(story);
  story.want(next);
  await story.until(() => ['daemon', 'kernel'].every((name) => story.status(name)?.asks === 'Reboot'));
  assert.equal(reboots(story), 0);
  const granted = story.grant(next, 'Reboot', 'l1');
  story.want(granted);
  await story.until(() => reboots(story) === 1);
  const journal = JSON.parse(story.host.files.text('/var/lib/kubenode/journal/daemon.json') ?? '{}') as {
    reboot?: unknown;
  };
  assert.deepEqual((journal.reboot as { bootID: string }).bootID, 'boot-1');
  assert.match(story.host.files.text('/var/lib/kubenode/reboots.json') ?? '', /"id":"l1","bootID":"boot-1"/);
  assert.equal(story.host.files.text('/etc/kernel'), 'x');
  await story.restartHost(granted);
  await story.ready('daemon', 'daemon-1.1');
  await story.ready('kernel', 'kernel-2');
  assert.equal(reboots(story), 1);
  assert.equal(story.status('daemon')?.asks, undefined);
  await story.stop();
});

test('a reboot that does not come about is not tried again under the same leave', async () => {
  const story = await held({});
  const next = desired([daemon(story.host, '1.1', { ...reboot, progressDeadline: '2m' })]);
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  const granted = story.grant(next, 'Reboot', 'l1');
  story.want(granted);
  await story.until(() => reboots(story) === 1);
  await story.stop();
  story.start(granted);
  await story.until(() => story.status('daemon')?.step === 'reboot');
  await story.clock.advance(30_000);
  assert.equal(reboots(story), 1);
  story.want(story.grant(next, 'Reboot', 'l2'));
  await story.until(() => reboots(story) === 2);
  await story.restartHost(story.grant(next, 'Reboot', 'l2'));
  await story.ready('daemon', 'daemon-1.1');
  await story.stop();
});

test('an agent that is killed before it gives the order gives it under the same leave, once', async () => {
  const story = await held({});
  const next = desired([daemon(story.host, '1.1', reboot)]);
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  const granted = story.grant(next, 'Reboot', 'l1');
  let isKilled = false;
  story.host.onEffect = (effect) => {
    isKilled ||= effect === 'reboot';
    if (isKilled) throw new Error('killed');
  };
  story.want(granted);
  await story.until(() => isKilled);
  await story.stop();
  assert.equal(reboots(story), 0);
  story.host.onEffect = () => undefined;
  story.start(granted);
  await story.until(() => reboots(story) === 1);
  await story.clock.advance(10_000);
  assert.equal(reboots(story), 1);
  await story.restartHost(granted);
  await story.ready('daemon', 'daemon-1.1');
  assert.equal(reboots(story), 1);
  await story.stop();
});

test('without another leave the deadline ends it, says so, and the old revision is back', async () => {
  const story = await held({});
  const next = desired([daemon(story.host, '1.1', { ...reboot, progressDeadline: '1m' })]);
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  story.want(story.grant(next, 'Reboot', 'l1'));
  await story.until(() => reboots(story) === 1);
  await story.until(() => story.status('daemon')?.state === 'Failed', 180_000);
  assert.equal(story.status('daemon')?.failed?.step, 'reboot');
  assert.match(
    story.status('daemon')?.failed?.message ?? '',
    /told to reboot under leave l1, its boot ID is still boot-1, and no other leave came within 60 s/,
  );
  assert.equal(reboots(story), 1);
  assert.ok(isOld(story));
  await story.stop();
});

test('a revision that failed after its reboot is gone back from by another reboot', async () => {
  const story = await held({});
  const probes = [
    {
      name: 'p',
      exec: { command: ['bad'] },
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 1,
      initialDelaySeconds: 0,
    },
  ];
  const next = desired([daemon(story.host, '1.1', { ...reboot, probes, progressDeadline: '5s' })]);
  story.host.behaviour.failingProbes.add('bad');
  story.want(next);
  await story.until(() => story.status('daemon')?.step === 'leave');
  const first = story.grant(next, 'Reboot', 'l1');
  story.want(first);
  await story.until(() => reboots(story) === 1);
  await story.restartHost(first);
  await story.until(() => story.component('daemon')?.operation?.kind === 'Rollback', 120_000);
  await story.until(() => story.status('daemon')?.step === 'reboot');
  assert.equal(story.status('daemon')?.asks, 'Reboot');
  await story.clock.advance(600_000);
  assert.equal(reboots(story), 1);
  const second = story.grant(next, 'Reboot', 'l2');
  story.want(second);
  await story.until(() => reboots(story) === 2);
  await story.restartHost(second);
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.equal(story.status('daemon')?.running, 'daemon-1.0');
  assert.ok(isOld(story));
  await story.stop();
});
