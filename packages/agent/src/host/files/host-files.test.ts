import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { DigestCache } from './digests.ts';
import { LocalFiles } from './host-files.ts';
import { parseOwner } from './owners.ts';
import { rootedPaths } from './rooted-paths.ts';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), 'kn-files-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('writes a file whole, with its mode, making the folders above it, and leaves nothing beside it', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  await files.write('/etc/a/b/c.conf', 'one', { mode: 0o640, owner: 'root:root' });
  await files.write('/etc/a/b/c.conf', 'two', { mode: 0o600 });
  const state = await files.state('/etc/a/b/c.conf');
  assert.deepEqual([state?.kind, state?.mode, state?.uid, state?.gid, state?.size], ['file', 0o600, 0, 0, 3]);
  assert.equal(state?.digest, sha256('two'));
  assert.deepEqual(await readdir(path.join(root, 'etc/a/b')), ['c.conf']);
});

test('a write that fails leaves the old file and nothing beside it', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  await files.write('/f', 'old', { mode: 0o644 });
  await assert.rejects(
    files.write('/f', 'new', { mode: 0o644, owner: 'nobody-knows:root' }),
    /the host knows no user 'nobody-knows'/,
  );
  await assert.rejects(files.install('/missing', '/f', { mode: 0o644 }), { code: 'ENOENT' });
  await mkdir(path.join(root, 'd/x'), { recursive: true });
  await assert.rejects(files.write('/d', 'file in place of a folder', { mode: 0o644 }));
  assert.equal(await readFile(path.join(root, 'f'), 'utf8'), 'old');
  assert.deepEqual((await readdir(root)).sort(), ['d', 'f']);
});

test('installs a copy that shares nothing with its original', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  const big = 'x'.repeat(700_000);
  await files.write('/staged/program', big, { mode: 0o600 });
  await files.install('/staged/program', '/usr/local/bin/program', { mode: 0o755 });
  await writeFile(path.join(root, 'staged/program'), 'changed');
  const state = await files.state('/usr/local/bin/program');
  assert.deepEqual([state?.mode, state?.digest], [0o755, sha256(big)]);
});

test('tells nothing, files, folders and links apart, and switches links in one step', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  assert.equal(await files.state('/x'), undefined);
  await files.symlink('/a', '/x');
  await files.symlink('/b', '/x');
  const state = await files.state('/x');
  assert.deepEqual([state?.kind, state?.target, state?.digest], ['symlink', '/b', undefined]);
  await mkdir(path.join(root, 'folder'));
  assert.equal((await files.state('/folder'))?.kind, 'directory');
  await files.write('/plain', '', { mode: 0o600 });
  assert.equal(await files.state('/plain/below'), undefined);
  await files.setMode('/plain', 0o755);
  assert.equal((await files.state('/plain'))?.mode, 0o755);
  await assert.rejects(files.setMode('/x', 0o755), /is a link/);
});

test('removes folders with their content but never a top-level folder', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  await files.write('/opt/thing/bin/a', 'a', { mode: 0o755 });
  await files.remove('/opt/thing');
  await files.remove('/opt/thing');
  await files.remove('/nowhere/at/all');
  assert.deepEqual(await files.list('/opt'), []);
  assert.deepEqual(await files.list('/nothing'), []);
  for (const top of ['/', '/opt', '/opt/thing/..', '//opt/'])
    await assert.rejects(files.remove(top), { name: 'HostFileError' });
});

test('no path and no link inside leads out of the root', async (t) => {
  const outside = await folder(t);
  await writeFile(path.join(outside, 'secret'), 'secret');
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  await symlink(outside, path.join(root, 'absolute'));
  await symlink(`../../../../../../../..${outside}`, path.join(root, 'climbing'));
  for (const name of ['/absolute/secret', '/climbing/secret', `/../../..${outside}/secret`]) {
    assert.equal(await files.state(name), undefined, name);
    await assert.rejects(files.read(name), { code: 'ENOENT' }, name);
  }
  await files.write('/absolute/secret', 'inside', { mode: 0o644 });
  assert.equal(await readFile(path.join(outside, 'secret'), 'utf8'), 'secret');
  assert.equal(await readFile(path.join(root, outside, 'secret'), 'utf8'), 'inside');
  await symlink('loop', path.join(root, 'loop'));
  await assert.rejects(files.read('/loop/x'), /more than 40 links/);
  await assert.rejects(files.read('relative'), /is not absolute/);
});

test('reads a changed file again, also one whose times were set back', async (t) => {
  const root = await folder(t);
  const file = path.join(root, 'f');
  await writeFile(file, 'good');
  let hour = 3_600_000;
  const files = new LocalFiles(rootedPaths(root), new DigestCache(() => Date.now() + hour));
  const before = await stat(file);
  assert.equal((await files.state('/f'))?.digest, sha256('good'));
  await writeFile(file, 'evil');
  await utimes(file, before.atime, before.mtime);
  assert.equal((await files.state('/f'))?.digest, sha256('evil'));
  hour = 0;
  await writeFile(file, 'next');
  assert.equal((await files.state('/f'))?.digest, sha256('next'));
});

