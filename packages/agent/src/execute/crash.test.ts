import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Desired } from '../desired/desired.ts';
import { daemon, desired, stateFolder, Story } from '../testing/stories.ts';

/** The agent was killed: nothing it does after this has an effect. */
class Killed extends Error {
  override readonly name = 'Killed';
}

/** Where a story ends: files outside the agent's state, what runs, what the records say. */
function ending(story: Story, component: string): unknown {
  const { host } = story;
  const status = story.status(component);
  return {
    files: host.files.fingerprint([stateFolder]),
    state: status?.state,
    running: status?.running,
    failed: status?.failed?.revision,
    wayBack: story.component(component)?.record?.probation?.before.goal.revision,
    enabled: [...host.services.enabled],
    process: runs(host.services.process(host.services.pidOf('daemon.service'))),
    journal: [...host.files.nodes.keys()].filter((path) => path.startsWith(`${stateFolder}/journal/`)),
    packages: [...host.packages.there],
  };
}

/** What a process is made of: its program, and the configuration that it read. */
function runs(process: { executable: string; read: readonly string[] } | undefined): unknown {
  return process && { executable: process.executable, read: process.read };
}

interface Plot {
  readonly name: string;
  /** Brings the host to where the story begins. */
  readonly before: (story: Story) => Promise<void>;
  readonly want: (story: Story) => Desired;
  readonly ended: (story: Story) => boolean;
  readonly component?: string;
}

async function installed(story: Story): Promise<void> {
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
}
const settled = (story: Story, state: string): boolean =>
  story.component('daemon')?.operation === undefined && story.status('daemon')?.state === state;

const plots: readonly Plot[] = [
  {
    name: 'first installation',
    before: async (story) => {
      story.host.files.harm('/etc/daemon.conf', 'theirs\n', 0o600);
      story.host.files.folders.add('/opt');
    },
    want: (story) =>
      desired([
        daemon(story.host, '1.0', {
          hooks: {
            preInstall: { command: ['pre'], timeout: '10s' },
            postInstall: { command: ['post'], timeout: '10s' },
          },
        }),
      ]),
    ended: (story) => settled(story, 'Ready'),
  },
  {
    name: 'upgrade',
    before: installed,
    want: (story) => desired([daemon(story.host, '1.1')]),
    ended: (story) => settled(story, 'Ready') && story.status('daemon')?.running === 'daemon-1.1',
  },
  {
    name: 'upgrade that fails and goes back',
    before: installed,
    want: (story) => {
      const bad = desired([daemon(story.host, '1.1', { progressDeadline: '2s' })]);
      story.host.behaviour.commands.set('/opt/daemon/bin/daemon --version', { output: 'daemon v1.0' });
      return bad;
    },
    ended: (story) => settled(story, 'Failed') && story.status('daemon')?.correct?.running === 'True',
  },
  {
    name: 'removal',
    before: async (story) => {
      story.host.files.harm('/etc/daemon.conf', 'theirs\n', 0o600);
      await installed(story);
    },
    want: (story) => desired([daemon(story.host, '1.0')], { daemon: { state: 'Absent' } }),
    ended: (story) =>
      story.view !== undefined &&
      story.status('daemon')?.running === undefined &&
      story.component('daemon')?.operation === undefined,
  },
  {
    name: 'Debian package over an older one',
    before: async (story) => {
      const { host } = story;
      host.behaviour.debs.set('tool=1', { '/usr/bin/tool': 'tool 1' });
      host.behaviour.debs.set('tool=2', { '/usr/bin/tool': 'tool 2' });
      host.packages.there.set('tool', { version: '1', complete: true, held: false });
      host.files.harm('/usr/bin/tool', 'tool 1', 0o755);
    },
    want: (story) => {
      const digest = `sha256:${'0'.repeat(64)}`;
      const artifacts = [{ os: 'linux', arch: 'amd64', package: { name: 'tool', version: '2', digest } }];
      const {
        unit: _unit,
        versionCheck: _check,
        ...rest
      } = daemon(story.host, '2', { artifacts, files: [], probes: [] });
      return desired([rest]);
    },
    ended: (story) => settled(story, 'Ready'),
  },
];

for (const plot of plots) {
  test(`${plot.name}: killed before any effect, it ends as if nothing had been`, async () => {
    const calm = new Story();
    await plot.before(calm);
    const wanted = plot.want(calm);
    const first = calm.host.effects.length;
    calm.start(wanted);
    await calm.until(() => plot.ended(calm));
    await calm.stop();
    const expected = ending(calm, 'daemon');
    const effects = calm.host.effects.length - first;
    assert.ok(effects > 5, 'the story does something');
    for (let kill = 0; kill < effects; kill++) {
      const story = new Story();
      await plot.before(story);
      const wanted = plot.want(story);
      let left = kill;
      story.host.onEffect = (what) => {
        if (left-- <= 0) throw new Killed(what);
      };
      story.start(wanted);
      await story.until(() => left < 0, 120_000);
      await story.stop();
      story.host.onEffect = () => undefined;
      story.start(wanted);
      await story.until(() => plot.ended(story), 120_000);
      await story.stop();
      assert.deepEqual(ending(story, 'daemon'), expected, `killed before effect ${kill}`);
    }
  });
}

test('killed in the middle of an upgrade and then removed, nothing of either revision is left', async () => {
  const files = (story: Story): unknown => story.host.files.fingerprint([stateFolder]);
  const begin = async (): Promise<Story> => {
    const story = new Story();
    story.host.files.harm('/etc/daemon.conf', 'theirs\n', 0o600);
    story.host.files.folders.add('/opt');
    return story;
  };
  const expected = files(await begin());
  for (let kill = 0, upgraded = false; !upgraded; kill++) {
    const story = await begin();
    await installed(story);
    let left = kill;
    story.host.onEffect = (what) => {
      if (left-- <= 0) throw new Killed(what);
    };
    story.start(desired([daemon(story.host, '1.1')]));
    await story.until(() => left < 0 || story.status('daemon')?.running === 'daemon-1.1', 120_000);
    upgraded = left >= 0;
    await story.stop();
    story.host.onEffect = () => undefined;
    story.start(desired([daemon(story.host, '1.1')], { daemon: { state: 'Absent' } }));
    await story.until(
      () =>
        story.view !== undefined &&
        story.component('daemon')?.operation === undefined &&
        story.status('daemon')?.running === undefined,
      120_000,
    );
    await story.stop();
    assert.deepEqual(files(story), expected, `killed before effect ${kill}`);
  }
});
