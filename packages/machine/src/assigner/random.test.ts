/**
 * Fleets to which anything may happen: faults, new leaders, clocks that jump, and people who change their minds. A watcher that looks at the
 * objects alone holds the planner to what it promises. KUBENODE_RANDOM_RUNS=10000 runs more of them, KUBENODE_RANDOM_SEED=7 that one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../testing/fleet.ts';
import { pickOf, randomOf } from '../testing/random.ts';
import { Watcher } from '../testing/watcher.ts';

const runs = Number(process.env['KUBENODE_RANDOM_RUNS'] ?? 1000);
const only = process.env['KUBENODE_RANDOM_SEED'];
const revisions = ['runc-1', 'runc-2', 'runc-3'];

const windows = [
  { from: '10:00', to: '10:30', timeZone: 'UTC' },
  { from: '22:00', to: '02:00', timeZone: 'Asia/Shanghai' },
];

function fleetOf(random: () => number): Fleet {
  const fleet = new Fleet();
  const count = 1 + Math.floor(random() * 10);
  for (let i = 0; i < count; i += 1) fleet.machine(`n${i}`, { zone: `z${i % 3}` });
  for (const name of revisions) fleet.revision(name, undefined, undefined, true);
  fleet.set('runc', {
    revision: 'runc-1',
    rollout: { batches: [1, 3], maxUnavailable: '100%', deadline: '10m' },
  });
  fleet.run();
  fleet.inspections.say('errors', { result: 'Passed', message: '' });
  const inspections = [
    { name: 'baseline', type: 'BuiltIn' as const, deadline: '2m' },
    { name: 'errors', type: 'Prometheus' as const, deadline: '2m' },
  ];
  fleet.set('runc', {
    rollout: {
      batches: pickOf<(number | string)[]>([[1], [1, 3], ['10%', '50%', '100%'], [2, 1]], random),
      maxUnavailable: pickOf([1, 2, '30%', '100%'], random),
      inspections: inspections.filter(() => random() < 0.5),
      observation: pickOf(['0s', '1m', '10m'], random),
      maxFailed: pickOf([0, 0, 1], random),
      onFailure: pickOf(['Pause', 'Rollback'] as const, random),
      spread: 'zone',
    },
  });
  return fleet;
}

/** One thing that happens. */
function happen(fleet: Fleet, watcher: Watcher, random: () => number): void {
  const name = pickOf([...fleet.machines.keys()], random);
  const { budget } = fleet;
  const jump = (ms: number): void => {
    fleet.now += ms;
    // By a clock that jumps forward nobody can observe.
    watcher.blindUntil = Number.POSITIVE_INFINITY;
  };
  const events: (() => unknown)[] = [
    () => fleet.set('runc', { revision: pickOf(revisions, random) }),
    () => fleet.set('runc', { paused: random() < 0.3 }),
    () => fleet.set('runc', { retryToken: String(random()) }),
    () => fleet.set('runc', { promote: random() < 0.3 ? pickOf(revisions, random) : '' }),
    () => fleet.set('runc', { rollout: { maxUnavailable: pickOf([1, 2, '50%'], random) } }),
    () => fleet.set('runc', { rollout: { windows: random() < 0.5 ? [] : [pickOf(windows, random)] } }),
    () =>
      fleet.agent(
        name,
        pickOf(['Ready', 'Ready', 'Failed', 'Retrying', 'Slow', 'Silent', 'Degraded'], random),
      ),
    () => fleet.change(name, (machine) => (machine.spec.paused = random() < 0.3)),
    () => fleet.bad.set(pickOf(revisions, random), pickOf(['Failed', 'Retrying', 'Hangs'], random)),
    () => fleet.bad.clear(),
    () => fleet.restart(),
    () => fleet.restart(),
    () => (random() < 0.1 ? jump(3_600_000) : undefined),
    () => (random() < 0.2 ? jump(-3_600_000) : undefined),
    () => (budget.atOnce = pickOf([0, 1, 2, Number.POSITIVE_INFINITY], random)),
    () => budget.changed(),
    () => (budget.isVoid = () => random() < 0.2),
    () =>
      fleet.inspections.say('errors', {
        result: pickOf(['Passed', 'Passed', 'Failed', 'Inconclusive'] as const, random),
        message: 'x',
      }),
    () => (random() < 0.2 ? fleet.machine(`new${fleet.machines.size}`, { zone: 'z0' }) : undefined),
  ];
  pickOf(events, random)();
}

/** Time passes, a little or as long as the planner wants to wait. */
function pass(fleet: Fleet, watcher: Watcher, random: () => number): void {
  const look = fleet.assignments.nextLook;
  const ms = random() < 0.3 && look !== undefined ? Math.max(0, look - fleet.now) : random() * 60_000;
  fleet.now += ms;
  watcher.elapsed += ms;
  for (const name of fleet.machines.keys()) {
    const behaviour = fleet.agents.get(name);
    if (behaviour !== undefined && random() < 0.6) fleet.agent(name, behaviour);
  }
}

/** Nothing goes wrong any more: it has to come to an end. */
function end(fleet: Fleet, watcher: Watcher): string {
  fleet.bad.clear();
  fleet.budget.isVoid = () => false;
  fleet.budget.atOnce = Number.POSITIVE_INFINITY;
  fleet.budget.changed();
  fleet.inspections.say('errors', { result: 'Passed', message: '' });
  for (const name of fleet.machines.keys()) {
    fleet.change(name, (machine) => (machine.spec.paused = false)).agent(name, 'Ready');
  }
  fleet.set('runc', { paused: false });
  for (let round = 0; round < 300; round += 1) {
    watcher.plan();
    fleet.act();
    const { state } = fleet.sets.get('runc')?.status?.batch ?? {};
    if (state === 'Done' || state === 'Paused') return state;
    const look = fleet.assignments.nextLook;
    const ms = Math.max(0, (look ?? fleet.now) - fleet.now);
    if (round % 3 === 2) {
      fleet.now += ms;
      watcher.elapsed += ms;
    }
  }
  return `never: ${JSON.stringify(fleet.sets.get('runc')?.status)}`;
}

function run(seed: number): void {
  const random = randomOf(seed);
  const fleet = fleetOf(random);
  const watcher = new Watcher(fleet);
  for (let step = 0; step < 60; step += 1) {
    if (random() < 0.4) happen(fleet, watcher, random);
    watcher.plan();
    pass(fleet, watcher, random);
  }
  const first = end(fleet, watcher);
  if (first === 'Paused') {
    assert.ok(fleet.sets.get('runc')?.status?.halted, 'paused without a reason');
    fleet.set('runc', { retryToken: 'at last' });
    assert.equal(end(fleet, watcher), 'Done');
  } else assert.equal(first, 'Done');
}

test(`${runs} fleets to which anything happens: capacity, batches, gates, windows, grants, and an end`, (t) => {
  const seeds = only === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  t.diagnostic(`${seeds.length} random runs of the planner, seeds ${seeds[0] ?? 0} to ${seeds.at(-1) ?? 0}`);
});
