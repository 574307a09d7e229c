import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import type { DownloadOptions } from './download.ts';
import { download } from './download.ts';
import type { Source } from './sources.ts';
import { makeSources, readSources } from './sources.ts';
import { sendFile, serve, sha256 } from './test-server.ts';

const body = Buffer.alloc(3_000_000, 'kubenode');
const digest = sha256(body);
const never = new AbortController().signal;

function options(sources: readonly Source[] = [], more: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    sources: makeSources(sources),
    resolve: (hostPath) => Promise.resolve(hostPath),
    random: () => 0,
    fruitlessTries: 2,
    stallMs: 2_000,
    ...more,
  };
}

async function target(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'kn-download-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'file');
}

test('goes on where a connection broke off', async (t) => {
  const to = await target(t);
  const server = await serve(t, (request, response, count) => {
    if (count > 2) return sendFile(request, response, body);
    const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
    const headers = {
      'content-length': body.length - from,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    };
    response.writeHead(from === 0 ? 200 : 206, headers);
    response.write(body.subarray(from, from + 1_000_000), () => setImmediate(() => request.socket.destroy()));
  });
  await download({ url: `${server.url}/f`, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
  assert.equal(server.requests.length, 3);
  for (const request of server.requests.slice(1)) assert.match(request, /bytes=[1-9]\d*-/);
  assert.deepEqual(await readdir(path.dirname(to)), ['file']);
});

test('goes on with the part that an earlier process left, and starts anew where it was of another file', async (t) => {
  const to = await target(t);
  const server = await serve(t, (request, response) => sendFile(request, response, body));
  await writeFile(`${to}.part`, body.subarray(0, 1_234_567));
  await download({ url: server.url, digest, to }, options(), never);
  assert.deepEqual(server.requests, ['GET / bytes=1234567-']);
  await rm(to);
  await writeFile(`${to}.part`, 'something else');
  await download({ url: server.url, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
  await rm(to);
  await writeFile(`${to}.part`, Buffer.concat([body, Buffer.from('longer than it should be')]));
  await download({ url: server.url, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
  await rm(to);
  await writeFile(`${to}.part`, body);
  await download({ url: server.url, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
});

test('a server without ranges is read from the start again', async (t) => {
  const to = await target(t);
  const server = await serve(t, (_request, response) =>
    response.writeHead(200, { 'content-length': body.length }).end(body),
  );
  await writeFile(`${to}.part`, body.subarray(0, 1000));
  await download({ url: server.url, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
});

test('tells a wrong digest with both digests and keeps nothing', async (t) => {
  const to = await target(t);
  const server = await serve(t, (request, response) => sendFile(request, response, Buffer.from('swapped')));
  await assert.rejects(
    download({ url: `${server.url}/f?token=secret`, digest, to }, options(), never),
    (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`/f has digest ${sha256('swapped')} and the revision says ${digest}`),
      );
      assert.doesNotMatch(error.message, /secret/);
      return true;
    },
  );
  assert.deepEqual(await readdir(path.dirname(to)), []);
});

for (const [status, reason, tries] of [
  [404, 'NotFound', 1],
  [403, 'Denied', 1],
  [204, 'Malformed', 1],
  [503, 'Unreachable', 2],
] as const) {
  test(`an answer ${status} is ${reason}, after ${tries} tries`, async (t) => {
    const to = await target(t);
    const server = await serve(t, (_request, response) => response.writeHead(status).end());
    const pattern = new RegExp(`${server.url}/f answered ${status}`);
    await assert.rejects(download({ url: `${server.url}/f`, digest, to }, options(), never), {
      name: 'ArtifactError',
      reason,
      message: pattern,
    });
    assert.equal(server.requests.length, tries);
  });
}

test('an address that nobody answers, or that stops sending, is unreachable', async (t) => {
  const to = await target(t);
  const server = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half');
  });
  await assert.rejects(download({ url: server.url, digest, to }, options([], { stallMs: 100 }), never), {
    reason: 'Unreachable',
    message: /broke off after 4 bytes|no answer for 0.1 s/,
  });
  await assert.rejects(download({ url: 'http://127.0.0.1:1/f', digest, to }, options(), never), {
    reason: 'Unreachable',
    message: /ECONNREFUSED.*2 tries without progress.*check the address/,
  });
});

test('a server that drips, or that never comes to an end, is unreachable as well', async (t) => {
  const pour = (bytes: number) =>
    serve(t, (request, response) => {
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        'content-range': `bytes ${/\d+/.exec(request.headers.range ?? '0')?.[0]}-9999999999/10000000000`,
      });
      const dripping = setInterval(() => response.write(Buffer.alloc(bytes)), 10);
      response.on('close', () => clearInterval(dripping));
    });
  const dripping = await pour(1);
  await assert.rejects(
    download({ url: dripping.url, digest, to: await target(t) }, options([], { slowMs: 100 }), never),
    { reason: 'Unreachable', message: /sent \d+ bytes in 0\.1 s \(2 tries without progress\)/ },
  );
  assert.equal(dripping.requests.length, 2);
  const endless = await pour(1000);
  await assert.rejects(
    download({ url: endless.url, digest, to: await target(t) }, options([], { deadlineMs: 200 }), never),
    { reason: 'Unreachable', message: /did not send all of it in time/ },
  );
});

test('comes back after an outage within its tries', async (t) => {
  const to = await target(t);
  const server = await serve(t, (request, response, count) => {
    if (count === 1) response.writeHead(502).end();
    else sendFile(request, response, body);
  });
  await download({ url: server.url, digest, to }, options(), never);
  assert.equal(sha256(await readFile(to)), digest);
});

test('asks for space first and takes nothing where there is too little', async (t) => {
  const to = await target(t);
  const server = await serve(t, (request, response) => sendFile(request, response, body));
  const full = options([], { free: () => Promise.resolve(65 * 1024 * 1024) });
  await assert.rejects(download({ url: server.url, digest, to }, full, never), {
    reason: 'NoSpace',
    message: /needs 3 MiB and 64 MiB must stay free/,
  });
});

test('credentials go to their source and never along a redirect to another origin', async (t) => {
  const to = await target(t);
  const seen: (string | undefined)[] = [];
  const store = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    sendFile(request, response, body);
  });
  const front = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: `${store.url}/blob?signature=x` }).end();
  });
  const sources = [{ prefix: `${front.url}/private/`, username: 'u', password: 'p' }];
  await download({ url: `${front.url}/private/f`, digest, to }, options(sources), never);
  assert.deepEqual(seen, [`Basic ${Buffer.from('u:p').toString('base64')}`, undefined]);
  await rm(to);
  await download({ url: `${front.url}/public/f`, digest, to }, options(sources), never);
  assert.deepEqual(seen.slice(2), [undefined, undefined]);
});

