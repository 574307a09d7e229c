/** Rollouts and budgets that make no sense, told at admission: by every control plane with the same words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type * as api from '@kubenode/api';
import { MachineComponentSet, NodeDisruptionBudget } from '@kubenode/machine';
import { ApiError, type Client, type Draft } from '@kubenode/runtime';

const prometheus = { url: 'http://prometheus:9090', query: 'sum(up)', min: '1' };

/** What is wrong with it, as it is written, and the field and words of the refusal. */
const rollouts: readonly [string, object, RegExp][] = [
  ['a batch of 0', { batches: [1, 0] }, /batches\[1\].*at least 1, or a percentage from "1%" to "100%"/],
  ['a batch of 250%', { batches: ['250%'] }, /batches\[0\].*from "1%" to "100%"/],
  ['a batch of -1', { batches: [-1] }, /batches\[0\].*at least 1/],
  ['a batch of a half', { batches: [1.5] }, /batches\[0\]/],
  ['no batch', { batches: [] }, /batches.*at least 1 items/],
  ['10,000 batches', { batches: Array.from({ length: 10_000 }, () => 1) }, /batches.*at most 16 items/],
  ['nothing may be unavailable', { maxUnavailable: 0 }, /maxUnavailable.*at least 1/],
  ['an observation of ten years', { observation: '87600h' }, /observation.*at most 168h/],
  ['an observation of more than a duration holds', { observation: `${'9'.repeat(20)}h` }, /observation/],
  ['an observation without a unit', { observation: '10' }, /observation.*should match/],
  ['a deadline that is over at once', { deadline: '0s' }, /deadline.*at least 1s/],
  [
    'a window that never opens',
    { windows: [{ from: '10:00', to: '10:00' }] },
    /windows\[0\].*from and to are the same: this window never opens/,
  ],
  ['a window on no day', { windows: [{ days: [], from: '10:00', to: '11:00' }] }, /days.*at least 1 items/],
  ['a window at 25:00', { windows: [{ from: '25:00', to: '10:00' }] }, /windows\[0\]\.from.*should match/],
  [
    'two inspections of one name',
    { inspections: [inspection({}), inspection({})] },
    /two inspections have the same name/,
  ],
  ...inspections(
    [
      'bounds that every number passes',
      { prometheus: { ...prometheus, min: undefined } },
      /min and max must be set/,
    ],
    [
      'bounds that no number passes',
      { prometheus: { ...prometheus, min: '10', max: '9' } },
      /min must not be greater than max/,
    ],
    [
      'a bound that is no number',
      { prometheus: { ...prometheus, min: 'NaN' } },
      /min must be a number such as/,
    ],
    ['no query', { prometheus: { ...prometheus, query: '' } }, /query.*at least 1 chars/],
    [
      'a password in the address',
      { prometheus: { ...prometheus, url: 'http://me:secret@prometheus' } },
      /url.*must not hold a user or password.*secretName/,
    ],
    ['a type without its part', { type: 'Web', prometheus: undefined }, /web goes with type Web/],
    ['a part of another type', { type: 'BuiltIn' }, /prometheus goes with type Prometheus/],
    [
      'a secret that nobody asks for',
      { type: 'BuiltIn', prometheus: undefined, secretName: 'x' },
      /secretName goes with/,
    ],
    ['a deadline of two days', { deadline: '48h' }, /deadline.*at most 24h/],
  ),
];

const budgets: readonly [string, object, RegExp][] = [
  ['250% at once', { concurrent: { cluster: '250%' } }, /concurrent\.cluster.*from "0%" to "100%"/],
  ['-1 a minute', { starts: { perMinute: -1 } }, /starts\.perMinute.*at least 0/],
  ['grants that end at once', { grantTimeout: '0s' }, /grantTimeout.*at least 1m/],
  ['a drain of ten years', { drain: { timeout: '87600h' } }, /drain\.timeout.*at most 24h/],
];

export function refusedStories(admin: () => Client): void {
  describe('told at admission, with what to do', () => {
    for (const [what, rollout, says] of rollouts) {
      test(`a rollout with ${what}`, () =>
        refused(admin().create(MachineComponentSet, setOf('refused', rollout), { dryRun: true }), says));
    }
    for (const [what, spec, says] of budgets) {
      test(`a budget with ${what}`, () =>
        refused(admin().create(NodeDisruptionBudget, budgetOf('refused', spec), { dryRun: true }), says));
    }
    test('and one with all of it as it should be is taken', async () => {
      await admin().create(
        MachineComponentSet,
        setOf('taken', {
          batches: [1, '5%', '100%'],
          maxUnavailable: '10%',
          observation: '168h',
          inspections: [
            inspection({
              prometheus: { ...prometheus, max: '1.5' },
              secretName: 'gate',
              deadline: '1m30s',
            }),
            inspection({
              name: 'smoke',
              type: 'Web',
              prometheus: undefined,
              web: { url: 'https://smoke/?a=b@c' },
            }),
            inspection({ name: 'baseline', type: 'BuiltIn', prometheus: undefined }),
          ],
          windows: [{ days: ['Mon', 'Sun'], from: '22:00', to: '04:00', timeZone: 'Asia/Shanghai' }],
        }),
        { dryRun: true },
      );
    });
  });
}

function setOf(name: string, rollout: object): Draft<api.MachineComponentSet> {
  const spec = { component: name, revision: `${name}-1`, rollout };
  return { metadata: { name }, spec } as unknown as Draft<api.MachineComponentSet>;
}

function budgetOf(name: string, spec: object): Draft<api.NodeDisruptionBudget> {
  return { metadata: { name }, spec } as unknown as Draft<api.NodeDisruptionBudget>;
}

function inspection(more: Partial<Record<keyof api.Inspection, unknown>>): object {
  return { name: 'errors', type: 'Prometheus', prometheus, ...more };
}

function inspections(
  ...cases: readonly [string, Partial<Record<keyof api.Inspection, unknown>>, RegExp][]
): [string, object, RegExp][] {
  return cases.map(([what, more, says]) => [
    `an inspection with ${what}`,
    { inspections: [inspection(more)] },
    says,
  ]);
}

async function refused(writing: Promise<unknown>, says: RegExp): Promise<void> {
  await assert.rejects(writing, (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, 422, error.message);
    assert.match(error.message, says);
    return true;
  });
}
