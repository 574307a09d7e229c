import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daemon, desired, spec, Story } from './testing/stories.ts';

async function upgrade(fields: Parameters<typeof daemon>[2], spoil: (story: Story) => void): Promise<Story> {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  const next = daemon(story.host, '1.1', { progressDeadline: '5s', ...fields });
  spoil(story);
  story.want(desired([next]));
  return story;
}

test('a revision whose probe never succeeds goes back, and is not tried again until asked', async () => {
  const story = await upgrade(
    {
      probes: [
        {
          name: 'p',
          exec: { command: ['bad'] },
          periodSeconds: 1,
          timeoutSeconds: 1,
          failureThreshold: 1,
          initialDelaySeconds: 0,
        },
      ],
    },
    ({ host }) => host.behaviour.failingProbes.add('bad'),
  );
  await story.until(() => story.status('daemon')?.state === 'RollingBack');
  await story.until(() => story.status('daemon')?.state === 'Failed');
  const status = story.status('daemon');
  assert.equal(status?.desired, 'daemon-1.1');
  assert.equal(status?.running, 'daemon-1.0');
  assert.equal(status?.failed?.revision, 'daemon-1.1');
  assert.equal(status?.failed?.step, 'probes');
  assert.match(
    status?.failed?.message ?? '',
    /not healthy within 5 s \(spec.progressDeadline\): probe p: bad fails/,
  );
  assert.deepEqual(status?.correct, { version: 'True', config: 'True', running: 'True' });
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'version = 1.0\n');
  story.host.behaviour.failingProbes.clear();
  story.host.effects.length = 0;
  await story.clock.advance(7_200_000);
  assert.equal(
    story.host.effects.some((effect) => effect.includes('/etc/daemon.conf')),
    false,
  );
  story.want({
    ...desired([daemon(story.host, '1.1', { progressDeadline: '5s' })], { daemon: { retryToken: '2' } }),
  });
  await story.ready('daemon', 'daemon-1.1');
  assert.equal(story.status('daemon')?.failed, undefined);
  await story.stop();
});

test('with onFailure Hold the new revision stays, says so, and counts as good once it is healthy', async () => {
  const probe = {
    name: 'p',
    exec: { command: ['bad'] },
    periodSeconds: 1,
    timeoutSeconds: 1,
    failureThreshold: 1,
    initialDelaySeconds: 0,
  };
  const story = await upgrade({ onFailure: 'Hold', probes: [probe] }, ({ host }) =>
    host.behaviour.failingProbes.add('bad'),
  );
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  assert.equal(story.status('daemon')?.lastGood, 'daemon-1.0');
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'version = 1.1\n');
  story.host.behaviour.failingProbes.clear();
  await story.until(() => story.status('daemon')?.state === 'Ready');
  assert.equal(story.status('daemon')?.running, 'daemon-1.1');
  assert.equal(story.status('daemon')?.lastGood, undefined, 'the running revision is the last good one');
  await story.stop();
});

test('a wrong version goes back before anybody calls it healthy', async () => {
  const story = await upgrade({}, ({ host }) =>
    host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: 'daemon v0.9' }),
  );
  await story.until(() => story.status('daemon')?.failed?.step === 'version');
  assert.match(story.status('daemon')?.failed?.message ?? '', /does not find 1.1: it says 0.9/);
  story.host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: 'daemon v1.0' });
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.equal(story.status('daemon')?.running, 'daemon-1.0');
  await story.stop();
});

test('an artifact that cannot be had leaves the old one running, and is fetched when it can be', async () => {
  const story = await upgrade({}, ({ host }) =>
    host.behaviour.artifacts.delete('http://files/daemon-1.1.tar.gz'),
  );
  await story.until(() => story.status('daemon')?.failed !== undefined);
  assert.match(story.status('daemon')?.message ?? '', /does not answer: check the address.*Tried again at/s);
  assert.equal(story.status('daemon')?.correct?.running, 'True');
  daemon(story.host, '1.1');
  await story.ready('daemon', 'daemon-1.1');
  await story.stop();
});

