import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import type { StagedFile, StageRequest } from '../../ports.ts';
import { findProgram, runCommand } from '../command.ts';
import { rootedPaths } from '../files/rooted-paths.ts';
import { HttpFetcher } from './fetcher.ts';
import type { FetcherOptions } from './fetcher.ts';
import type { TarItem } from './tar-builder.ts';
import { pax, tar } from './tar-builder.ts';
import { sendFile, serve, sha256 } from './test-server.ts';

const folder = '/var/lib/kubenode/staged/app';
const never = new AbortController().signal;

async function localHost(
  t: TestContext,
  more: Partial<FetcherOptions> = {},
): Promise<{ root: string; fetcher: HttpFetcher }> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-fetch-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const fetcher = new HttpFetcher({
    paths: rootedPaths(root),
    sourcesFile: '/etc/kubenode/sources.json',
    architecture: 'amd64',
    download: { fruitlessTries: 2, random: () => 0 },
    ...more,
  });
  return { root, fetcher };
}

async function serveArchive(t: TestContext, archive: Buffer): Promise<StageRequest & { kind: 'archive' }> {
  const { url } = await serve(t, (request, response) => sendFile(request, response, archive));
  return { kind: 'archive', url: `${url}/a.tar.gz`, digest: sha256(archive), path: '/usr/local' };
}

async function contents(root: string, files: readonly StagedFile[]): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const { path: hostPath, staged, target } of files) {
    all[hostPath] =
      staged === undefined ? `-> ${target ?? ''}` : await readFile(path.join(root, staged), 'utf8');
  }
  return all;
}

const long = `deep/${'n'.repeat(90)}/${'m'.repeat(120)}`;
const goodItems: readonly TarItem[] = [
  { name: './' },
  { name: './bin/', type: '5', mode: 0o755 },
  { name: './bin/app', content: 'program', mode: 0o755 },
  { name: 'bin/link', type: '2', target: 'app' },
  { name: 'bin/hard', type: '1', target: 'bin/app' },
  { name: 'share/empty', content: '' },
  pax({ path: `${long}-pax`, mtime: '1.5' }),
  { name: 'short', content: 'pax' },
  { name: '././@LongLink', type: 'L', content: `${long}-gnu\0` },
  { name: 'cut', content: 'gnu' },
  { name: 'big', content: 'x'.repeat(300_000) },
];

