import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Connection } from './connection.ts';
import { FakeSystemd } from './fake-systemd.ts';

test('a connection that does not answer in time is closed, with all that wait on it', async (t) => {
  const fake = await FakeSystemd.start(t);
  fake.answer = () => 'silence';
  let closed = (): void => undefined;
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const connection = await Connection.open({
    socket: fake.socket,
    direct: true,
    onSignal: () => undefined,
    onClose: () => closed(),
  });
  const call = { path: '/', interface: 'a.b', member: 'Late' };
  const waiting = assert.rejects(connection.call({ ...call, member: 'Other' }), /was closed/);
  await assert.rejects(connection.call(call, 50), {
    name: 'DisconnectedError',
    message: /did not answer Late within 0.05 s/,
  });
  await waiting;
  await isClosed;
  assert.ok(connection.closed);
});
