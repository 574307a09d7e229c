import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createLab, ensureDeb, missingForHosts } from '@kubenode/lab';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const chronyVersion = '4.3-2+deb12u3';

test('the host layer against a real systemd and a real dpkg', { timeout: 300_000 }, async (t) => {
  const missing = await missingForHosts();
  if (missing.length > 0) {
    assert.equal(process.env['CI'], undefined, `in CI nothing may be missing: ${missing.join(', ')}`);
    return t.skip(`hosts need: ${missing.join(', ')}`);
  }
  const dir = await mkdtemp(path.join(os.tmpdir(), 'kn-lab-'));
  const lab = await createLab({ dir, hosts: 1, outbound: true });
  t.after(async () => {
    await lab.close();
    await rm(dir, { recursive: true, force: true });
  });
  const chrony = await ensureDeb('chrony', chronyVersion);
  const host = lab.host('h1');
  const inside = path.join(host.rootfs, 'opt/kn-test');
  await mkdir(path.join(inside, 'test/real'), { recursive: true });
  await cp(path.join(repository, 'packages/agent/src'), path.join(inside, 'packages/agent/src'), {
    recursive: true,
  });
  await cp(path.join(repository, 'test/real/agent-host'), path.join(inside, 'test/real/agent-host'), {
    recursive: true,
  });
  await writeFile(path.join(inside, 'package.json'), '{"type":"module"}');
  await copyFile(process.execPath, path.join(inside, 'node'));
  const env = { CHRONY_VERSION: chronyVersion, CHRONY_DIGEST: chrony.digest };
  const command = [
    '/opt/kn-test/node',
    '--disable-warning=ExperimentalWarning',
    '--test',
    '/opt/kn-test/test/real/agent-host/inside.ts',
  ];
  const result = await host.exec(command, { env, allowFailure: true, timeoutMs: 240_000 });
  t.diagnostic(result.stdout);
  assert.equal(result.code, 0, `${result.stdout}\n${result.stderr}`);
});
