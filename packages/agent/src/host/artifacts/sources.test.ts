import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { makeSources, readSources } from './sources.ts';

test('the proxy of the host is used where a source names none, but for hosts that are reached without', () => {
  const own = { prefix: 'https://own.example/', proxy: 'http://own:1', token: 't' };
  const plain = { prefix: 'https://plain.example/', token: 't' };
  const { find } = makeSources([own, plain], { proxy: 'http://all:3128', noProxy: ['near.example', '.lan'] });
  assert.equal(find('https://own.example/a')?.proxy, 'http://own:1');
  assert.deepEqual(
    [find('https://plain.example/a')?.proxy, find('https://plain.example/a')?.token],
    ['http://all:3128', 't'],
  );
  assert.equal(find('https://else.example/a')?.proxy, 'http://all:3128');
  assert.equal(find('https://near.example/a'), undefined);
  assert.equal(find('http://files.lan/a'), undefined);
  assert.equal(find('https://far-near.example/a')?.proxy, 'http://all:3128');
});

test('it is read beside the sources, and told by name where it is wrong', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'kubenode-sources-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'sources.json');
  await writeFile(file, JSON.stringify({ proxy: 'http://all:3128', noProxy: ['near'], sources: [] }));
  assert.equal((await readSources(file)).find('https://a.example/')?.proxy, 'http://all:3128');
  await writeFile(file, JSON.stringify({ noProxy: 'near', sources: [] }));
  await assert.rejects(readSources(file), /noProxy must be a list of host names/);
});
