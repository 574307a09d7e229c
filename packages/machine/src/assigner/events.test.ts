import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineComponentSetStatus } from '@kubenode/api';
import { Fleet } from '../testing/fleet.ts';
import { eventsOf } from './events.ts';

/** Reasons of the events of each change of the set's status, from the first to the last. */
function story(fleet: Fleet): string[] {
  const told: string[] = [];
  let before: MachineComponentSetStatus = fleet.sets.get('runc')?.status ?? {};
  for (let round = 0; round < 30; round += 1) {
    fleet.plan();
    const after = fleet.sets.get('runc')?.status ?? {};
    told.push(...eventsOf(before, after).map(({ type, reason }) => `${type} ${reason}`));
    before = after;
    fleet.act();
  }
  return told;
}

test('a rollout is told batch by batch, and its end', () => {
  const fleet = new Fleet().pool(9).revision('runc-1').set('runc', { revision: 'runc-1' });
  const batch = 'Normal BatchStarted';
  assert.deepEqual(story(fleet), [batch, batch, batch, 'Normal RolledOut']);
});

test('a failure, a conflict and a wrong name are warnings, each told once', () => {
  const fleet = new Fleet().pool(2).revision('runc-1').revision('runc-2').set('runc', { revision: 'runc-1' });
  story(fleet);
  for (const name of fleet.machines.keys()) fleet.agents.set(name, 'Failed');
  fleet.set('runc', { revision: 'runc-2' });
  assert.deepEqual(story(fleet), ['Normal BatchStarted', 'Warning BatchFailed']);
  fleet.set('runc', { revision: 'runc-9' });
  assert.deepEqual(story(fleet), ['Normal Resumed', 'Warning RevisionNotFound']);
  fleet.set('runc', { revision: 'runc-1' }).set('other', { revision: 'runc-1' });
  assert.deepEqual(story(fleet), ['Warning Conflicted']);
});
