import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import type { StagedFile } from '../../ports.ts';
import { rootedPaths } from '../files/rooted-paths.ts';
import { HttpFetcher } from './fetcher.ts';
import { parseImage } from './oci.ts';
import { tar } from './tar-builder.ts';
import type { TestServer } from './test-server.ts';
import { sendFile, serve, sha256 } from './test-server.ts';

const never = new AbortController().signal;
const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** A registry with one repository, `team/app`. */
class FakeRegistry {
  readonly #blobs = new Map<string, Buffer>();

  put(content: Buffer | object): { digest: string; size: number } {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    this.#blobs.set(sha256(bytes), bytes);
    return { digest: sha256(bytes), size: bytes.length };
  }

  image(layers: readonly { bytes: Buffer; mediaType?: string; title?: string }[]): {
    digest: string;
    size: number;
  } {
    return this.put({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...this.put({}) },
      layers: layers.map(({ bytes, mediaType, title }) => ({
        mediaType: mediaType ?? 'application/vnd.oci.image.layer.v1.tar+gzip',
        ...this.put(bytes),
        ...(title === undefined ? {} : { annotations: { 'org.opencontainers.image.title': title } }),
      })),
    });
  }

  /** Swaps a blob's content and keeps its name. */
  corrupt(digest: string): void {
    this.#blobs.set(digest, Buffer.from('something else'));
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const [, digest = ''] = /^\/v2\/team\/app\/(?:manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    const bytes = this.#blobs.get(digest);
    if (bytes === undefined) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    else sendFile(request, response, bytes);
  }
}

async function localHost(t: TestContext): Promise<{ root: string; fetcher: HttpFetcher }> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'kn-oci-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const download = { fruitlessTries: 2, random: () => 0 };
  return {
    root,
    fetcher: new HttpFetcher({
      paths: rootedPaths(root),
      sourcesFile: '/etc/kubenode/sources.json',
      architecture: 'amd64',
      download,
    }),
  };
}

const stage = (fetcher: HttpFetcher, server: TestServer, digest: string): Promise<readonly StagedFile[]> =>
  fetcher.stage(
    { kind: 'oci', image: `127.0.0.1:${server.port}/team/app:v1@${digest}`, path: '/opt/app' },
    '/var/lib/kubenode/staged/app',
    never,
  );

async function contents(root: string, files: readonly StagedFile[]): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const file of files)
    all[file.path] =
      file.staged === undefined
        ? `-> ${file.target ?? ''}`
        : await readFile(path.join(root, file.staged), 'utf8');
  return all;
}

