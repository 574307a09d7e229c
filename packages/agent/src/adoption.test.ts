import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revertHost } from './commands/revert.ts';
import { planHost } from './commands/plan.ts';
import { unitFolder } from './plan/goal.ts';
import { daemon, desired, silent, spec, stateFolder, Story } from './testing/stories.ts';

const unitFile = `${unitFolder}/daemon.service`;

/** The daemon runs already, just as revision 1.0 would have it. */
async function alreadyRight(story: Story): Promise<void> {
  const { files, services } = story.host;
  files.harm('/opt/daemon/bin/daemon', 'program 1.0', 0o755);
  files.harm('/etc/daemon.conf', 'version = 1.0\n');
  files.harm(unitFile, '[Service]\nExecStart=/opt/daemon/bin/daemon\n');
  await services.runs('daemon.service');
}
const touchesHost = (effect: string): boolean => !effect.includes(stateFolder);

test('what is right already is adopted without touching it, and revert leaves it running', async () => {
  const story = new Story();
  await alreadyRight(story);
  const before = story.host.files.fingerprint([stateFolder]);
  const pid = story.host.services.pidOf('daemon.service');
  story.start(
    desired([daemon(story.host, '1.0', { hooks: { preInstall: { command: ['pre'], timeout: '1s' } } })]),
  );
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
  assert.deepEqual(story.host.effects.filter(touchesHost), []);
  assert.deepEqual(await revertHost(story.host, stateFolder, silent), []);
  assert.deepEqual(story.host.effects.filter(touchesHost), []);
  assert.deepEqual(story.host.files.fingerprint([stateFolder]), before);
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
});

test('what is right but for one file gets that file, and revert brings the old one back', async () => {
  const story = new Story();
  await alreadyRight(story);
  story.host.files.harm('/etc/daemon.conf', 'theirs\n', 0o600);
  const before = story.host.files.fingerprint([stateFolder]);
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
  const changes = story.host.effects.filter(touchesHost);
  assert.deepEqual(changes, ['write /etc/daemon.conf', 'restart daemon.service']);
  assert.deepEqual(await revertHost(story.host, stateFolder, silent), []);
  assert.deepEqual(story.host.files.fingerprint([stateFolder]), before);
  assert.ok(story.host.services.pidOf('daemon.service') > 0);
});

test('a process that runs another program than the one on disk is restarted into it', async () => {
  const story = new Story();
  await alreadyRight(story);
  story.host.files.harm('/opt/daemon/bin/daemon', 'program 0.9', 0o755);
  await story.host.services.restart('daemon.service');
  story.host.files.harm('/opt/daemon/bin/daemon', 'program 1.0', 0o755);
  const pid = story.host.services.pidOf('daemon.service');
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  assert.notEqual(story.host.services.pidOf('daemon.service'), pid);
  await story.stop();
});

test('what was brought is gone after revert, and what somebody changed since is left and named', async () => {
  const story = new Story();
  story.host.files.folders.add('/opt');
  story.host.files.harm('/etc/keep', 'x');
  const before = story.host.files.fingerprint([stateFolder]);
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
  const undone = story.host.files.fingerprint([stateFolder]);
  assert.notDeepEqual(undone, before);
  story.host.files.harm('/etc/daemon.conf', 'mine now\n');
  const left = await revertHost(story.host, stateFolder, silent);
  assert.deepEqual(left, [
    { target: '/etc/daemon.conf', reason: 'content was changed by somebody else since KubeNode wrote it' },
  ]);
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'mine now\n');
  assert.equal(story.host.services.pidOf('daemon.service'), 0);
  assert.equal(story.host.files.folders.has('/opt/daemon'), false);
  story.host.files.harm('/etc/daemon.conf', undefined);
  assert.deepEqual(story.host.files.fingerprint([stateFolder]), before);
});

test('an adopted Debian package is held to its digests; one that was brought goes with revert', async () => {
  const story = new Story();
  const { host } = story;
  host.behaviour.debs.set('tool=1', { '/usr/bin/tool': 'tool 1' });
  host.behaviour.debs.set('extra=1', { '/usr/bin/extra': 'extra 1' });
  host.packages.there.set('tool', { version: '1', complete: true, held: false });
  host.files.harm('/usr/bin/tool', 'tool 1', 0o755);
  const pkg = (name: string) => {
    const digest = `sha256:${'0'.repeat(64)}`;
    return spec({
      component: name,
      version: '1',
      artifacts: [{ os: 'linux', arch: 'amd64', package: { name, version: '1', digest } }],
    });
  };
  story.start(desired([pkg('tool'), pkg('extra')]));
  await story.ready('tool', 'tool-1');
  await story.ready('extra', 'extra-1');
  assert.deepEqual(
    host.effects.filter((effect) => effect.startsWith('dpkg')),
    ['dpkg -i extra=1'],
  );
  host.files.harm('/usr/bin/tool', 'evil', 0o755);
  await story.until(() => story.status('tool')?.drift?.repaired === 1);
  assert.equal(host.files.text('/usr/bin/tool'), 'tool 1');
  await story.stop();
  assert.deepEqual(await revertHost(host, stateFolder, silent), []);
  assert.deepEqual([...host.packages.there.keys()], ['tool']);
});

test('only a version command speaking for it leaves a component Unverified', async () => {
  const story = new Story();
  story.host.behaviour.commands.set('tool --version', { output: 'tool 1.0' });
  story.start(
    desired([
      spec({
        component: 'tool',
        version: '1.0',
        versionCheck: { exec: { command: ['tool', '--version'] }, pattern: '(\\d\\S*)' },
      }),
    ]),
  );
  await story.until(() => story.status('tool')?.state === 'Unverified');
  assert.deepEqual(story.status('tool')?.correct, { version: 'Unknown', config: 'True', running: 'True' });
  await story.stop();
});

test('plan lists what would change, what blocks, and touches nothing', async () => {
  const story = new Story();
  await alreadyRight(story);
  story.host.files.harm('/etc/daemon.conf', 'theirs\n', 0o600);
  const { artifacts: _none, ...rest } = daemon(story.host, '1.0');
  const arm = spec({
    component: 'arm',
    version: '1',
    artifacts: [
      {
        os: 'linux',
        arch: 'arm64',
        file: { url: 'http://x/y', digest: `sha256:${'0'.repeat(64)}`, path: '/x', mode: '0755' },
      },
    ],
  });
  const { machine, revisions } = desired([{ ...rest, artifacts: [] }, arm]);
  const effects = story.host.effects.length;
  const changes = await planHost(
    {
      machine: {
        metadata: { name: 'n1' },
        spec: { deletionPolicy: 'Retain', paused: false, components: [...machine.entries] },
      },
      revisions: revisions.map(({ name, uid, spec }) => ({
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'MachineComponent',
        metadata: { name, uid },
        spec,
      })),
    },
    story.host,
  );
  assert.equal(story.host.effects.length, effects);
  assert.deepEqual(changes.slice(0, 2), [
    {
      component: 'daemon',
      action: 'replace file',
      target: '/etc/daemon.conf',
      reason: 'its content differs',
      revertible: true,
    },
    {
      component: 'daemon',
      action: 'restart unit',
      target: 'daemon.service',
      reason: '/etc/daemon.conf changes',
      revertible: false,
    },
  ]);
  assert.equal(changes[2]?.action, 'blocked');
  assert.equal(changes.length, 3);
});
