import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldLimits } from './hook-limits.ts';

const unit = 'kubenode-hook-1-0.service';

test('limits hold where the process is in a cgroup of its own', () => {
  const old = `9:pids:/system.slice/${unit}\n4:memory:/system.slice/${unit}\n1:name=systemd:/system.slice/${unit}\n0::/\n`;
  assert.deepEqual(heldLimits(old, unit), { memory: true, tasks: true });
  assert.deepEqual(heldLimits(`0::/system.slice/${unit}\n`, unit), { memory: true, tasks: true });
});

test('they do not where systemd could not make one, though it has its own hierarchy', () => {
  const readOnly = `9:pids:/machine\n4:memory,cpu:/machine\n1:name=systemd:/system.slice/${unit}\n`;
  assert.deepEqual(heldLimits(readOnly, unit), { memory: false, tasks: false });
  assert.deepEqual(heldLimits(`4:memory:/a/${unit}\n1:name=systemd:/a/${unit}\n`, unit), {
    memory: true,
    tasks: false,
  });
  assert.deepEqual(heldLimits('0::/\n', unit), { memory: false, tasks: false });
  assert.deepEqual(heldLimits('', unit), { memory: false, tasks: false });
});
