import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { expireEvents } from './garbage/events.ts';
import { builtInResources } from './kinds/builtin.ts';
import { list, text } from './object.ts';
import { Registry } from './registry/registry.ts';
import { Resources } from './registry/resource.ts';
import { startApiServer } from './server.ts';
import { Store } from './store/store.ts';
import { CRDS, testServer, widget, WIDGETS, widgets } from './testing.ts';

test('a definition makes its kind served, defaulted and validated', async (t) => {
  const s = await testServer(t);
  const made = await s.post(CRDS, widgets());
  assert.equal(made.status, 201, made.text);
  const created = await s.post(WIDGETS, widget('a'));
  assert.equal(created.status, 201, created.text);
  assert.deepEqual(created.body['spec'], { color: 'red', replicas: 1 });
  const bad = await s.post(WIDGETS, widget('b', { color: 'black' }));
  assert.equal(bad.status, 422);
  assert.equal(
    bad.body['message'],
    'Widget.example.io "b" is invalid: spec.color: Unsupported value: "black": supported values: "red", "blue", "green"',
  );
});

test('unknown and duplicate fields: warned of, or refused when Strict', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const body =
    '{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"color":"red","color":"blue","odd":1}}';
  const warned = await s.post(WIDGETS, body);
  assert.equal(warned.status, 201);
  assert.match(
    String(warned.headers['warning']),
    /duplicate field \\"spec.color\\".*unknown field \\"spec.odd\\"/,
  );
  assert.deepEqual(warned.body['spec'], { color: 'blue', replicas: 1 });
  const strict = await s.post(`${WIDGETS}?fieldValidation=Strict`, body.replace('"a"', '"b"'));
  assert.equal(strict.status, 400);
  assert.equal(
    strict.body['message'],
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.color", unknown field "spec.odd"',
  );
});

test('status and spec are written apart, and only spec counts the generation', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, { ...widget('a'), status: { phase: 'ignored' } });
  const both = { spec: { color: 'blue' }, status: { phase: 'Up' } };
  const status = await s.merge(`${WIDGETS}/a/status`, both);
  assert.deepEqual(
    [status.body['spec'], status.body['status']],
    [{ color: 'red', replicas: 1 }, { phase: 'Up' }],
  );
  assert.equal((status.body['metadata'] as { generation: number }).generation, 1);
  const spec = await s.merge(`${WIDGETS}/a`, { ...both, status: { phase: 'Down' } });
  assert.deepEqual(
    [spec.body['spec'], spec.body['status']],
    [{ color: 'blue', replicas: 1 }, { phase: 'Up' }],
  );
  assert.equal((spec.body['metadata'] as { generation: number }).generation, 2);
});

test('a write against an old resourceVersion is a conflict, and one that changes nothing keeps the version', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const first = await s.post(WIDGETS, widget('a'));
  const same = await s.put(`${WIDGETS}/a`, first.body);
  assert.equal(
    text(same.body, 'metadata', 'resourceVersion'),
    text(first.body, 'metadata', 'resourceVersion'),
  );
  await s.merge(`${WIDGETS}/a`, { spec: { color: 'blue' } });
  const late = await s.put(`${WIDGETS}/a`, first.body);
  assert.equal(late.status, 409);
  assert.equal(
    late.body['message'],
    'Operation cannot be fulfilled on widgets.example.io "a": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('finalizers hold a deleted object until the last is gone', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a', { color: 'red' }, { finalizers: ['example.io/hold'] }));
  const deleted = await s.delete(`${WIDGETS}/a`);
  assert.equal(deleted.status, 200);
  assert.ok(text(deleted.body, 'metadata', 'deletionTimestamp'));
  const more = await s.merge(`${WIDGETS}/a`, {
    metadata: { finalizers: ['example.io/hold', 'example.io/more'] },
  });
  assert.equal(more.status, 422);
  assert.equal((await s.merge(`${WIDGETS}/a`, { metadata: { finalizers: null } })).status, 200);
  assert.equal((await s.get(`${WIDGETS}/a`)).status, 404);
});

