import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf } from './digest.ts';
import { type FileServer, startFileServer } from './file-server.ts';

async function server(t: TestContext): Promise<FileServer> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-files-'));
  const files = await startFileServer({ dir });
  t.after(async () => {
    await files.close();
    await rm(dir, { recursive: true });
  });
  return files;
}

test('serves a file, whole and in parts', async (t) => {
  const files = await server(t);
  assert.equal(await files.put('/debs/a+b~1.deb', 'hello'), digestOf('hello'));
  const whole = await fetch(`${files.url}/debs/a+b~1.deb`);
  assert.equal(whole.headers.get('content-length'), '5');
  assert.equal(await whole.text(), 'hello');
  const part = await fetch(`${files.url}/debs/a+b~1.deb`, { headers: { range: 'bytes=2-' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 2-4/5');
  assert.equal(await part.text(), 'llo');
  assert.deepEqual(files.requests, ['GET /debs/a+b~1.deb', 'GET /debs/a+b~1.deb bytes=2-']);
  const beyond = await fetch(`${files.url}/debs/a+b~1.deb`, { headers: { range: 'bytes=5-' } });
  assert.equal(beyond.status, 416);
});

test('serves an empty file', async (t) => {
  const files = await server(t);
  await files.put('/empty', '');
  const response = await fetch(`${files.url}/empty`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
});

test('serves nothing outside of its folder', async (t) => {
  const files = await server(t);
  await writeFile(`${files.dir}-secret`, 'secret');
  t.after(async () => await rm(`${files.dir}-secret`));
  const name = files.dir.split('/').at(-1) ?? '';
  assert.equal((await fetch(`${files.url}/..%2f${name}-secret`)).status, 404);
});

test('misbehaves as told, as often as told, and behaves again', async (t) => {
  const files = await server(t);
  await files.put('/f', 'content');
  const get = async (): Promise<string> => await (await fetch(`${files.url}/f`)).text();

  files.misbehave('/f', { kind: 'status', code: 503, times: 1 });
  assert.equal((await fetch(`${files.url}/f`)).status, 503);
  assert.equal(await get(), 'content');

  files.misbehave('/f', { kind: 'replace', content: 'other' });
  assert.equal(await get(), 'other');

  files.misbehave('/f', { kind: 'truncate', bytes: 3 });
  await assert.rejects(get());

  files.misbehave('/f', { kind: 'hang' });
  await assert.rejects(fetch(`${files.url}/f`, { signal: AbortSignal.timeout(100) }), {
    name: 'TimeoutError',
  });

  files.behave('/f');
  assert.equal(await get(), 'content');
});
