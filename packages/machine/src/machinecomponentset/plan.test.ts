import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineComponentSpec } from '@kubenode/api';
import { revisionName, superfluous } from './template.ts';

const spec: MachineComponentSpec = {
  component: 'containerd',
  version: '1.6.20~ds1-1+deb12u3',
  artifacts: [],
  files: [],
  probes: [],
  dependsOn: [],
  disruption: 'Restart',
  progressDeadline: '5m',
  onFailure: 'Rollback',
};

describe('a template', () => {
  test('names its revision after component, version and content', () => {
    assert.match(revisionName(spec), /^containerd-1\.6\.20-ds1-1-deb12u3-[0-9a-f]{10}$/);
  });

  test('gives the same name whatever the order of its fields, and another for another content', () => {
    assert.equal(
      revisionName(Object.fromEntries(Object.entries(spec).reverse()) as typeof spec),
      revisionName(spec),
    );
    assert.notEqual(revisionName({ ...spec, onFailure: 'Hold' }), revisionName(spec));
  });

  test('gives a name that an object may have, whatever the version', () => {
    for (const version of ['v1..2', '1.-2', '~~', 'A_B', '1.'.repeat(200), '9.']) {
      const name = revisionName({ ...spec, version });
      assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, version);
      assert.ok(name.length <= 253);
    }
  });

  test('leaves the last revisions behind for the way back, and none that is in use goes', () => {
    const made = Array.from({ length: 9 }, (_, i) => ({
      name: `r${i}`,
      createdAt: `2026-01-0${i + 1}T00:00:00Z`,
      inUse: i === 1,
    }));
    assert.deepEqual(superfluous(made, ['r0', undefined]), ['r2', 'r3']);
  });
});
