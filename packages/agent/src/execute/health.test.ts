import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { UnitState } from '../ports.ts';
import { unitProblem } from './health.ts';

const unit = 'daemon.service';
const state = (activeState: UnitState['activeState'], subState: string, mainPID: number): UnitState => ({
  name: unit,
  loadState: 'loaded',
  activeState,
  subState,
  enabled: 'enabled',
  mainPID,
});

/** What is found wrong by a look, and a second one where there is one. */
async function problem(...looks: UnitState[]): Promise<{ problem: string | undefined; waits: number }> {
  let waits = 0;
  const left = [...looks];
  const found = await unitProblem(
    { goal: { unit: { name: unit, own: true }, probes: [] } },
    {
      host: {
        services: {
          states: () => Promise.resolve(new Map([[unit, left.shift() ?? state('failed', 'failed', 0)]])),
        },
      },
      clock: {
        now: () => 0,
        sleep: () => {
          waits += 1;
          return Promise.resolve();
        },
      },
    },
    new AbortController().signal,
  );
  return { problem: found, waits };
}

test('a process that is the same one a moment later counts', async () => {
  assert.deepEqual(await problem(state('active', 'running', 7), state('active', 'running', 7)), {
    problem: undefined,
    waits: 1,
  });
});

test('one that ended meanwhile does not, nor one that was started again', async () => {
  assert.match(
    (await problem(state('active', 'running', 7), state('failed', 'failed', 0))).problem ?? '',
    /is failed/,
  );
  assert.match(
    (await problem(state('active', 'running', 7), state('active', 'running', 8))).problem ?? '',
    /again and again/,
  );
});

test('one that ended between the question for its state and that for its process does not count', async () => {
  assert.match(
    (await problem(state('active', 'running', 0), state('failed', 'failed', 0))).problem ?? '',
    /is failed/,
  );
  assert.equal(
    (await problem(state('active', 'running', 0), state('active', 'running', 0))).problem,
    undefined,
  );
});

test('a unit that needs no process is well at once', async () => {
  assert.deepEqual(await problem(state('active', 'exited', 0)), { problem: undefined, waits: 0 });
});