test('a new revision replaces one that hangs, and what the hanging one brought goes', async () => {
  const extra = {
    path: '/etc/only-in-1.1',
    mode: '0644',
    owner: '0:0',
    onChange: 'None' as const,
    content: 'x',
  };
  const probe = {
    name: 'p',
    exec: { command: ['bad'] },
    periodSeconds: 1,
    timeoutSeconds: 1,
    failureThreshold: 1,
    initialDelaySeconds: 0,
  };
  const story = await upgrade({ progressDeadline: '1h', files: [extra], probes: [probe] }, ({ host }) =>
    host.behaviour.failingProbes.add('bad'),
  );
  await story.until(() => story.component('daemon')?.operation?.step === 'probes');
  assert.equal(story.host.files.text('/etc/only-in-1.1'), 'x');
  story.want(desired([daemon(story.host, '1.2')]));
  await story.ready('daemon', 'daemon-1.2');
  assert.equal(story.host.files.text('/etc/only-in-1.1'), undefined);
  await story.stop();
});

test('one component that fails holds up no other', async () => {
  const story = new Story();
  story.host.behaviour.failing.add('daemon.service');
  const other = spec({
    component: 'other',
    version: '1',
    files: [{ path: '/etc/o', mode: '0644', owner: '0:0', onChange: 'None', content: 'o' }],
  });
  story.start(desired([daemon(story.host, '1.0', { progressDeadline: '3s' }), other]));
  await story.ready('other', 'other-1');
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.match(story.status('daemon')?.message ?? '', /unit daemon.service is failed/);
  story.host.behaviour.failing.clear();
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
});

test('a unit that does not parse is named with its line', async () => {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0', { unit: { name: 'daemon.service', content: 'GARBAGE' } })]));
  await story.until(() => story.status('daemon')?.state === 'Failed');
  assert.match(
    story.status('daemon')?.message ?? '',
    /unit daemon.service of daemon-1.0 does not load: line 1: GARBAGE. Correct spec.unit.content/,
  );
  assert.ok(
    story.events.some((event) => event.startsWith('Warning InstallFailed daemon daemon-1.0 at step units')),
  );
  await story.stop();
});

test('a paused Machine is looked at and not touched', async () => {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  story.want(desired([daemon(story.host, '1.1')], {}, { paused: true }));
  story.host.files.harm('/etc/daemon.conf', 'bad');
  await story.clock.advance(30_000);
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'bad');
  assert.equal(story.status('daemon')?.correct?.config, 'False');
  story.want(desired([daemon(story.host, '1.1')]));
  await story.ready('daemon', 'daemon-1.1');
  await story.stop();
});

test('a unit that something else started before its files were right is started anew', async () => {
  const story = new Story();
  const { host } = story;
  host.behaviour.debs.set('daemon=1', {
    '/usr/bin/daemon': 'program',
    '/lib/systemd/system/daemon.service': '[Service]\nExecStart=/usr/bin/daemon\n',
  });
  const { versionCheck: _check, ...rest } = daemon(host, '1', {
    disruption: 'None',
    unit: { name: 'daemon.service' },
    artifacts: [
      {
        os: 'linux',
        arch: 'amd64',
        package: { name: 'daemon', version: '1', digest: `sha256:${'0'.repeat(64)}` },
      },
    ],
  });
  host.onEffect = (what) => {
    if (what === 'write /etc/daemon.conf') void host.services.runs('daemon.service');
  };
  story.start(desired([rest]));
  await story.ready('daemon', 'daemon-1');
  const { read = [] } = host.services.process(host.services.pidOf('daemon.service')) ?? {};
  assert.ok(read.some((line) => line.startsWith('/etc/daemon.conf')));
  await story.stop();
});
