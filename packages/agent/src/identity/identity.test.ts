import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { describeSkew } from '../connect/clock-skew.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { IdentityFiles, pkiFolder } from './keys.ts';
import { certificateRequest } from './request.ts';

/** Content of the element that begins at `at`, and where the next begins. */
function read(der: Buffer, at: number): { tag: number; start: number; end: number } {
  const first = der[at + 1] ?? 0;
  const long = first & 0x80 ? first & 0x7f : 0;
  const length = long > 0 ? der.readUIntBE(at + 2, long) : first;
  const start = at + 2 + long;
  return { tag: der[at] ?? 0, start, end: start + length };
}

test('the certificate request is signed by its key and names user and group', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = certificateRequest(privateKey, { user: 'kubenode:agent:n1', group: 'kubenode:agents' });
  const der = Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64');
  const outer = read(der, 0);
  assert.equal(outer.end, der.length);
  const info = read(der, outer.start);
  const algorithm = read(der, info.end);
  const signature = read(der, algorithm.end);
  assert.equal(signature.tag, 0x03);
  const publicKey = createPublicKey(privateKey);
  assert.ok(
    verify(
      'sha256',
      der.subarray(outer.start, info.end),
      publicKey,
      der.subarray(signature.start + 1, signature.end),
    ),
  );
  const text = der.toString('latin1');
  assert.ok(text.includes('kubenode:agent:n1') && text.includes('kubenode:agents'));
});

test('the key is made once, readable by its owner alone, and is the same after a restart', async () => {
  const files = new MemoryFiles();
  const first = await new IdentityFiles(files).nextKey();
  const second = await new IdentityFiles(files).nextKey();
  assert.ok(first.equals(second));
  assert.equal((await files.state(`${pkiFolder}/agent.key.next`))?.mode, 0o600);
});

test('an unreadable certificate is none', async () => {
  const files = new MemoryFiles();
  files.harm(`${pkiFolder}/agent.crt`, 'garbage');
  assert.equal(await new IdentityFiles(files).read(), undefined);
});

test('a wrong clock is told in words, and a few minutes are not', () => {
  const now = Date.UTC(2026, 0, 2);
  assert.equal(describeSkew(now, now + 60_000), undefined);
  assert.match(describeSkew(now, now - 90_000_000) ?? '', /1 d 1 h behind the API server's: set it right/);
  assert.match(describeSkew(now, now + 7_200_000) ?? '', /2 h 0 min ahead of/);
});
