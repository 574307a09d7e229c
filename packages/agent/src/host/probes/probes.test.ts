import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { serve } from '../artifacts/test-server.ts';
import { runCommand } from '../command.ts';
import { HostProbes } from './probes.ts';

const probes = new HostProbes({ run: (request) => runCommand('', request) });
const timeoutMs = 2_000;

test('exec: the exit status counts, and the output says why', async () => {
  const exec = (...command: string[]): ReturnType<HostProbes['run']> =>
    probes.run({ timeoutMs: 300, exec: { command } });
  assert.deepEqual(await exec('sh', '-c', 'echo fine'), { ok: true, message: 'fine' });
  assert.deepEqual(await exec('sh', '-c', 'echo broken >&2; exit 4'), {
    ok: false,
    message: 'sh exited with 4: broken',
  });
  assert.deepEqual(await exec('sleep', '100'), { ok: false, message: 'sleep did not end within 0.3 s' });
  assert.match((await exec('no-such-program')).message, /'no-such-program' is not on this host/);
});

test('httpGet: 200 to 399 is well, all else is not', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/silent') return;
    response.writeHead(Number(request.url?.slice(1)), { location: '/500' }).end('body');
  });
  const get = (path: string, limit = timeoutMs): ReturnType<HostProbes['run']> =>
    probes.run({ timeoutMs: limit, httpGet: { port: server.port, path } });
  for (const [status, ok] of [
    [200, true],
    [302, true],
    [399, true],
    [400, false],
    [503, false],
  ] as const) {
    const { ok: was, message } = await get(`/${status}`);
    assert.deepEqual(
      [was, message],
      [ok, `http://127.0.0.1:${server.port}/${status} answered ${status}: body`],
    );
  }
  assert.match((await get('/silent', 100)).message, /no answer within 0.1 s/);
  const closed = await probes.run({ timeoutMs, httpGet: { port: 1 } });
  assert.deepEqual([closed.ok, /ECONNREFUSED/.test(closed.message)], [false, true]);
});

test('httpGet: a long answer is read to its end, an endless one is cut', async (t) => {
  const served: string[] = [];
  const server = await serve(t, (request, response) => {
    response.on('close', () => served.push(`${request.url} ${response.writableFinished}`));
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(65_536), more);
    };
    if (request.url === '/long') response.end('x'.repeat(300_000));
    else more();
  });
  for (const path of ['/long', '/endless']) {
    assert.equal((await probes.run({ timeoutMs, httpGet: { port: server.port, path } })).ok, true);
  }
  while (served.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(served, ['/long true', '/endless false']);
});

test('tcpSocket: a connection is enough', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.equal((await probes.run({ timeoutMs, tcpSocket: { port } })).ok, true);
  assert.equal((await probes.run({ timeoutMs, tcpSocket: { port: 1 } })).ok, false);
});
