import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { ApiError, type Client, type FakeClock, fakeClock } from '@kubenode/runtime';
import { certificateFor } from '../testing/certificate.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { AgentIdentity } from './identity.ts';
import { IdentityFiles, pkiFolder } from './keys.ts';

const day = 86_400_000;

/** A host with an identity of ten days, and a cluster that signs (or denies) what it is asked for. */
async function setup(options: { denies?: boolean; token?: string } = {}) {
  const clock = fakeClock();
  const files = new MemoryFiles();
  const stored = new IdentityFiles(files);
  await stored.store(certificateFor(await stored.nextKey(), clock.now(), clock.now() + 10 * day));
  const asked: string[] = [];
  const logged: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (text: string) => void logged.push(text),
    error: (text: string, fields?: object) => void logged.push(`${text} ${JSON.stringify(fields)}`),
    with: () => log,
  };
  const identity = new AgentIdentity({
    files,
    machine: 'n1',
    connection: { server: 'https://127.0.0.1:1' },
    token: async () => options.token,
    clock,
    log,
  });
  const cluster = signingCluster(files, clock, asked, options.denies ?? false);
  return { clock, files, identity, cluster, asked, logged };
}

/** Signs for the key that lies on the host, as the real one would for the key in the request. */
function signingCluster(files: MemoryFiles, clock: FakeClock, asked: string[], denies: boolean): Client {
  const names = new Set<string>();
  const fake: Partial<Client> = {
    async create(_kind, object) {
      const name = object.metadata.name ?? '';
      if (names.has(name))
        throw new ApiError(409, { reason: 'AlreadyExists', message: name, causes: [] }, 'POST');
      names.add(name);
      asked.push(name);
      return object as never;
    },
    async get(_kind, key) {
      if (denies)
        return {
          metadata: { name: key },
          status: { conditions: [{ type: 'Denied', status: 'True', message: 'not yours' }] },
        } as never;
      const next = createPrivateKey(files.text(`${pkiFolder}/agent.key.next`) ?? '');
      const certificate = certificateFor(next, clock.now(), clock.now() + 10 * day);
      return {
        metadata: { name: key },
        status: { certificate: Buffer.from(certificate).toString('base64') },
      } as never;
    },
  };
  return fake as Client;
}

test('the certificate is renewed with a new key between two thirds and five sixths of its life, and swapped', async () => {
  const { clock, files, identity, cluster, asked } = await setup();
  const stop = new AbortController();
  await identity.ensure(stop.signal);
  const before = await identity.credentials.identity();
  const keeping = identity.keepFresh(cluster, stop.signal).catch(() => undefined);
  await clock.advance((10 * day * 2) / 3 - 60_000);
  assert.equal(asked.length, 0);
  await clock.advance((10 * day) / 6 + 700_000);
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? '', /^kubenode-agent-n1-[0-9a-f]{10}$/);
  const after = await identity.credentials.identity();
  assert.notEqual(after.cert, before.cert);
  assert.notEqual(after.key, before.key);
  assert.equal(files.text(`${pkiFolder}/agent.key`), after.key);
  assert.equal(files.text(`${pkiFolder}/agent.key.next`), undefined);
  stop.abort(new Error('end'));
  await clock.advance(0);
  await keeping;
});

test('a denied renewal is told, and asked again with another key while the old certificate is good', async () => {
  const { clock, identity, cluster, asked, logged } = await setup({ denies: true });
  const stop = new AbortController();
  await identity.ensure(stop.signal);
  const before = await identity.credentials.identity();
  const keeping = identity.keepFresh(cluster, stop.signal).catch(() => undefined);
  await clock.advance(9 * day);
  assert.ok(asked.length > 1);
  assert.equal(new Set(asked).size, asked.length);
  assert.ok(logged.some((line) => line.includes('was denied: not yours')));
  assert.equal((await identity.credentials.identity()).cert, before.cert);
  stop.abort(new Error('end'));
  await clock.advance(0);
  await keeping;
});

test('a host past its end goes back to its join token, and says so where there is none', async () => {
  const { clock, identity, logged } = await setup();
  await clock.advance(11 * day);
  const stop = new AbortController();
  const ensuring = identity.ensure(stop.signal).catch(() => undefined);
  await clock.advance(5_000);
  assert.ok(logged.some((line) => line.includes('going back to the join token')));
  assert.ok(logged.some((line) => line.includes('no valid certificate and no join token')));
  stop.abort(new Error('end'));
  await clock.advance(0);
  await ensuring;
});

test('killed between certificate and key, the new pair is taken into use', async () => {
  const clock = fakeClock();
  const files = new MemoryFiles();
  const stored = new IdentityFiles(files);
  await stored.store(certificateFor(await stored.nextKey(), clock.now(), clock.now() + day));
  const next = await stored.nextKey();
  files.harm(`${pkiFolder}/agent.crt`, certificateFor(next, clock.now(), clock.now() + 2 * day));
  const read = await new IdentityFiles(files).read();
  assert.equal(read?.notAfter, clock.now() + 2 * day);
  assert.ok(createPrivateKey(read?.key ?? '').equals(next));
  assert.equal(files.text(`${pkiFolder}/agent.key`), read?.key);
});

test('killed when the new key was in use, its copy is taken away, and the key of a request under way stays', async () => {
  const clock = fakeClock();
  const files = new MemoryFiles();
  const stored = new IdentityFiles(files);
  await stored.store(certificateFor(await stored.nextKey(), clock.now(), clock.now() + day));
  const next = `${pkiFolder}/agent.key.next`;
  files.harm(next, files.text(`${pkiFolder}/agent.key`) ?? '');
  const read = await stored.read();
  assert.equal(read?.key, files.text(`${pkiFolder}/agent.key`));
  assert.equal(files.text(next), undefined);
  await stored.nextKey();
  const requested = files.text(next);
  await stored.read();
  assert.ok(requested !== undefined);
  assert.equal(files.text(next), requested);
});
