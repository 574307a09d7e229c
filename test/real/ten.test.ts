/** Ten hosts taken over at once; one of them is hindered first, and goes on from where it stopped. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MachineImport } from '@kubenode/machine';
import { type Fleet, startFleet } from './fleet.ts';

const components = ['journald', 'logrotate', 'sysctl'];
let fleet: Fleet;

before(async () => {
  fleet = await startFleet({ plane: 'embedded', hosts: 10, components });
  await fleet.applyComponents(components);
});
after(async () => {
  await fleet?.close();
});

test('nine get Ready at once, while the tenth, without sshd, says what to do and harms nobody', async (t) => {
  const hindered = fleet.host('h10');
  await hindered.exec(['systemctl', 'stop', 'ssh.service', 'ssh.socket'], { allowFailure: true });
  const started = performance.now();
  await Promise.all(fleet.lab.hosts.map((host) => fleet.import(host)));
  const nine = fleet.lab.hosts.filter(({ name }) => name !== hindered.name);
  await fleet.until('nine imported', async () => {
    const { items } = await fleet.client.list(MachineImport);
    return nine.every(({ name }) =>
      items.some(({ metadata, status }) => metadata.name === name && status?.phase === 'Imported'),
    );
  });
  t.diagnostic(`nine hosts from ssh to Ready in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const step = await fleet.until('the tenth says why', async () => {
    const object = await fleet.client.get(MachineImport, hindered.name);
    return object?.status?.steps?.find(
      ({ name, state, message }) => name === 'Connect' && state !== 'Done' && message,
    );
  });
  assert.match(step.message ?? '', new RegExp(`${hindered.address}.*refuses connections`, 's'));
});

test('with sshd back and a new retryToken the tenth goes on at once', async () => {
  const hindered = fleet.host('h10');
  await hindered.exec(['systemctl', 'start', 'ssh.service']);
  await fleet.client.patch(MachineImport, hindered.name, {
    type: 'merge',
    body: { spec: { retryToken: 'sshd is back' } },
  });
  await fleet.until(
    'the tenth imported',
    async () => (await fleet.client.get(MachineImport, hindered.name))?.status?.phase === 'Imported',
  );
  await fleet.untilReady(fleet.lab.hosts, components.length);
});