test('delete with preconditions that do not hold changes nothing', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a'));
  const refused = await s.delete(`${WIDGETS}/a`, { preconditions: { uid: 'other' } });
  assert.equal(refused.status, 409);
  assert.match(
    String(refused.body['message']),
    /the UID in the precondition \(other\) does not match the UID in record/,
  );
  assert.equal((await s.get(`${WIDGETS}/a`)).status, 200);
});

test('dry run answers what would be and writes nothing', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const dry = await s.post(`${WIDGETS}?dryRun=All`, widget('a'));
  assert.equal(dry.status, 201);
  assert.deepEqual(dry.body['spec'], { color: 'red', replicas: 1 });
  assert.equal((await s.get(`${WIDGETS}/a`)).status, 404);
  await s.post(WIDGETS, widget('a'));
  await s.merge(`${WIDGETS}/a?dryRun=All`, { spec: { color: 'blue' } });
  await s.delete(`${WIDGETS}/a?dryRun=All`);
  assert.equal(text((await s.get(`${WIDGETS}/a`)).body, 'spec', 'color'), 'red');
});

test('a list is cut by limit and goes on at the version it began with', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  for (const name of ['a', 'b', 'c', 'd']) await s.post(WIDGETS, widget(name));
  const first = await s.get(`${WIDGETS}?limit=2`);
  assert.equal((first.body['metadata'] as { remainingItemCount: number }).remainingItemCount, 2);
  await s.delete(`${WIDGETS}/c`);
  await s.merge(`${WIDGETS}/d`, { spec: { color: 'blue' } });
  await s.post(WIDGETS, widget('e'));
  const token = text(first.body, 'metadata', 'continue') ?? '';
  const rest = await s.get(`${WIDGETS}?limit=5&continue=${token}`);
  const seen = list(rest.body, 'items').map((item) => [
    text(item, 'metadata', 'name'),
    text(item, 'spec', 'color'),
  ]);
  assert.deepEqual(seen, [
    ['c', 'red'],
    ['d', 'red'],
  ]);
  assert.equal(
    text(rest.body, 'metadata', 'resourceVersion'),
    text(first.body, 'metadata', 'resourceVersion'),
  );
});

test('lists are selected by labels and by fields, also by those that the definition names', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a', { color: 'red' }, { labels: { pool: 'web', tier: '1' } }));
  await s.post(WIDGETS, widget('b', { color: 'blue' }, { labels: { pool: 'db' } }));
  const names = async (query: string): Promise<unknown[]> =>
    list((await s.get(`${WIDGETS}?${query}`)).body, 'items').map((item) => text(item, 'metadata', 'name'));
  assert.deepEqual(await names('labelSelector=pool%3Dweb'), ['a']);
  assert.deepEqual(await names('labelSelector=pool+in+(web,db),tier'), ['a']);
  assert.deepEqual(await names('labelSelector=pool+notin+(web)'), ['b']);
  assert.deepEqual(await names('labelSelector=!tier'), ['b']);
  assert.deepEqual(await names('fieldSelector=spec.color%3Dblue'), ['b']);
  assert.deepEqual(await names('fieldSelector=metadata.name!%3Da'), ['b']);
  const wrong = await s.get(`${WIDGETS}?fieldSelector=spec.note%3Dx`);
  assert.equal(wrong.body['message'], 'field label not supported: spec.note');
});

