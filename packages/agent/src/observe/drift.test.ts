import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Correctness } from '@kubenode/api';
import { unitFolder } from '../plan/goal.ts';
import { daemon, desired, Story } from '../testing/stories.ts';

interface Harm {
  readonly name: string;
  readonly breaks: keyof Correctness;
  readonly what: RegExp;
  readonly harm: (story: Story) => void;
  /** The process is another one after the repair. Default: it is not touched. */
  readonly restarts?: boolean;
}

const conf = '/etc/daemon.conf';
const program = '/opt/daemon/bin/daemon';
const unitFile = `${unitFolder}/daemon.service`;

const harms: readonly Harm[] = [
  {
    name: 'a byte of a config file changed',
    breaks: 'config',
    what: /daemon.conf: content/,
    harm: ({ host }) => host.files.harm(conf, 'version = 6.6\n'),
  },
  {
    name: 'a config file deleted',
    breaks: 'config',
    what: /daemon.conf: absent/,
    harm: ({ host }) => host.files.harm(conf, undefined),
  },
  {
    name: 'a mode changed',
    breaks: 'config',
    what: /daemon.conf: mode/,
    harm: ({ host }) => host.files.harm(conf, 'version = 1.0\n', 0o777),
  },
  {
    name: 'a binary swapped',
    breaks: 'version',
    what: /bin\/daemon: content/,
    harm: ({ host }) => host.files.harm(program, 'program 0.9', 0o755),
  },
  {
    name: 'a binary deleted',
    breaks: 'version',
    what: /bin\/daemon: absent/,
    harm: ({ host }) => host.files.harm(program, undefined),
  },
  {
    name: 'the mode of a binary changed',
    breaks: 'config',
    what: /bin\/daemon: mode/,
    harm: ({ host }) => host.files.harm(program, 'program 1.0', 0o644),
  },
  {
    name: 'the unit file changed',
    breaks: 'config',
    what: /daemon.service: content/,
    harm: ({ host }) => host.files.harm(unitFile, '[Service]\nExecStart=/bin/evil\n'),
  },
  {
    name: 'the unit masked',
    breaks: 'config',
    what: /daemon.service: is a symlink/,
    harm: ({ host }) => host.files.harmLink(unitFile, '/dev/null'),
  },
  {
    name: 'a drop-in put there',
    breaks: 'config',
    what: /drop-in/,
    harm: ({ host }) => host.files.harm(`${unitFile}.d/evil.conf`, '[Service]\nUser=nobody\n'),
  },
  {
    name: 'the unit stopped',
    breaks: 'running',
    what: /inactive/,
    restarts: true,
    harm: ({ host }) => host.services.harm('daemon.service', 'stop'),
  },
  {
    name: 'the unit failed',
    breaks: 'running',
    what: /failed/,
    restarts: true,
    harm: ({ host }) => host.services.harm('daemon.service', 'fail'),
  },
  {
    name: 'the unit disabled',
    breaks: 'running',
    what: /disabled/,
    harm: ({ host }) => host.services.harm('daemon.service', 'disable'),
  },
  {
    name: 'the process stopped with SIGSTOP',
    breaks: 'running',
    what: /is stopped/,
    restarts: true,
    harm: ({ host }) => host.services.harm('daemon.service', 'freeze'),
  },
];

for (const { name, breaks, what, harm, restarts = false } of harms) {
  test(`${name}: breaks ${breaks} alone and is put right${restarts ? '' : ' without a restart'}`, async () => {
    const story = await held('Repair');
    const before = story.host.files.fingerprint(['/var/lib/kubenode']);
    const pid = story.host.services.pidOf('daemon.service');
    harm(story);
    await story.until(() => story.status('daemon')?.drift?.repaired === 1, 12_000);
    await story.until(() => story.status('daemon')?.state === 'Ready', 12_000);
    assert.match(story.status('daemon')?.drift?.last?.what ?? '', what);
    assert.deepEqual(story.host.files.fingerprint(['/var/lib/kubenode']), before);
    assert.equal(story.host.services.pidOf('daemon.service') !== pid, restarts);
    assert.ok(story.events.some((event) => event.startsWith('Normal DriftRepaired daemon: ')));
    await story.stop();
  });

  test(`${name}: with drift Report it is told as ${breaks} and not touched`, async () => {
    const story = await held('Report');
    harm(story);
    const harmed = story.host.files.fingerprint(['/var/lib/kubenode']);
    await story.until(() => story.status('daemon')?.state === 'Degraded', 12_000);
    const right: Correctness = { version: 'True', config: 'True', running: 'True' };
    assert.deepEqual(story.status('daemon')?.correct, { ...right, [breaks]: 'False' });
    await story.clock.advance(30_000);
    assert.match(story.status('daemon')?.drift?.last?.what ?? '', what);
    assert.equal(story.status('daemon')?.drift?.repaired, 0);
    assert.deepEqual(story.host.files.fingerprint(['/var/lib/kubenode']), harmed);
    assert.equal(story.events.filter((event) => event.includes('DriftFound')).length, 1);
    await story.stop();
  });
}

test('a process that read the harmed file is restarted', async () => {
  const story = await held('Repair');
  await story.stop();
  story.host.files.harm(conf, 'version = 6.6\n');
  await story.clock.advance(1_000);
  await story.host.services.restart('daemon.service');
  const pid = story.host.services.pidOf('daemon.service');
  story.start(desired([daemon(story.host, '1.0')]));
  await story.until(() => story.status('daemon')?.drift?.repaired === 1);
  await story.until(() => story.status('daemon')?.state === 'Ready');
  assert.notEqual(story.host.services.pidOf('daemon.service'), pid);
  await story.stop();
});

test('a probe that fails often enough has the process restarted, and once is not enough', async () => {
  const story = await held('Repair');
  const pid = story.host.services.pidOf('daemon.service');
  story.host.behaviour.failingProbes.add('probe');
  await story.clock.advance(3_000);
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  await story.until(() => story.host.services.pidOf('daemon.service') !== pid, 30_000);
  story.host.behaviour.failingProbes.clear();
  await story.until(() => story.status('daemon')?.state === 'Ready', 30_000);
  await story.stop();
});

test('without a desired state everything known is held and repaired', async () => {
  const story = await held('Repair');
  await story.stop();
  story.start(undefined);
  await story.until(() => story.view !== undefined);
  story.host.files.harm(conf, 'bad');
  await story.until(() => story.host.files.text(conf) === 'version = 1.0\n', 12_000);
  story.want(desired([]));
  await story.clock.advance(20_000);
  assert.equal(story.status('daemon')?.running, 'daemon-1.0');
  assert.match(story.status('daemon')?.message ?? '', /no longer assigned/);
  await story.stop();
});

/** A host on which the daemon is Ready. */
async function held(drift: 'Repair' | 'Report'): Promise<Story> {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')], { daemon: { drift } }));
  await story.ready('daemon', 'daemon-1.0');
  await story.clock.advance(11_000);
  return story;
}

test('what is done to the host while it is being repaired does not become right by the repair', async () => {
  const story = await held('Repair');
  const dropIn = `${unitFile}.d/evil.conf`;
  story.host.onEffect = (what) => {
    if (what === `write ${conf}`) story.host.files.harm(dropIn, '[Service]\nUser=nobody\n');
  };
  story.host.files.harm(conf, 'bad');
  await story.until(() => story.status('daemon')?.drift?.repaired === 2, 30_000);
  assert.equal(story.host.files.text(dropIn), undefined);
  await story.stop();
});