test('takes the image of this platform out of an index, layer over layer, whiteouts left aside', async (t) => {
  const { root, fetcher } = await localHost(t);
  const registry = new FakeRegistry();
  const lower = tar([
    { name: 'bin/app', content: 'old', mode: 0o755 },
    { name: 'bin/tool', content: 'tool' },
    { name: 'etc/l', type: '2', target: '../bin/app' },
  ]);
  const upper = tar([
    { name: 'bin/app', content: 'new', mode: 0o755 },
    { name: 'bin/.wh.tool', content: '' },
    { name: 'etc/.wh..wh..opq', content: '' },
  ]);
  const mine = registry.image([
    { bytes: gzipSync(lower) },
    { bytes: zstdCompressSync(upper), mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' },
  ]);
  const other = registry.image([{ bytes: gzipSync(tar([{ name: 'arm', content: 'arm' }])) }]);
  const index = registry.put({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [
      { mediaType: manifestType, ...other, platform: { os: 'linux', architecture: 'arm64' } },
      { mediaType: manifestType, ...mine, platform: { os: 'linux', architecture: 'amd64' } },
    ],
  });
  const server = await serve(t, (request, response) => registry.answer(request, response));
  const files = await stage(fetcher, server, index.digest);
  assert.deepEqual(await contents(root, files), {
    '/opt/app/bin/app': 'new',
    '/opt/app/bin/tool': 'tool',
    '/opt/app/etc/l': '-> ../bin/app',
  });
  assert.deepEqual(await stage(fetcher, server, index.digest), files);
});

test('takes plain files as ORAS pushes them', async (t) => {
  const { root, fetcher } = await localHost(t);
  const registry = new FakeRegistry();
  const good = registry.image([
    { bytes: Buffer.from('binary'), mediaType: 'application/octet-stream', title: 'runc' },
  ]);
  const bad = registry.image([
    { bytes: Buffer.from('binary'), mediaType: 'application/octet-stream', title: '../runc' },
  ]);
  const server = await serve(t, (request, response) => registry.answer(request, response));
  assert.deepEqual(await contents(root, await stage(fetcher, server, good.digest)), {
    '/opt/app/runc': 'binary',
  });
  await assert.rejects(stage(fetcher, server, bad.digest), {
    reason: 'Unsafe',
    message: /titled '\.\.\/runc'/,
  });
});

test('asks where the registry says for a token, with the credentials of the host', async (t) => {
  const { root, fetcher } = await localHost(t);
  const registry = new FakeRegistry();
  const image = registry.image([{ bytes: gzipSync(tar([{ name: 'a', content: 'a' }])) }]);
  const logins: (string | undefined)[] = [];
  const server = await serve(t, (request, response) => {
    if (request.url?.startsWith('/token') === true) {
      logins.push(request.headers.authorization);
      assert.match(request.url, /service=fake&scope=repository%3Ateam%2Fapp%3Apull/);
      const isKnown = request.headers.authorization !== undefined;
      response.writeHead(isKnown ? 200 : 401).end('{"access_token":"t0ken"}');
    } else if (request.headers.authorization === 'Bearer t0ken') {
      registry.answer(request, response);
    } else {
      const realm = `http://${request.headers.host ?? ''}/token`;
      const challenge = `Bearer realm="${realm}",service="fake",scope="repository:team/app:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    }
  });
  await assert.rejects(stage(fetcher, server, image.digest), {
    reason: 'Denied',
    message: /gives no token.*sources\.json/,
  });
  await mkdir(path.join(root, 'etc/kubenode'), { recursive: true });
  const sources = [{ prefix: `http://127.0.0.1:${server.port}/`, username: 'robot', password: 'word' }];
  await writeFile(path.join(root, 'etc/kubenode/sources.json'), JSON.stringify({ sources }));
  assert.deepEqual(await contents(root, await stage(fetcher, server, image.digest)), { '/opt/app/a': 'a' });
  assert.deepEqual(logins, [undefined, `Basic ${Buffer.from('robot:word').toString('base64')}`]);
});

test('every blob is held to its digest, and what is missing is named', async (t) => {
  const { fetcher } = await localHost(t);
  const registry = new FakeRegistry();
  const layer = gzipSync(tar([{ name: 'a', content: 'a' }]));
  const image = registry.image([{ bytes: layer }]);
  const server = await serve(t, (request, response) => registry.answer(request, response));
  await assert.rejects(stage(fetcher, server, sha256('nothing')), { reason: 'NotFound' });
  registry.corrupt(sha256(layer));
  await assert.rejects(stage(fetcher, server, image.digest), { reason: 'DigestMismatch' });
  const arm = registry.put({
    mediaType: indexType,
    manifests: [{ ...image, platform: { os: 'linux', architecture: 'arm64' } }],
  });
  await assert.rejects(stage(fetcher, server, arm.digest), {
    reason: 'Unsupported',
    message: /nothing for linux\/amd64, only for linux\/arm64/,
  });
  const page = registry.put(Buffer.from('<html>'));
  await assert.rejects(stage(fetcher, server, page.digest), { reason: 'Malformed', message: /no JSON/ });
  const empty = registry.put({ layers: [] });
  await assert.rejects(stage(fetcher, server, empty.digest), {
    reason: 'Malformed',
    message: /has no layers/,
  });
});

test('reads image references, and says what is wrong with one', () => {
  const digest = sha256('x');
  assert.deepEqual(parseImage(`registry.example/a/b@${digest}`), {
    registry: 'registry.example',
    repository: 'a/b',
    digest,
  });
  assert.deepEqual(parseImage(`10.0.0.1:5000/b:v1.2@${digest}`), {
    registry: '10.0.0.1:5000',
    repository: 'b',
    digest,
  });
  assert.deepEqual(parseImage(`localhost/b@${digest}`), { registry: 'localhost', repository: 'b', digest });
  assert.throws(() => parseImage('registry.example/a:v1'), /has no digest/);
  assert.throws(() => parseImage(`library/busybox@${digest}`), /must name its registry/);
  assert.throws(() => parseImage('registry.example/a@sha256:12'), /64 lower-case/);
});
