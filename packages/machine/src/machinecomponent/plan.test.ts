import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Revision } from '../caches.ts';
import { planFinalizer, type Use } from './plan.ts';

function revision(finalizers: string[], deleting = false): Revision {
  return {
    metadata: {
      name: 'runc-1',
      finalizers,
      ...(deleting ? { deletionTimestamp: '2026-03-01T10:00:00Z' } : {}),
    },
    component: 'runc',
    version: '1',
    disruption: 'None',
    hasUnit: false,
    set: undefined,
  };
}
const held = ['kubenode.io/in-use'];
const nobody: Use = { machines: [], bySet: false };
const machines: Use = { machines: ['n1', 'n2', 'n3', 'n4'], bySet: false };
const set: Use = { machines: [], bySet: true };

const stories: [string, Revision, Use, string][] = [
  ['nobody needs it', revision([]), nobody, 'None'],
  ['a set names it', revision([]), set, 'Add'],
  ['a machine names it', revision([]), machines, 'Add'],
  ['it is held already', revision(held), machines, 'None'],
  ['nobody needs it any more', revision(held), nobody, 'Release'],
  ['deleted while machines run it', revision(held, true), machines, 'Hold'],
  ['deleted while only a set names it', revision(held, true), set, 'Release'],
  ['deleted, and the last machine has moved on', revision(held, true), nobody, 'Release'],
  ['held by somebody else', revision(['other/finalizer'], true), machines, 'None'],
];
for (const [story, given, use, kind] of stories) {
  test(`${story}: ${kind}`, () => assert.equal(planFinalizer(given, use).kind, kind));
}

test('a deletion that has to wait tells for whom, and what to do', () => {
  const plan = planFinalizer(revision(held, true), machines);
  assert.match(plan.kind === 'Hold' ? plan.note : '', /n1, n2, n3 and 1 more.*Move them/);
});