for (const [kind, pack] of [
  ['plain', (archive: Buffer) => archive],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  test(`stages a ${kind} archive: contents, modes, digests, links, long names`, async (t) => {
    const { root, fetcher } = await localHost(t);
    const archive = pack(tar(goodItems.slice(1)));
    const files = await fetcher.stage(await serveArchive(t, archive), folder, never);
    assert.deepEqual(await contents(root, files), {
      '/usr/local/big': 'x'.repeat(300_000),
      '/usr/local/bin/app': 'program',
      '/usr/local/bin/hard': 'program',
      '/usr/local/bin/link': '-> app',
      [`/usr/local/${long}-gnu`]: 'gnu',
      [`/usr/local/${long}-pax`]: 'pax',
      '/usr/local/share/empty': '',
    });
    const app = files.find((file) => file.path === '/usr/local/bin/app');
    assert.deepEqual([app?.mode, app?.digest], [0o755, sha256('program')]);
  });
}

test('stages an archive made by tar and xz', async (t) => {
  if ((await findProgram('', 'xz')) === undefined) return t.skip('this machine has no xz');
  const { root, fetcher } = await localHost(t);
  await mkdir(path.join(root, 'src/bin'), { recursive: true });
  await writeFile(path.join(root, 'src/bin/app'), 'program', { mode: 0o755 });
  await writeFile(path.join(root, 'src', 'ü'.repeat(90)), 'long');
  const command = ['tar', '--xz', '--create', `--file=${root}/a.tar.xz`, `--directory=${root}/src`, '.'];
  assert.equal((await runCommand('', { command, timeoutMs: 10_000 })).exitCode, 0);
  const files = await fetcher.stage(
    await serveArchive(t, await readFile(path.join(root, 'a.tar.xz'))),
    folder,
    never,
  );
  assert.deepEqual(await contents(root, files), {
    '/usr/local/bin/app': 'program',
    [`/usr/local/${'ü'.repeat(90)}`]: 'long',
  });
  const damaged = Buffer.from(await readFile(path.join(root, 'a.tar.xz')));
  damaged.fill(0, damaged.length / 2);
  await assert.rejects(fetcher.stage(await serveArchive(t, damaged), folder, never), {
    reason: 'Malformed',
    message: /cannot be unpacked/,
  });
});

test('a finished stage costs no second download, a harmed one is made again', async (t) => {
  const { root, fetcher } = await localHost(t);
  const archive = tar([{ name: 'a', content: 'one' }]);
  const server = await serve(t, (request, response) => sendFile(request, response, archive));
  const request: StageRequest = { kind: 'archive', url: server.url, digest: sha256(archive), path: '/opt/a' };
  const first = await fetcher.stage(request, folder, never);
  assert.deepEqual(await fetcher.stage(request, folder, never), first);
  assert.equal(server.requests.length, 1);
  await writeFile(path.join(root, first[0]?.staged ?? ''), 'harm');
  assert.deepEqual(await contents(root, await fetcher.stage(request, folder, never)), { '/opt/a/a': 'one' });
  assert.equal(server.requests.length, 2);
});

test('what was downloaded does not stay, also where the removal was cut off', async (t) => {
  const { root, fetcher } = await localHost(t);
  const archive = tar([{ name: 'a', content: 'one' }]);
  const { url } = await serve(t, (request, response) => sendFile(request, response, archive));
  const request: StageRequest = { kind: 'archive', url, digest: sha256(archive), path: '/opt/a' };
  const [first] = await fetcher.stage(request, folder, never);
  const staged = path.dirname(path.dirname(path.join(root, first?.staged ?? '')));
  assert.deepEqual((await readdir(staged)).toSorted(), ['files', 'index.json']);
  await mkdir(path.join(staged, 'download'));
  await writeFile(path.join(staged, 'download/archive'), archive);
  await fetcher.stage(request, folder, never);
  assert.deepEqual((await readdir(staged)).toSorted(), ['files', 'index.json']);
});

test('stages a single file', async (t) => {
  const { root, fetcher } = await localHost(t);
  const { url } = await serve(t, (request, response) => sendFile(request, response, Buffer.from('runc')));
  const request: StageRequest = {
    kind: 'file',
    url,
    digest: sha256('runc'),
    path: '/usr/local/bin/runc',
    mode: 0o755,
  };
  const files = await fetcher.stage(request, folder, never);
  assert.deepEqual(await contents(root, files), { '/usr/local/bin/runc': 'runc' });
  assert.deepEqual([files[0]?.mode, files[0]?.digest], [0o755, sha256('runc')]);
});

const evil: readonly (readonly [string, readonly TarItem[], RegExp])[] = [
  ['an absolute name', [{ name: '/etc/passwd', content: 'x' }], /'\/etc\/passwd' is an absolute name/],
  ["'..' in a name", [{ name: 'a/../../etc/passwd', content: 'x' }], /has '\.\.' in its name/],
  ["'..' in a pax name", [pax({ path: '../x' }), { name: 'x', content: 'x' }], /has '\.\.' in its name/],
  [
    'a link out, absolute',
    [{ name: 'a', type: '2', target: '/etc' }],
    /links to '\/etc', outside of \/usr\/local/,
  ],
  [
    'a link out, relative',
    [{ name: 'a/b', type: '2', target: '../../x' }],
    /links to '\.\.\/\.\.\/x', outside/,
  ],
  ['an empty link', [{ name: 'a', type: '2', target: '' }], /outside/],
  [
    'a file below a link',
    [
      { name: 'a', type: '2', target: 'b' },
      { name: 'a/x', content: 'x' },
    ],
    /stands below '\/usr\/local\/a'/,
  ],
  ['a hard link to nothing', [{ name: 'a', type: '1', target: 'etc/passwd' }], /not in it before/],
  ['a hard link out', [{ name: 'a', type: '1', target: '../../etc/passwd' }], /has '\.\.' in its name/],
  ['a device', [{ name: 'sda', type: '4' }], /device, pipe or other special file/],
  ['a pipe', [{ name: 'p', type: '6' }], /device, pipe or other special file/],
];
for (const [what, items, message] of evil) {
  test(`refuses an archive with ${what}, and leaves nothing of it`, async (t) => {
    const { root, fetcher } = await localHost(t);
    const request = await serveArchive(t, gzipSync(tar([{ name: 'good', content: 'good' }, ...items])));
    await assert.rejects(fetcher.stage(request, folder, never), {
      name: 'ArtifactError',
      reason: 'Unsafe',
      message,
    });
    await assert.rejects(readFile(path.join(root, 'usr/local/good')), { code: 'ENOENT' });
  });
}

const damaged: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    'one cut in the middle of a file',
    tar([{ name: 'a', content: 'x'.repeat(2000) }]).subarray(0, 1500),
    /truncated/,
  ],
  ['one without its end', tar([{ name: 'a', content: 'x' }], { end: false }), /truncated/],
  ['one whose gzip is cut', gzipSync(tar(goodItems)).subarray(0, 200), /its compression is damaged/],
  ['an HTML page', Buffer.from('<html>please log in</html>'.repeat(40)), /not a tar archive/],
  ['an empty file', Buffer.alloc(0), /truncated/],
];
for (const [what, bytes, message] of damaged) {
  test(`tells of a damaged archive: ${what}`, async (t) => {
    const { fetcher } = await localHost(t);
    await assert.rejects(fetcher.stage(await serveArchive(t, bytes), folder, never), {
      name: 'ArtifactError',
      reason: 'Malformed',
      message,
    });
  });
}

test('an archive with nothing in it, or with too much, is refused', async (t) => {
  const { fetcher } = await localHost(t, { limits: { entries: 3, bytes: 1000 } });
  await assert.rejects(fetcher.stage(await serveArchive(t, tar([])), folder, never), {
    reason: 'Malformed',
    message: /contains no file/,
  });
  const many = ['a', 'b', 'c', 'd'].map((name) => ({ name, content: 'x' }));
  await assert.rejects(fetcher.stage(await serveArchive(t, tar(many)), folder, never), {
    reason: 'Unsafe',
    message: /more than 3 entries/,
  });
  const bomb = gzipSync(tar([{ name: 'a', content: Buffer.alloc(1_000_000) }]));
  await assert.rejects(fetcher.stage(await serveArchive(t, bomb), folder, never), { reason: 'Unsafe' });
});
