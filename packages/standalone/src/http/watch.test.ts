import assert from 'node:assert/strict';
import { test } from 'node:test';
import { list, text } from '../object.ts';
import { CRDS, testServer, widget, WIDGETS, widgets, type Event } from '../testing.ts';

const brief = (event: Event | undefined): string => `${event?.type} ${event?.object.metadata.name ?? ''}`;

test('a watch begins with the state, marks its end, and goes on with the changes', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a'));
  const watch = s.watch(
    `${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  assert.equal(brief(await watch.next()), 'ADDED a');
  const mark = await watch.next();
  assert.equal(mark?.type, 'BOOKMARK');
  assert.equal(mark.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  await s.post(WIDGETS, widget('b'));
  await s.merge(`${WIDGETS}/b`, { spec: { color: 'blue' } });
  const { body } = await s.delete(`${WIDGETS}/b`);
  assert.equal(body['status'], 'Success');
  assert.deepEqual([brief(await watch.next()), brief(await watch.next())], ['ADDED b', 'MODIFIED b']);
  const gone = await watch.next();
  assert.equal(brief(gone), 'DELETED b');
  const now = await s.get(WIDGETS);
  assert.equal(gone?.object.metadata.resourceVersion, text(now.body, 'metadata', 'resourceVersion'));
});

test('entering and leaving a selection are ADDED and DELETED', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  await s.post(WIDGETS, widget('a'));
  const { body } = await s.get(WIDGETS);
  const rv = text(body, 'metadata', 'resourceVersion');
  const byField = s.watch(`${WIDGETS}?watch=true&resourceVersion=${rv}&fieldSelector=spec.color%3Dblue`);
  const byLabel = s.watch(`${WIDGETS}?watch=true&resourceVersion=${rv}&labelSelector=on`);
  await s.merge(`${WIDGETS}/a`, { spec: { color: 'blue' }, metadata: { labels: { on: 'yes' } } });
  await s.merge(`${WIDGETS}/a`, { spec: { color: 'green' }, metadata: { labels: { on: null } } });
  for (const watch of [byField, byLabel]) {
    assert.equal(brief(await watch.next()), 'ADDED a');
    const left = await watch.next();
    assert.equal(brief(left), 'DELETED a');
    assert.equal(text(left?.object, 'spec', 'color'), 'blue', 'the last state that was selected');
  }
});

test('a watch by name hears of nothing else', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const { body } = await s.get(WIDGETS);
  const rv = text(body, 'metadata', 'resourceVersion');
  const watch = s.watch(`${WIDGETS}?watch=true&resourceVersion=${rv}&fieldSelector=metadata.name%3Dmine`);
  for (const name of ['other', 'mine']) await s.post(WIDGETS, widget(name));
  assert.equal(brief(await watch.next()), 'ADDED mine');
});

test('a watch resumes after a restart of the server, and one in the future is refused', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const first = await s.post(WIDGETS, widget('a'));
  const rv = text(first.body, 'metadata', 'resourceVersion');
  await s.post(WIDGETS, widget('b'));
  await s.restart();
  const watch = s.watch(`${WIDGETS}?watch=true&resourceVersion=${rv}`);
  assert.equal(brief(await watch.next()), 'ADDED b');
  const old = s.watch(`${WIDGETS}?watch=true&resourceVersion=99999999`);
  const future = await old.next();
  assert.deepEqual([future?.type, future?.object['code']], ['ERROR', 504]);
});

test('a list in the future is refused with how to go on', async (t) => {
  const s = await testServer(t);
  const answer = await s.get('/api/v1/namespaces?resourceVersion=99999999');
  assert.equal(answer.status, 504);
  assert.equal(answer.headers['retry-after'], '1');
});

test('a watch as Table has its columns once', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const watch = s.watch(`${WIDGETS}?watch=true`, { headers: { accept } });
  await s.post(WIDGETS, widget('a'));
  await s.post(WIDGETS, widget('b'));
  const first = await watch.next();
  assert.deepEqual(
    list(first?.object, 'columnDefinitions').map((c) => text(c, 'name')),
    ['Name', 'Color', 'Ready', 'Age'],
  );
  assert.deepEqual(list(list(first?.object, 'rows')[0], 'cells').slice(0, 2), ['a', 'red']);
  assert.equal((await watch.next())?.object['columnDefinitions'], null);
});

test('a watch ends at its timeout', async (t) => {
  const s = await testServer(t);
  const watch = s.watch('/api/v1/nodes?watch=true&timeoutSeconds=1');
  assert.equal(await watch.next(), undefined);
});

test('one object is listed and watched by name without a look at the others, in a version of the past too', async (t) => {
  const s = await testServer(t);
  await s.post(CRDS, widgets());
  for (const name of ['a', 'b', 'c']) await s.post(WIDGETS, widget(name));
  const names = (body: object): unknown[] =>
    list(body, 'items').map((item) => text(item, 'metadata', 'name'));
  const byName = 'fieldSelector=metadata.name%3Db';
  const now = await s.get(`${WIDGETS}?${byName}`);
  assert.deepEqual(names(now.body), ['b']);
  assert.deepEqual(names((await s.get(`/apis/example.io/v1/widgets?${byName}`)).body), ['b']);
  assert.deepEqual(names((await s.get('/api/v1/namespaces?fieldSelector=metadata.name%3Ddefault')).body), [
    'default',
  ]);
  await s.delete(`${WIDGETS}/b`);
  const rv = text(now.body, 'metadata', 'resourceVersion');
  const then = await s.get(`${WIDGETS}?${byName}&resourceVersion=${rv}&resourceVersionMatch=Exact`);
  assert.deepEqual(names(then.body), ['b']);
  assert.deepEqual(names((await s.get(`${WIDGETS}?${byName}`)).body), []);
});
