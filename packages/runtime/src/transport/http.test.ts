import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { swappableCredentials } from '../auth/credentials.ts';
import { fileCredentials } from '../auth/kubeconfig.ts';
import { ConnectionError } from '../client/errors.ts';
import { Node } from '../client/kinds.ts';
import { createClient } from '../client/rest-client.ts';
import { testAuthority } from '../testing/certificates.ts';
import { hastyClock } from '../testing/clocks.ts';
import { refuse, reply, scriptedServer, thing } from '../testing/scripted-server.ts';

test('one connection serves request after request, and no more than allowed serve many at once', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url, maxConnections: 3 });
  server.otherwise((_, response) => void setImmediate(() => response.end('{}')));
  for (let index = 0; index < 50; index++) await client.get(Node, 'n');
  assert.equal(server.connections, 1);
  await Promise.all(Array.from({ length: 50 }, () => client.get(Node, 'n')));
  assert.equal(server.connections, 3);
});

test('a server that does not answer is given up at the deadline', async () => {
  await using server = await scriptedServer();
  server.otherwise(() => undefined);
  const client = createClient({ server: server.url });
  await assert.rejects(
    client.create(Node, { metadata: { name: 'n' } }, { timeoutMs: 50 }),
    (error) =>
      error instanceof ConnectionError && error.code === 'TIMEOUT' && /no answer within/.test(error.message),
  );
});

test('an answer that breaks off is no answer', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.otherwise((_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"kind":', () => response.socket?.destroy());
  });
  await assert.rejects(
    client.create(Node, { metadata: { name: 'n' } }),
    (error) => error instanceof ConnectionError,
  );
});

test('a token file is read again when the server refuses the token', async (t) => {
  await using server = await scriptedServer();
  const folder = await mkdtemp(path.join(tmpdir(), 'runtime-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = path.join(folder, 'token');
  await writeFile(tokenFile, 'old\n');
  const client = createClient({ server: server.url, credentials: fileCredentials({ tokenFile }) });
  server.otherwise((request, response) =>
    request.headers.authorization === 'Bearer new'
      ? reply(thing('n', '1'))(request, response)
      : refuse(401, 'Unauthorized')(request, response),
  );
  await assert.rejects(client.get(Node, 'n'), /401/);
  await writeFile(tokenFile, 'new\n');
  assert.ok(await client.get(Node, 'n'));
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    ['Bearer old', 'Bearer old', 'Bearer old', 'Bearer new'],
  );
});

test('a renewed client certificate is used without a restart, and what runs is not cut', async () => {
  const authority = testAuthority();
  const { cert, key } = authority.server();
  await using server = await scriptedServer({
    cert,
    key,
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const credentials = swappableCredentials(authority.client('before'));
  const client = createClient({ server: server.url, ca: authority.ca, credentials });
  server.otherwise(reply(thing('n', '1')));
  await client.get(Node, 'n');
  await client.get(Node, 'n');
  assert.equal(server.connections, 1);
  const arrived = Promise.withResolvers<() => void>();
  server.next((_, response) => arrived.resolve(() => void response.end(JSON.stringify(thing('slow', '1')))));
  const slow = client.get(Node, 'slow');
  const answer = await arrived.promise;
  credentials.set(authority.client('after'));
  await client.get(Node, 'n');
  answer();
  assert.equal((await slow)?.metadata.name, 'slow');
  await client.get(Node, 'n');
  assert.deepEqual(
    server.seen.map(({ clientName }) => clientName),
    ['before', 'before', 'before', 'after', 'after'],
  );
  assert.equal(server.connections, 2);
});

test('a server of another authority is refused at once, and no secret is sent', async () => {
  const { cert, key } = testAuthority().server();
  await using server = await scriptedServer({ cert, key });
  const clock = hastyClock();
  const client = createClient({
    server: server.url,
    ca: testAuthority().ca,
    clock,
    credentials: swappableCredentials({ token: 'secret' }),
  });
  await assert.rejects(
    client.get(Node, 'n'),
    (error) => error instanceof ConnectionError && error.neverSent && /certificate/.test(error.message),
  );
  assert.equal(server.seen.length, 0);
  assert.equal(clock.waits.length, 0);
});
