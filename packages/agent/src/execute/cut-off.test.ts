import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daemon, desired, Story } from '../testing/stories.ts';

/** A host on which daemon 1.0 is Ready and 1.1 is wanted, which its address does not serve. */
async function wanting(isCutOff: () => boolean): Promise<{ story: Story; serve: () => void }> {
  const story = new Story();
  story.telling = { ...story.telling, isCutOff: async () => isCutOff() };
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  const next = desired([daemon(story.host, '1.1')]);
  const { artifacts } = story.host.behaviour;
  const url = 'http://files/daemon-1.1.tar.gz';
  const content = artifacts.get(url) ?? {};
  artifacts.delete(url);
  story.want(next);
  return { story, serve: () => void artifacts.set(url, content) };
}

test('a host that is cut off in a download does not give it up, and goes on when the network is back', async () => {
  let isCutOff = true;
  const { story, serve } = await wanting(() => isCutOff);
  await story.until(() => story.status('daemon')?.step === 'stage');
  await story.clock.advance(600_000);
  const status = story.status('daemon');
  assert.equal(status?.state, 'Installing');
  assert.equal(status?.failed, undefined);
  assert.equal(status?.running, 'daemon-1.0');
  isCutOff = false;
  serve();
  await story.ready('daemon', 'daemon-1.1');
  assert.ok(!story.events.some((event) => event.startsWith('Warning')), story.events.join('\n'));
  await story.stop();
});

test('an address that does not answer while the API server does is a failure', async () => {
  const { story } = await wanting(() => false);
  await story.until(() => story.status('daemon')?.failed !== undefined);
  assert.equal(story.status('daemon')?.failed?.step, 'stage');
  assert.match(story.status('daemon')?.failed?.message ?? '', /daemon-1\.1\.tar\.gz does not answer/);
  await story.stop();
});

test('a download that waits for the network ends when something else is wanted', async () => {
  const { story } = await wanting(() => true);
  await story.until(() => story.status('daemon')?.step === 'stage');
  story.want(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  await story.stop();
});
