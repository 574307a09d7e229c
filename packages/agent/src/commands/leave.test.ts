import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AgentConfig } from '../config.ts';
import { createHost, type OpenHost } from '../host/index.ts';
import { beginLeaving, isLeaving, leaveHost } from './leave.ts';

const token = '/etc/kubenode/bootstrap-token';

async function held(
  t: TestContext,
  more: readonly string[] = [],
): Promise<{ host: OpenHost; config: AgentConfig; has: (file: string) => boolean }> {
  const root = await mkdtemp(path.join(tmpdir(), 'kubenode-leave-'));
  const host = await createHost({ root });
  t.after(async () => {
    await host.close();
    await rm(root, { recursive: true });
  });
  const files = [
    token,
    '/etc/kubenode/agent.json',
    '/etc/kubenode/pki/agent.key',
    '/etc/kubenode/sources.json',
    '/var/lib/kubenode/desired/machine.json',
    '/opt/kubenode/agent/0123456789ab/kubenode-agent',
    ...more,
  ];
  for (const file of files) await host.files.write(file, 'x', { mode: 0o600 });
  const config = { machine: 'm', root, stateDir: '/var/lib/kubenode', bootstrapTokenFile: token };
  return { host, config, has: (file) => existsSync(path.join(root, file)) };
}

test('an agent that leaves takes all that is its own, and not what a person put there', async (t) => {
  const { host, config, has } = await held(t);
  await beginLeaving(host.files, config);
  await leaveHost(host, config);
  const left = ['/etc/kubenode/agent.json', '/etc/kubenode/pki', '/var/lib/kubenode', '/opt/kubenode'];
  assert.deepEqual(left.filter(has), []);
  assert.ok(has('/etc/kubenode/sources.json'));
  assert.equal(await isLeaving(host.files, config), false);
});

test('what a component that stays would need to be reverted is kept', async (t) => {
  const original = '/var/lib/kubenode/originals/runc/originals.json';
  const { host, config, has } = await held(t, [original]);
  await leaveHost(host, config);
  assert.ok(has(original));
  assert.ok(!has('/var/lib/kubenode/desired'));
});

test('an agent that was killed while leaving goes on leaving, unless a new import brought a token', async (t) => {
  const { host, config } = await held(t);
  assert.equal(await isLeaving(host.files, config), false);
  await beginLeaving(host.files, config);
  assert.equal(await isLeaving(host.files, config), true);
  await host.files.write(token, 'new', { mode: 0o600 });
  assert.equal(await isLeaving(host.files, config), false);
});
