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

/** A host whose daemon was started with a harmed file, and an agent that has just come. */
async function harmedProcess(set: (story: Story) => void, fields = {}): Promise<[Story, number]> {
  const story = await held('Repair', fields);
  await story.stop();
  story.host.files.harm(conf, 'version = 6.6\n');
  await story.clock.advance(1_000);
  await story.host.services.restart('daemon.service');
  set(story);
  story.start(desired([daemon(story.host, '1.0', fields)]));
  return [story, story.host.services.pidOf('daemon.service')];
}
const offline = { isOnline: false, confirm: () => false };
const isClean = (story: Story): boolean => story.host.files.text(conf) === 'version = 1.0\n';

test('a process that read the harmed file asks for leave to be restarted, and the file is put back at once', async () => {
  const [story, pid] = await harmedProcess(() => undefined);
  await story.until(() => story.status('daemon')?.asks === 'Restart');
  assert.ok(isClean(story));
  assert.equal(story.status('daemon')?.state, 'Waiting');
  assert.equal(story.status('daemon')?.correct?.config, 'False');
  assert.match(
    story.status('daemon')?.message ?? '',
    /daemon.service: its process has to be restarted, since it was started with this: .*daemon.conf: content. waits for leave/,
  );
  await story.clock.advance(7_200_000);
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  const state = desired([daemon(story.host, '1.0')]);
  story.want(story.grant(state, 'Restart', 'l1'));
  await story.until(() => story.status('daemon')?.state === 'Ready');
  assert.notEqual(story.host.services.pidOf('daemon.service'), pid);
  assert.equal(story.status('daemon')?.asks, undefined);
  await story.stop();
});

test('one of class Drain asks for a drained machine', async () => {
  const [story] = await harmedProcess(() => undefined, { disruption: 'Drain' });
  await story.until(() => story.status('daemon')?.asks === 'Drain');
  await story.stop();
});

test('what has to be restarted is not forgotten by a restart of the agent, and is no more when somebody else does it', async () => {
  const [story] = await harmedProcess(() => undefined);
  await story.until(() => story.status('daemon')?.asks === 'Restart');
  await story.stop();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.until(() => story.status('daemon')?.asks === 'Restart');
  await story.clock.advance(1_000);
  await story.host.services.restart('daemon.service');
  await story.until(() => story.status('daemon')?.state === 'Ready');
  assert.equal(story.status('daemon')?.asks, undefined);
  await story.stop();
});

test('without an API server it is restarted after a random wait, and once in an hour', async () => {
  const [story, pid] = await harmedProcess((story) => {
    story.telling = offline;
    story.random = 0.5;
  });
  await story.clock.advance(14 * 60_000);
  assert.ok(isClean(story));
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  await story.until(() => story.host.services.pidOf('daemon.service') !== pid, 2 * 60_000);
  const second = story.host.services.pidOf('daemon.service');
  await story.stop();
  story.host.files.harm(conf, 'version = 6.6\n');
  await story.clock.advance(1_000);
  await story.host.services.restart('daemon.service');
  const third = story.host.services.pidOf('daemon.service');
  assert.notEqual(second, third);
  story.start(desired([daemon(story.host, '1.0')]));
  await story.clock.advance(50 * 60_000);
  assert.equal(story.host.services.pidOf('daemon.service'), third);
  await story.until(() => story.host.services.pidOf('daemon.service') !== third, 15 * 60_000);
  await story.stop();
});

test('a file that something keeps changing is contested: said seldom, put right seldom, and Ready soon when it stops', async () => {
  const story = await held('Repair');
  const told: string[] = [];
  story.onPublish = () => {
    const { since: _since, ...status } = { since: '', ...story.status('daemon') };
    const line = JSON.stringify(status);
    if (told.at(-1) !== line) told.push(line);
  };
  const pid = story.host.services.pidOf('daemon.service');
  story.host.effects.length = 0;
  for (let second = 0; second < 300; second++) {
    story.host.files.harm(conf, `bad ${second}`);
    await story.clock.advance(1_000);
  }
  const writes = story.host.effects.filter((effect) => effect === `write ${conf}`).length;
  assert.ok(writes >= 5 && writes <= 14, `${writes} repairs`);
  assert.ok(told.length <= 8, `${told.length} different statuses:\n${told.join('\n')}`);
  const status = story.status('daemon');
  assert.equal(status?.state, 'Degraded');
  assert.equal(status?.correct?.config, 'False');
  assert.match(
    status?.message ?? '',
    /\/etc\/daemon.conf: content: contested, something else on this host undoes it each time; put right \d+ times in \d+ s; now it is put right when/,
  );
  assert.ok(story.events.filter((event) => /Drift/.test(event)).length <= 3, story.events.join('\n'));
  await story.until(() => story.status('daemon')?.state === 'Ready', 61_000);
  assert.ok(isClean(story));
  assert.equal(story.host.services.pidOf('daemon.service'), pid);
  await story.stop();
});

test('a program that does not stay up is told with what it said last', async () => {
  const story = await held('Repair');
  const unit = 'daemon.service';
  story.host.services.logs.set(unit, `${unit}: Main process exited\nport 80 is taken`);
  for (let i = 0; i < 3; i++) {
    story.host.services.harm(unit, 'fail');
    await story.clock.advance(3_000);
  }
  const status = story.status('daemon');
  assert.equal(status?.state, 'Degraded');
  assert.match(
    status?.message ?? '',
    /daemon.service: failed: it does not stay up; put right \d times in \d s; its log ends: port 80 is taken$/,
  );
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
async function held(drift: 'Repair' | 'Report', fields = {}): Promise<Story> {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0', fields)], { daemon: { drift } }));
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