test('owners take their dependents along; orphans stay', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const owned = async (owner: string, name: string): Promise<void> => {
    const { body } = await s.post(WIDGETS, widget(owner));
    const reference = {
      apiVersion: 'example.io/v1',
      kind: 'Widget',
      name: owner,
      uid: text(body, 'metadata', 'uid'),
      blockOwnerDeletion: true,
    };
    await s.post(WIDGETS, widget(name, { color: 'red' }, { ownerReferences: [reference] }));
  };
  await owned('back', 'back-child');
  await owned('fore', 'fore-child');
  await owned('orphan', 'orphan-child');
  await s.delete(`${WIDGETS}/back`, { propagationPolicy: 'Background' });
  const fore = await s.delete(`${WIDGETS}/fore`, { propagationPolicy: 'Foreground' });
  assert.deepEqual((fore.body['metadata'] as { finalizers: string[] }).finalizers, ['foregroundDeletion']);
  await s.delete(`${WIDGETS}/orphan`, { propagationPolicy: 'Orphan' });
  for (const name of ['back-child', 'fore-child', 'fore', 'orphan']) {
    await s.until(`${WIDGETS}/${name}`, (answer) => answer.status === 404);
  }
  const left = await s.get(`${WIDGETS}/orphan-child`);
  assert.equal((left.body['metadata'] as { ownerReferences?: unknown }).ownerReferences, undefined);
});

test('deleting a namespace empties it, and nothing new gets in meanwhile', async (t) => {
  const s = await testServer(t);
  const { body: created } = await s.post('/api/v1/namespaces', { metadata: { name: 'away' } });
  assert.deepEqual(created['status'], { phase: 'Active' });
  const maps = '/api/v1/namespaces/away/configmaps';
  await s.post(maps, { metadata: { name: 'held', finalizers: ['example.io/hold'] } });
  const deleted = await s.delete('/api/v1/namespaces/away');
  assert.equal(text(deleted.body, 'status', 'phase'), 'Terminating');
  const refused = await s.post(maps, { metadata: { name: 'late' } });
  assert.equal(refused.status, 403);
  assert.match(String(refused.body['message']), /because it is being terminated/);
  await s.until(`${maps}/held`, (answer) => text(answer.body, 'metadata', 'deletionTimestamp') !== undefined);
  await s.merge(`${maps}/held`, { metadata: { finalizers: null } });
  await s.until('/api/v1/namespaces/away', (answer) => answer.status === 404);
});

test('deleting a definition deletes its objects and unserves its kind', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a'));
  await s.delete(`${CRDS}/widgets.example.io`);
  await s.until(`${CRDS}/widgets.example.io`, (answer) => answer.status === 404);
  assert.equal((await s.get(WIDGETS)).status, 404);
  await s.post(CRDS, widgets());
  assert.deepEqual((await s.get(WIDGETS)).body['items'], []);
});

test('what was acknowledged is there after a restart, under the same authority and with the versions going on', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const { body } = await s.post(WIDGETS, widget('a'));
  const ca = s.server.caPem;
  await s.restart();
  assert.equal(s.server.caPem, ca);
  assert.deepEqual((await s.get(`${WIDGETS}/a`)).body, body);
  const next = await s.post(WIDGETS, widget('b'));
  assert.ok(
    Number(text(next.body, 'metadata', 'resourceVersion')) >
      Number(text(body, 'metadata', 'resourceVersion')),
  );
});

test('keys are readable by their owner only', async (t) => {
  const s = await testServer(t);
  for (const file of ['ca.key', 'sa.key', 'admin.key', 'apiserver.key']) {
    assert.equal(statSync(join(s.dir, 'pki', file)).mode & 0o777, 0o600, file);
  }
  assert.equal(statSync(join(s.dir, 'state.db')).mode & 0o777, 0o600);
});