test('redirects have an end', async (t) => {
  const to = await target(t);
  const server = await serve(t, (_request, response) =>
    response.writeHead(302, { location: '/again' }).end(),
  );
  await assert.rejects(download({ url: server.url, digest, to }, options(), never), {
    message: /redirects more than 5 times/,
  });
});

test('mirrors are tried in order, the address itself last', async (t) => {
  const to = await target(t);
  const dead = await serve(t, (_request, response) => response.writeHead(404).end());
  const alive = await serve(t, (request, response) => sendFile(request, response, body));
  const sources = [
    { prefix: 'https://files.invalid/team/', mirrors: [`${dead.url}/m1/`, `${alive.url}/m2`] },
  ];
  await download({ url: 'https://files.invalid/team/a/f', digest, to }, options(sources), never);
  assert.deepEqual([dead.requests, alive.requests], [['GET /m1/a/f'], ['GET /m2/a/f']]);
});

test('goes through a proxy where the source names one', async (t) => {
  const to = await target(t);
  const proxy = await serve(t, (request, response) => sendFile(request, response, body));
  await download(
    { url: 'http://files.invalid/f', digest, to },
    options([{ prefix: 'http://files.invalid/', proxy: proxy.url }]),
    never,
  );
  assert.deepEqual(proxy.requests, ['GET http://files.invalid/f']);
});

test('an abort ends it at once', async (t) => {
  const to = await target(t);
  const abort = new AbortController();
  const server = await serve(t, () => abort.abort(new Error('the revision was replaced')));
  await assert.rejects(download({ url: server.url, digest, to }, options(), abort.signal));
  assert.equal(server.requests.length, 1);
});

test('refuses addresses and digests that make no sense', async (t) => {
  const to = await target(t);
  const attempt = (url: string, wanted = digest): Promise<void> =>
    download({ url, digest: wanted, to }, options(), never);
  await assert.rejects(attempt('ftp://files.invalid/f'), { reason: 'Invalid', message: /not one of http/ });
  await assert.rejects(attempt('https://user:word@files.invalid/f'), (error: Error) => {
    assert.match(error.message, /carries a password/);
    assert.doesNotMatch(error.message, /word@/);
    return true;
  });
  await assert.rejects(attempt('http://127.0.0.1/f', 'sha256:abc'), {
    reason: 'Invalid',
    message: /64 lower-case hexadecimal/,
  });
});

test('sources.json: mistakes are named without quoting what may be secret', async (t) => {
  const file = await target(t);
  assert.equal((await readSources(file)).find('https://a/'), undefined);
  const fails = async (content: string, message: RegExp): Promise<void> => {
    await writeFile(file, content);
    await assert.rejects(readSources(file), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  };
  await fails('{"sources": [{"password": "hunter2"', /is not valid JSON/);
  await fails('[]', /has no list "sources"/);
  await fails(
    '{"sources": [{"prefix": "https://a/", "pasword": "hunter2"}]}',
    /sources\[0\] has an unknown field "pasword"/,
  );
  await fails(
    '{"sources": [{"prefix": "a", "password": "hunter2"}]}',
    /sources\[0\]\.prefix must begin with https/,
  );
  await fails('{"sources": [{"prefix": "https://a", "token": 1}]}', /sources\[0\]\.token must be a text/);
  await writeFile(file, '{"sources": [{"prefix": "https://a.example", "token": "t"}]}');
  const sources = await readSources(file);
  assert.equal(sources.find('https://a.example/x')?.token, 't');
  assert.equal(sources.find('https://a.example.evil/x'), undefined);
});
