import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daemon, desired, spec, Story } from './testing/stories.ts';

test('a component is installed, started and Ready', async () => {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  assert.equal(story.host.files.text('/opt/daemon/bin/daemon'), 'program 1.0');
  assert.equal(story.host.files.text('/etc/daemon.conf'), 'version = 1.0\n');
  assert.ok(story.host.services.enabled.has('daemon.service'));
  assert.deepEqual(story.status('daemon')?.correct, { version: 'True', config: 'True', running: 'True' });
  await story.stop();
});

test('a new revision follows, and only what changed is written', async () => {
  const story = new Story();
  story.start(desired([daemon(story.host, '1.0')]));
  await story.ready('daemon', 'daemon-1.0');
  story.host.effects.length = 0;
  story.want(desired([daemon(story.host, '1.1')]));
  await story.ready('daemon', 'daemon-1.1');
  const writes = story.host.effects.filter(
    (effect) => effect.startsWith('write /') && !effect.includes('/var/lib/kubenode'),
  );
  assert.deepEqual(writes, ['write /opt/daemon/bin/daemon', 'write /etc/daemon.conf']);
  assert.equal(story.host.effects.filter((effect) => effect === 'restart daemon.service').length, 1);
  await story.stop();
});

test('what depends on another waits for it, whatever the order of the entries', async () => {
  const story = new Story();
  const base = daemon(story.host, '1.0');
  const user = spec({
    component: 'user',
    version: '1',
    dependsOn: [{ component: 'daemon', minVersion: '1.0' }],
    files: [{ path: '/etc/user.conf', mode: '0644', owner: '0:0', onChange: 'None', content: 'x' }],
  });
  story.start(desired([user, base]));
  await story.ready('user', 'user-1');
  const order = story.host.effects.filter((effect) =>
    ['start daemon.service', 'write /etc/user.conf'].includes(effect),
  );
  assert.deepEqual(order, ['start daemon.service', 'write /etc/user.conf']);
  await story.stop();
});

test('a component that cannot be looked at holds up no other', async () => {
  const story = new Story();
  const other = spec({
    component: 'other',
    version: '1',
    files: [{ path: '/etc/other', mode: '0644', owner: '0:0', onChange: 'None', content: 'o' }],
  });
  const both = desired([daemon(story.host, '1.0'), other]);
  story.start(both);
  await story.ready('daemon', 'daemon-1.0');
  await story.ready('other', 'other-1');
  const { state } = story.host.files;
  story.host.files.state = async function (path) {
    if (path === '/etc/daemon.conf') throw new Error('EIO');
    return state.call(this, path);
  };
  story.host.files.harm('/etc/other', 'bad');
  await story.until(() => story.host.files.text('/etc/other') === 'o', 15_000);
  await story.stop();
});
