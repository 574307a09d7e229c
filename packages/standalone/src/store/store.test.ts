import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { KubeObject } from '../object.ts';
import { lock } from './lock.ts';
import { Compacted, HISTORY_MS, parse, Store } from './store.ts';

const thing = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name },
  ...more,
});

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-store-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function open(t: TestContext, clock?: () => number): Promise<Store> {
  const store = new Store(join(await folder(t), 'state.db'), clock);
  t.after(() => store.close());
  return store;
}

const put = (store: Store, name: string, more: object = {}): Promise<KubeObject> =>
  store.write((tx) => tx.put('things', thing(name, more)));

test('steps of one turn share a commit, each with a version of its own, in order', async (t) => {
  const store = await open(t);
  const heard: number[] = [];
  store.subscribe((change) => heard.push(change.rv));
  const written = await Promise.all(['a', 'b', 'c'].map((name) => put(store, name)));
  assert.deepEqual(
    written.map((object) => object.metadata.resourceVersion),
    ['1', '2', '3'],
  );
  assert.deepEqual(heard, [1, 2, 3]);
});

test('a step that throws writes nothing, and the others of its commit stand', async (t) => {
  const store = await open(t);
  const failing = store.write((tx) => {
    tx.put('things', thing('bad'));
    throw new Error('no');
  });
  const good = put(store, 'good');
  await assert.rejects(failing, /no/);
  assert.equal((await good).metadata.resourceVersion, '1');
  assert.deepEqual(
    store.all('things').map((object) => object.metadata.name),
    ['good'],
  );
});

test('readers see nothing that is not committed', async (t) => {
  const store = await open(t);
  const writing = put(store, 'a');
  assert.equal(store.read('things', '', 'a'), undefined);
  await writing;
  assert.equal(store.read('things', '', 'a')?.metadata.name, 'a');
});

test('the state of an older version can be listed, until its history is forgotten', async (t) => {
  let now = 0;
  const store = await open(t, () => now);
  await put(store, 'changed', { v: 1 });
  await put(store, 'deleted');
  const at = store.rv;
  await put(store, 'changed', { v: 2 });
  await put(store, 'changed', { v: 3 });
  await store.write((tx) => tx.remove('things', thing('deleted')));
  await put(store, 'added');
  const old = store.list('things', { at }).rows.map((row) => [row.name, parse(row.body)['v']]);
  assert.deepEqual(old, [
    ['changed', 1],
    ['deleted', undefined],
  ]);
  assert.deepEqual(
    store.since('things', at).map((change) => change.type),
    ['MODIFIED', 'MODIFIED', 'DELETED', 'ADDED'],
  );
  now = HISTORY_MS + 1;
  store.compact();
  assert.throws(() => store.since('things', at), Compacted);
  assert.throws(() => store.list('things', { at }), Compacted);
  assert.deepEqual(store.since('things', store.rv), []);
});

test('versions go on after a restart, also when history is forgotten', async (t) => {
  const file = join(await folder(t), 'state.db');
  let now = 0;
  const first = new Store(file, () => now);
  await put(first, 'a');
  now = HISTORY_MS + 1;
  first.compact();
  first.close();
  const second = new Store(file, () => now);
  t.after(() => second.close());
  assert.equal(second.rv, 1);
  assert.equal((await put(second, 'b')).metadata.resourceVersion, '2');
});

test('namespaces are listed apart, and pages go on after the last key', async (t) => {
  const store = await open(t);
  for (const [namespace, name] of [
    ['a', '1'],
    ['a', '2'],
    ['a-b', '1'],
    ['b', '1'],
  ] as const) {
    await store.write((tx) => tx.put('things', { ...thing(name), metadata: { name, namespace } }));
  }
  const seen = (rows: { namespace: string; name: string }[]): string[] =>
    rows.map((r) => `${r.namespace}/${r.name}`);
  assert.deepEqual(seen(store.list('things', { namespace: 'a' }).rows), ['a/1', 'a/2']);
  const page = store.list('things', { limit: 3 });
  assert.deepEqual([seen(page.rows).length, page.remaining], [3, 1]);
  const rest = store.list('things', { limit: 3, after: page.last });
  assert.deepEqual([seen(rest.rows), rest.last], [['b/1'], undefined]);
});

const WRITER = `
import { Store } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)};
const store = new Store(process.argv[1]);
for (let i = 0; ; i++) {
  const batch = [0, 1, 2].map((n) =>
    store.write((tx) => tx.put('things', { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'n' + (i * 3 + n) } })));
  const done = await Promise.all(batch);
  process.stdout.write(done.map((o) => o.metadata.name + ' ' + o.metadata.resourceVersion).join('\\n') + '\\n');
}`;

test('killed at any moment, nothing acknowledged is lost and the file is whole', async (t) => {
  const file = join(await folder(t), 'state.db');
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', WRITER, file];
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
    const wanted = 200 + 137 * round;
    let output = '';
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.split('\n').length > wanted) child.kill('SIGKILL');
    });
    await ended;
    const acknowledged = output
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '));
    assert.ok(acknowledged.length >= wanted, `only ${acknowledged.length} writes came through`);
    const store = new Store(file);
    const held = new Map(
      store.all('things').map((object) => [object.metadata.name, object.metadata.resourceVersion]),
    );
    for (const [name = '', rv] of acknowledged) assert.equal(held.get(name), rv);
    assert.ok(store.rv >= Number(acknowledged.at(-1)?.[1]));
    store.close();
  }
});

test('a second process cannot tear what the first one writes', async (t) => {
  const dir = await folder(t);
  const store = new Store(join(dir, 'state.db'));
  t.after(() => store.close());
  await put(store, 'a');
  const read = `import { DatabaseSync } from 'node:sqlite';
    console.log(new DatabaseSync(process.argv[1], { readOnly: true }).prepare('PRAGMA integrity_check').get().integrity_check)`;
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '--eval',
    read,
    join(dir, 'state.db'),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  assert.equal(stdout.trim(), 'ok');
});

test('a data folder is for one process at a time, and free again when that is killed', async (t) => {
  const dir = await folder(t);
  const hold = `import { lock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    lock(process.argv[1]);
    console.log('held');
    setInterval(() => undefined, 1000);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', hold, dir];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.throws(() => lock(dir), /is in use by another API server/);
  child.kill('SIGKILL');
  await ended;
  lock(dir)();
});
