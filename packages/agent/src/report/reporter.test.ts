import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentView } from '../agent.ts';
import { daemon, desired, silent, stateFolder, Story } from '../testing/stories.ts';
import { Reporter } from './reporter.ts';
import type { AgentStatus } from './status.ts';

/** A reporter whose writes are kept, and fail while `broken`. */
function setup(story: Story) {
  const written: AgentStatus[] = [];
  const line = { broken: false, attempts: 0 };
  const make = (): Reporter =>
    new Reporter({
      files: story.host.files,
      stateFolder,
      clock: story.clock,
      log: silent,
      agentVersion: '1',
      write: async (status) => {
        line.attempts++;
        if (line.broken) throw new Error('no answer');
        written.push(status);
      },
    });
  return { written, line, make };
}
async function running(reporter: Reporter, story: Story, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  await reporter.load();
  story.onPublish = (view: AgentView) => reporter.offer(view);
  const ended = reporter.run(stop.signal);
  await work();
  stop.abort(new Error('end'));
  await story.clock.advance(0);
  await ended;
}

test('bringing in a component costs two writes, and a quiet host none', async () => {
  const story = new Story();
  const { written, make } = setup(story);
  await running(make(), story, async () => {
    story.start(desired([daemon(story.host, '1.0')]));
    await story.until(() => written.at(-1)?.summary === '1/1');
    await story.clock.advance(600_000);
    await story.stop();
  });
  assert.ok(written.length <= 2, `${written.length} writes`);
  const [component] = written.at(-1)?.components ?? [];
  assert.equal(component?.state, 'Ready');
  assert.deepEqual(
    written
      .at(-1)
      ?.conditions.map(({ type, status, observedGeneration }) => ({ type, status, observedGeneration })),
    [
      { type: 'AgentReady', status: 'True', observedGeneration: 1 },
      { type: 'ComponentsReady', status: 'True', observedGeneration: 1 },
    ],
  );
});

test('long work is told at its begin and its end, and seldom between', async () => {
  const story = new Story();
  const { written, make } = setup(story);
  story.host.behaviour.failingProbes.add('probe');
  await running(make(), story, async () => {
    story.start(desired([daemon(story.host, '1.0', { progressDeadline: '10m' })]));
    await story.clock.advance(90_000);
    story.host.behaviour.failingProbes.clear();
    await story.until(() => written.at(-1)?.summary === '1/1');
    await story.stop();
  });
  assert.ok(written.length <= 4, `${written.length} writes`);
});

test('what could not be told is told when it can be, also after a restart, with the time when it happened', async () => {
  const story = new Story();
  const { written, line, make } = setup(story);
  line.broken = true;
  await running(make(), story, async () => {
    story.start(desired([daemon(story.host, '1.0')]));
    await story.ready('daemon', 'daemon-1.0');
    await story.clock.advance(30_000);
    await story.stop();
  });
  assert.equal(written.length, 0);
  assert.ok(line.attempts > 1);
  const readyBefore = story.clock.now();
  line.broken = false;
  await story.clock.advance(60_000);
  await running(make(), story, async () => {
    story.start(desired([daemon(story.host, '1.0')]));
    await story.until(() => written.at(-1)?.summary === '1/1');
    await story.stop();
  });
  const [component] = written.at(-1)?.components ?? [];
  assert.ok(Date.parse(component?.since ?? '') < readyBefore);
});

test('a restart of the agent on a host that is as it was writes nothing', async () => {
  const story = new Story();
  const { written, make } = setup(story);
  for (let round = 0; round < 2; round++) {
    await running(make(), story, async () => {
      story.start(desired([daemon(story.host, '1.0')]));
      await story.ready('daemon', 'daemon-1.0');
      await story.clock.advance(60_000);
      await story.stop();
    });
    assert.ok(written.length <= 2, `${written.length} writes after round ${round}`);
  }
});

test('nothing is told before it is known what belongs on the host', async () => {
  const story = new Story();
  const { line, make } = setup(story);
  await running(make(), story, async () => {
    story.start(undefined);
    await story.clock.advance(120_000);
    await story.stop();
  });
  assert.equal(line.attempts, 0);
});

test('harm is told as what it breaks, also where it is put right at once', async () => {
  const story = new Story();
  const { written, make } = setup(story);
  await running(make(), story, async () => {
    story.start(desired([daemon(story.host, '1.0')]));
    await story.until(() => written.at(-1)?.summary === '1/1');
    const before = written.length;
    story.host.files.harm('/etc/daemon.conf', 'version = 6.6\n');
    await story.until(() => written.at(-1)?.components[0]?.drift?.repaired === 1);
    assert.deepEqual(
      written.slice(before).map(({ components }) => [components[0]?.state, components[0]?.correct]),
      [
        ['Degraded', { version: 'True', config: 'False', running: 'True' }],
        ['Ready', { version: 'True', config: 'True', running: 'True' }],
      ],
    );
    await story.stop();
  });
});

test('what the API server holds of an agent before, whose last write came late, is put right once', async () => {
  const story = new Story();
  const { written, make } = setup(story);
  const reporter = make();
  await running(reporter, story, async () => {
    story.start(desired([daemon(story.host, '1.0')]));
    await story.until(() => written.at(-1)?.summary === '1/1');
    const [told] = written.at(-1)?.components ?? [];
    assert.ok(told);
    const count = written.length;
    reporter.saw({ components: [told] });
    await story.clock.advance(60_000);
    assert.equal(written.length, count, 'it holds what it was told');
    reporter.saw({ components: [{ ...told, state: 'Installing', step: 'files' }] });
    await story.clock.advance(60_000);
    assert.equal(written.length, count + 1);
    assert.equal(written.at(-1)?.components[0]?.state, 'Ready');
    reporter.saw({ components: [{ ...told, state: 'Installing', step: 'files' }] });
    await story.clock.advance(60_000);
    assert.equal(written.length, count + 1, 'a server that changes what it is told is not fought');
    await story.stop();
  });
});
