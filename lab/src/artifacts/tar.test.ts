import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run } from '../system/run.ts';
import { digestOf } from './digest.ts';
import { imageOf } from './image.ts';
import { packTarGz } from './tar.ts';

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-tar-'));
  t.after(async () => await rm(dir, { recursive: true }));
  return dir;
}

test('tar reads what was packed: names, modes and contents', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, 'a'), 'alpha');
  await writeFile(join(dir, 'b'), 'x'.repeat(1000));
  const archive = await packTarGz([
    { file: join(dir, 'b'), name: 'bin/deep/b' },
    { file: join(dir, 'a'), name: 'a', mode: 0o640 },
  ]);

  const listing = await run(['tar', '-tvz'], { stdin: archive });
  const names = listing
    .trim()
    .split('\n')
    .map((line) => [line.split(' ')[0], line.split(' ').at(-1)].join(' '));
  assert.deepEqual(names, [
    '-rw-r----- a',
    'drwxr-xr-x bin/',
    'drwxr-xr-x bin/deep/',
    '-rwxr-xr-x bin/deep/b',
  ]);
  assert.equal(await run(['tar', '-xzO', 'bin/deep/b'], { stdin: archive }), 'x'.repeat(1000));
});

test('the same contents make the same bytes, whatever their order and age', async (t) => {
  const dir = await folder(t);
  for (const name of ['a', 'b']) await writeFile(join(dir, name), name);
  const files = ['a', 'b'].map((name) => ({ file: join(dir, name), name }));
  const first = await packTarGz(files);
  await utimes(join(dir, 'a'), 1, 1);
  assert.equal(digestOf(await packTarGz([...files].reverse())), digestOf(first));
});

test('an image is named by its layer: another layer, another digest', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, 'a'), 'a');
  const layer = await packTarGz([{ file: join(dir, 'a'), name: 'a' }]);
  const other = await packTarGz([{ file: join(dir, 'a'), name: 'b' }]);
  assert.equal(imageOf(layer).digest, imageOf(layer).digest);
  assert.notEqual(imageOf(layer).digest, imageOf(other).digest);
  const manifest = JSON.parse(imageOf(layer).manifest) as { layers: Array<{ digest: string; size: number }> };
  assert.deepEqual(
    manifest.layers.map(({ digest, size }) => [digest, size]),
    [[digestOf(layer), layer.length]],
  );
});