test('a Node takes what a kubelet sends: creation with status, strategic patches, a Lease', async (t) => {
  const s = await testServer(t);
  const node = {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: 'n1' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'False' }] },
  };
  const created = await s.post('/api/v1/nodes', node);
  assert.equal(created.status, 201, created.text);
  const patch = {
    status: {
      $setElementOrder: undefined,
      '$setElementOrder/conditions': [{ type: 'DiskPressure' }, { type: 'Ready' }],
      conditions: [
        { type: 'DiskPressure', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    },
  };
  const type = 'application/strategic-merge-patch+json';
  const patched = await s.call('PATCH', '/api/v1/nodes/n1/status', patch, type);
  assert.equal(patched.status, 200, patched.text);
  assert.deepEqual(
    list(patched.body, 'status', 'conditions').map((c) => [text(c, 'type'), text(c, 'status')]),
    [
      ['DiskPressure', 'False'],
      ['Ready', 'True'],
    ],
  );
  const empty = await s.call('PATCH', '/api/v1/nodes/n1/status', {}, type);
  assert.equal(
    text(empty.body, 'metadata', 'resourceVersion'),
    text(patched.body, 'metadata', 'resourceVersion'),
  );
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const lease = await s.post(leases, {
    metadata: { name: 'n1' },
    spec: { holderIdentity: 'n1', leaseDurationSeconds: 40, renewTime: '2026-11-22T21:25:54.123456Z' },
  });
  assert.equal(text(lease.body, 'spec', 'renewTime'), '2026-11-22T21:25:54.123456Z');
});

test('a body over the limit is refused, and bad JSON says where', async (t) => {
  const s = await testServer(t);
  const big = await s.post('/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'big' },
    data: { a: 'x'.repeat(4 * 1024 * 1024) },
  });
  assert.equal(big.status, 413);
  const bad = await s.post('/api/v1/namespaces/default/configmaps', '{"metadata":');
  assert.equal(bad.status, 400);
  assert.equal(bad.body['reason'], 'BadRequest');
});

test('events are one kind under two names', async (t) => {
  const s = await testServer(t);
  await s.post('/apis/events.k8s.io/v1/namespaces/default/events', {
    metadata: { name: 'e1' },
    eventTime: '2026-11-22T21:25:54.123456Z',
    regarding: { kind: 'Node', name: 'n1' },
    note: 'hello',
    reason: 'Greeting',
    type: 'Normal',
    action: 'Greet',
    reportingController: 'test',
    reportingInstance: 'test-1',
  });
  const old = await s.get('/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dn1');
  const [event] = list(old.body, 'items');
  assert.deepEqual([text(event, 'message'), text(event, 'involvedObject', 'kind')], ['hello', 'Node']);
  const byField = await s.get('/apis/events.k8s.io/v1/events?fieldSelector=regarding.kind%3DNode');
  assert.equal(list(byField.body, 'items').length, 1);
  const fresh = await s.get('/apis/events.k8s.io/v1/namespaces/default/events/e1');
  assert.deepEqual([text(fresh.body, 'note'), text(fresh.body, 'regarding', 'kind')], ['hello', 'Node']);
});

test('a port that is taken is named, and the folder is free again', async (t) => {
  const taken = await testServer(t);
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-apiserver-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const { port } = taken.server;
  await assert.rejects(
    startApiServer({ dataDir: dir, port }),
    new RegExp(`can't listen on 127.0.0.1, port ${port}: .*EADDRINUSE`),
  );
  await (await startApiServer({ dataDir: dir })).stop();
  await assert.rejects(startApiServer({ dataDir: taken.dir }), /is in use by another API server/);
});

test('an Event is gone an hour after it was last written', async (t) => {
  let now = Date.parse('2026-11-22T12:00:00Z');
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-events-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const store = new Store(join(dir, 'state.db'), () => now);
  t.after(() => store.close());
  const resources = new Resources();
  for (const resource of builtInResources()) resources.add(resource);
  const registry = new Registry(store, { admit: () => undefined });
  const control = { store, registry, resources, clock: () => now, log: assert.ifError };
  const write = (name: string, lastTimestamp: string): Promise<unknown> =>
    store.write((tx) =>
      tx.put('events', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace: 'default' },
        lastTimestamp,
      }),
    );
  await write('old', '2026-11-22T10:59:00Z');
  await write('fresh', '2026-11-22T11:30:00Z');
  await expireEvents(control);
  assert.deepEqual(
    store.all('events').map((event) => event.metadata.name),
    ['fresh'],
  );
  now += 31 * 60_000;
  await expireEvents(control);
  assert.deepEqual(store.all('events'), []);
});
