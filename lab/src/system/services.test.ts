import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAlive } from './processes.ts';
import { endServices, startService } from './services.ts';

test('ends the services of a folder and below it, and no others', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'kubenode-services-'));
  t.after(async () => {
    await endServices(dir);
    await rm(dir, { recursive: true });
  });
  for (const name of ['one/below', 'one-more']) await mkdir(join(dir, name), { recursive: true });
  const inside = await startService(join(dir, 'one'), 'sleep', ['sleep', '600']);
  const below = await startService(join(dir, 'one/below'), 'sleep', ['sleep', '600']);
  const beside = await startService(join(dir, 'one-more'), 'sleep', ['sleep', '600']);

  await endServices(join(dir, 'one'));

  assert.equal(isAlive(inside), false);
  assert.equal(isAlive(below), false);
  assert.equal(isAlive(beside), true);
});
