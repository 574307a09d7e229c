import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hastyClock } from '../testing/clocks.ts';
import { cut, list, refuse, reply, scriptedServer, thing } from '../testing/scripted-server.ts';
import {
  ApiError,
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isInvalid,
  isKindMissing,
} from './errors.ts';
import { ConfigMap, Lease, Node } from './kinds.ts';
import { createClient } from './rest-client.ts';

const noJitter = () => 1;

test('get gives the object, and undefined where there is none', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.next(
    reply(thing('n1', '7')),
    refuse(404, 'NotFound', { details: { name: 'gone', kind: 'leases' } }),
  );
  assert.equal((await client.get(Node, 'n1'))?.metadata.resourceVersion, '7');
  assert.equal(await client.get(Lease, { namespace: 'kube-system', name: 'gone' }), undefined);
  assert.deepEqual(
    server.seen.map(({ method, path }) => `${method} ${path}`),
    ['GET /api/v1/nodes/n1', 'GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/gone'],
  );
});

test('a kind that is not served is not an object that is not there', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  // As the API server answers for a group it doesn't know, and for a resource it doesn't know in a group it does.
  server.next(
    (_, response) => void response.writeHead(404).end('404 page not found\n'),
    refuse(404, 'NotFound', { details: {} }),
  );
  await assert.rejects(client.get(Node, 'n1'), isKindMissing);
  await assert.rejects(client.get(Node, 'n1'), isKindMissing);
});

test('a key that would lead elsewhere, or lacks its namespace, never leaves', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  await assert.rejects(client.get(Lease, 'x'), /Lease x: needs a namespace/);
  await assert.rejects(client.get(Node, { name: '../pods' }), /no name of an object/);
  await assert.rejects(client.get(Node, { name: '..' }), /no name of an object/);
  await assert.rejects(client.get(Node, { namespace: 'a', name: 'b' }), /cluster-scoped/);
  assert.equal(server.seen.length, 0);
});

test('writes carry their kind, manager and content type', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.otherwise(reply(thing('n1', '8')));
  await client.create(
    ConfigMap,
    { metadata: { name: 'c', namespace: 'd' }, data: { a: 'b' } },
    { fieldManager: 'me' },
  );
  await client.apply(
    Node,
    { metadata: { name: 'n1' }, spec: { unschedulable: true } },
    { fieldManager: 'me', force: true, subresource: 'status' },
  );
  await client.patch(Node, 'n1', { type: 'merge', body: { a: 1 } });
  await client.patch(Node, 'n1', { type: 'strategic', body: {} });
  await client.patch(Node, 'n1', { type: 'json', body: [{ op: 'add', path: '/a', value: 1 }] });
  await client.update(Node, { metadata: { name: 'n1', resourceVersion: '7' } }, { dryRun: true });
  const short = server.seen.map(
    (one) => `${one.method} ${one.path}?${one.query.toString()} ${one.headers['content-type'] ?? ''}`,
  );
  assert.deepEqual(short, [
    'POST /api/v1/namespaces/d/configmaps?fieldManager=me application/json',
    'PATCH /api/v1/nodes/n1/status?fieldManager=me&force=true application/apply-patch+yaml',
    'PATCH /api/v1/nodes/n1? application/merge-patch+json',
    'PATCH /api/v1/nodes/n1? application/strategic-merge-patch+json',
    'PATCH /api/v1/nodes/n1? application/json-patch+json',
    'PUT /api/v1/nodes/n1?dryRun=All application/json',
  ]);
  assert.deepEqual(server.seen[0]?.body, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'd' },
    data: { a: 'b' },
  });
});

test('delete sends its preconditions and tells whether there was something', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.next(reply({ kind: 'Status', status: 'Success' }), refuse(404, 'NotFound'), refuse(409, 'Conflict'));
  assert.equal(await client.delete(Node, 'n1', { uid: 'u', propagation: 'Background' }), true);
  assert.deepEqual(server.seen[0]?.body, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u' },
    propagationPolicy: 'Background',
  });
  assert.equal(await client.delete(Node, 'n1'), false);
  await assert.rejects(client.delete(Node, 'n1', { uid: 'other' }), isConflict);
});

test('lists come page by page, at most 500 objects each, and their items have a kind', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.next(list('5', [{ metadata: { name: 'a' } }], 'more'), list('5', [{ metadata: { name: 'b' } }]));
  const all = await client.list(Node, { labelSelector: 'a in (b,c)' });
  assert.deepEqual(
    all.items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name]),
    [
      ['Node', 'v1', 'a'],
      ['Node', 'v1', 'b'],
    ],
  );
  assert.equal(all.resourceVersion, '5');
  assert.deepEqual(
    server.seen.map(({ query }) => query.toString()),
    ['labelSelector=a+in+%28b%2Cc%29&limit=500', 'labelSelector=a+in+%28b%2Cc%29&limit=500&continue=more'],
  );
});