test('answers from the cache, by every name, until told to forget; never caches what has just changed', async (t) => {
  const root = await folder(t);
  const file = path.join(root, 'f');
  await writeFile(file, 'good');
  const key = await lstat(file, { bigint: true });
  // Times are kept to the nanosecond here, so that ticks of the kernel's clock are all that two changes can have in common.
  const settled = new DigestCache(() => Number(key.ctimeMs) + 150);
  const fresh = new DigestCache(() => Number(key.ctimeMs) + 20);
  for (const cache of [settled, fresh]) assert.equal(await cache.digest(file, key), sha256('good'));
  // The same key with another content stands for a write through mmap, which changes no field of stat.
  await writeFile(file, 'evil');
  assert.equal(await settled.digest(file, key), sha256('good'));
  assert.equal(await settled.digest(path.join(root, 'another-name'), key), sha256('good'));
  assert.equal(await fresh.digest(file, key), sha256('evil'));
  settled.forget(key);
  assert.equal(await settled.digest(file, key), sha256('evil'));
});

test('knows owners by the names of the host itself', async (t) => {
  const root = await folder(t);
  await mkdir(path.join(root, 'etc'));
  await writeFile(
    path.join(root, 'etc/passwd'),
    'root:x:0:0::/root:/bin/sh\n_chrony:x:105:110::/:/bin/false\n',
  );
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\nadm:x:4:\n');
  const paths = rootedPaths(root);
  assert.deepEqual(await parseOwner(paths, '_chrony:adm'), { uid: 105, gid: 4 });
  assert.deepEqual(await parseOwner(paths, '_chrony'), { uid: 105, gid: 110 });
  assert.deepEqual(await parseOwner(paths, '7:8'), { uid: 7, gid: 8 });
  await assert.rejects(parseOwner(paths, 'root:wheel'), /no group 'wheel' \(\/etc\/group\)/);
  await assert.rejects(parseOwner(paths, 'a:b:c'), /not of the form/);
});

test('free space of a path that is not there yet is that of the folder above', async (t) => {
  const files = new LocalFiles(rootedPaths(await folder(t)));
  assert.ok((await files.free('/var/lib/not/yet')) > 0);
});

test('every ordinary harm is told: write, chmod, rename over, delete, folder made again', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  const file = path.join(root, 'etc/app/app.conf');
  await files.write('/etc/app/app.conf', 'one', { mode: 0o644 });
  await files.write('/etc/other', 'two', { mode: 0o644 });
  let told: string[] = [];
  using watch = files.watch(
    () => ['/etc/app/app.conf', '/later/there.conf'],
    (hostPath) => told.push(hostPath),
  );
  const tellsAfter = async (
    what: string,
    harm: () => Promise<unknown>,
    expected = '/etc/app/app.conf',
  ): Promise<void> => {
    told = [];
    // The watch is armed after its first resolving, so the first harm is done until it is told.
    for (const deadline = Date.now() + 5_000; !told.includes(expected); await delay(20)) {
      assert.ok(Date.now() < deadline, `not told: ${what}`);
      if (told.length === 0) await harm();
    }
  };
  await tellsAfter('write', () => writeFile(file, 'x'));
  await tellsAfter('chmod', () => chmod(file, 0o600));
  await tellsAfter('rename over', async () => {
    await writeFile(`${file}.new`, 'y');
    await rename(`${file}.new`, file);
  });
  await tellsAfter('write after the rename', () => writeFile(file, 'z'));
  await tellsAfter('delete', () => rm(file, { force: true }));
  await tellsAfter('folder replaced', async () => {
    await rm(path.join(root, 'etc/app'), { recursive: true, force: true });
    await mkdir(path.join(root, 'etc/app'));
  });
  await tellsAfter('write in the new folder', () => writeFile(file, 'again'));
  await tellsAfter(
    'a folder that was not there',
    () => mkdir(path.join(root, 'later'), { recursive: true }),
    '/later/there.conf',
  );
  await tellsAfter(
    'a file in it',
    () => writeFile(path.join(root, 'later/there.conf'), 'x'),
    '/later/there.conf',
  );
  watch.refresh();
  await tellsAfter('write after refresh', () => writeFile(file, 'refreshed'));
});

test('a hard link elsewhere changes the content that state() tells', async (t) => {
  const root = await folder(t);
  const files = new LocalFiles(rootedPaths(root));
  await files.write('/a/f', 'good', { mode: 0o644 });
  await files.state('/a/f');
  await link(path.join(root, 'a/f'), path.join(root, 'elsewhere'));
  const handle = await open(path.join(root, 'elsewhere'), 'r+');
  await handle.write('evil');
  await handle.close();
  assert.equal((await files.state('/a/f'))?.digest, sha256('evil'));
});