test('a list whose continue token got too old is read again in one piece', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  server.next(
    list('5', [thing('a', '1')], 'more'),
    refuse(410, 'Expired'),
    list('9', [thing('a', '1'), thing('b', '8')]),
  );
  const all = await client.list(Node);
  assert.deepEqual(
    all.items.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  assert.equal(server.seen[2]?.query.get('limit'), null);
});

test('an error tells status, reason, causes and the request', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  const details = { causes: [{ field: 'spec.a', reason: 'FieldValueInvalid', message: 'too big' }] };
  server.next(
    refuse(422, 'Invalid', { details }),
    refuse(409, 'AlreadyExists'),
    (_, response) => void response.writeHead(418).end('<html>tea'),
  );
  await assert.rejects(client.create(Node, { metadata: { name: 'n' } }), (error) => {
    assert.ok(isInvalid(error));
    assert.deepEqual(error.causes, details.causes);
    assert.equal(error.message, 'POST /api/v1/nodes: 422 Invalid: it is Invalid');
    return true;
  });
  await assert.rejects(
    client.create(Node, { metadata: { name: 'n' } }),
    (error) => isAlreadyExists(error) && !isConflict(error),
  );
  await assert.rejects(client.get(Node, 'n'), /418: <html>tea/);
});

test('what was not processed is sent again, after as long as the server asks', async () => {
  await using server = await scriptedServer();
  const clock = hastyClock();
  const client = createClient({ server: server.url, clock, random: noJitter });
  server.next(refuse(429, 'TooManyRequests', { headers: { 'retry-after': '2' } }), reply(thing('n', '1')));
  await client.create(Node, { metadata: { name: 'n' } });
  assert.deepEqual(clock.waits, [2100]);
});

test('reads, applies and merge patches are sent again after 503 and cuts; a create is not', async () => {
  await using server = await scriptedServer();
  const clock = hastyClock();
  const client = createClient({ server: server.url, clock, random: noJitter });
  server.next(refuse(503, 'ServiceUnavailable'), cut, reply(thing('n', '1')));
  assert.ok(await client.get(Node, 'n'));
  server.next(cut, reply(thing('n', '1')));
  await client.apply(Node, { metadata: { name: 'n' } }, { fieldManager: 'me' });
  assert.deepEqual(clock.waits, [100, 200, 100]);
  server.next(refuse(503, 'ServiceUnavailable'), cut, refuse(500, 'InternalError'));
  await assert.rejects(
    client.create(Node, { metadata: { name: 'n' } }),
    (error) => error instanceof ApiError && error.status === 503,
  );
  await assert.rejects(
    client.create(Node, { metadata: { name: 'n' } }),
    (error) => error instanceof ConnectionError && !error.neverSent,
  );
  await assert.rejects(client.get(Node, 'n'), (error) => error instanceof ApiError && error.status === 500);
  assert.equal(clock.waits.length, 3);
});

test('tries end: a server that is never well is reported after six', async () => {
  await using server = await scriptedServer();
  const clock = hastyClock();
  server.otherwise(refuse(503, 'ServiceUnavailable'));
  await assert.rejects(createClient({ server: server.url, clock }).get(Node, 'n'), /503/);
  assert.equal(server.seen.length, 6);
});

test('a refused connection is tried again also for writes, and named', async () => {
  const server = await scriptedServer();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const clock = hastyClock();
  const client = createClient({ server: url, clock });
  await assert.rejects(client.create(Node, { metadata: { name: 'n' } }), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.code, 'ECONNREFUSED');
    assert.equal(error.neverSent, true);
    assert.match(error.message, new RegExp(`POST /api/v1/nodes: ${url}: connect ECONNREFUSED`));
    return true;
  });
  assert.equal(clock.waits.length, 5);
});

test('a call ends at once with its signal', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: server.url });
  const stop = new AbortController();
  server.otherwise(() => stop.abort(new Error('enough')));
  await assert.rejects(client.get(Node, 'n', { signal: stop.signal }), /enough/);
  await assert.rejects(client.get(Node, 'n', { signal: stop.signal }), /enough/);
  assert.equal(server.seen.length, 1);
});

test('raw takes any path and gives the bytes', async () => {
  await using server = await scriptedServer();
  const client = createClient({ server: `${server.url}/prefix/` });
  server.next(reply({ gitVersion: 'v1' }), refuse(403, 'Forbidden'));
  assert.deepEqual(JSON.parse((await client.raw('GET', '/version')).body.toString()), { gitVersion: 'v1' });
  await assert.rejects(client.raw('PUT', '/x', { a: 1 }), /403 Forbidden/);
  assert.deepEqual(
    server.seen.map((one) => [one.path, one.body]),
    [
      ['/prefix/version', undefined],
      ['/prefix/x', { a: 1 }],
    ],
  );
});
