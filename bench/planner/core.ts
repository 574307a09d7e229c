/**
 * The planner alone with so many simulated machines, in a process of its own, so that memory is this fleet's: core.ts COUNT prints the
 * figures as JSON. Run it with --expose-gc.
 */
import { Assignments, type Writes } from '../../packages/machine/src/assigner/plan.ts';
import { viewOfMachine, viewOfSet } from '../../packages/machine/src/member/view.ts';
import {
  components,
  machineName,
  machineOf,
  revisionOf,
  setOf,
  statusOf,
  uidOf,
  type WholeMachine,
} from './machines.ts';
import { naivePlan } from './naive.ts';

/** Figures of one size. Times in microseconds, memory in bytes. */
export interface CoreFigures {
  readonly machines: number;
  /** One report in a fleet at rest: a component is Degraded, or Ready again. Median and 99th of a hundred. */
  readonly report: Percentiles;
  /** One machine of a batch, a tenth of the fleet, says that it is Ready. */
  readonly batchReport: Percentiles;
  /** The last machine of a batch of ten says so, and the next ten are moved. */
  readonly nextBatch: Percentiles;
  /** A report by a planner that looks at all machines of the set. */
  readonly naive: Percentiles;
  /** The objects whole, as an informer without projections keeps them. */
  readonly objectBytes: number;
  /** What the planner keeps besides. */
  readonly plannerBytes: number;
}
export interface Percentiles {
  readonly median: number;
  readonly p99: number;
}

const reports = 2000;
const naiveReports = 30;
const smallBatches = 60;
const smallBatch = 10;

function measure(count: number): CoreFigures {
  const empty = heap();
  const machines = Array.from({ length: count }, (_, i) => machineOf(i));
  const objectBytes = (heap() - empty) / count;
  let now = Date.parse('2026-03-02T10:00:00Z');
  const planner = new Assignments();
  for (const component of components) {
    for (const version of [1, 2]) {
      const name = revisionOf(component, version);
      const known = { version: '1', restarts: false, deleting: false, isKept: true };
      planner.putRevision({ name, uid: uidOf(name), component, ...known });
    }
    putSet(planner, component, 1, smallBatch);
  }
  for (const machine of machines) planner.putMachine(viewOfMachine(machine));
  planner.plan(now);
  const plannerBytes = (heap() - empty) / count - objectBytes;

  const [component = '', other = ''] = components;
  const report = times(reports, (i) => {
    const machine = machines[(i * 7919) % count];
    const status = machine?.status.components[0];
    if (machine === undefined || status === undefined) throw new Error('no such machine');
    status.state = status.state === 'Ready' ? 'Degraded' : 'Ready';
    status.correct = {
      version: 'True',
      config: 'True',
      running: status.state === 'Ready' ? 'True' : 'False',
    };
    planner.putMachine(viewOfMachine(machine));
    planner.plan((now += 20));
  });
  for (const machine of machines) {
    const status = machine.status.components[0];
    if (status === undefined || status.state === 'Ready') continue;
    status.state = 'Ready';
    planner.putMachine(viewOfMachine(machine));
  }
  planner.plan((now += 20));

  const byName = new Map(machines.map((machine) => [machine.metadata.name, machine]));
  /** What was decided is written, and shows. */
  const write = (writes: Writes): WholeMachine[] => {
    const moved = [...writes.machines].map(([name, entries]) => {
      const machine = byName.get(name);
      if (machine === undefined) throw new Error(`${name} is none of ours`);
      machine.spec.components = [...entries];
      planner.putMachine(viewOfMachine(machine));
      return machine;
    });
    planner.plan((now += 20));
    return moved;
  };
  const ready = (machine: WholeMachine, name: string): Writes => {
    machine.status.components = machine.spec.components.map((entry, i) =>
      entry.name === name ? statusOf(entry) : (machine.status.components[i] ?? statusOf(entry)),
    );
    planner.putMachine(viewOfMachine(machine));
    return planner.plan((now += 20));
  };

  putSet(planner, component, 2, '10%');
  const moved = write(planner.plan((now += 20)));
  if (moved.length !== Math.ceil(count / 10))
    throw new Error(`A tenth of ${count} should move, not ${moved.length}.`);
  // One less than all: the last one begins the next batch, which is a cost of its own.
  const batchReport = times(Math.min(reports, moved.length - 1), (i) => {
    const [machine] = moved.slice(i, i + 1);
    if (machine !== undefined) ready(machine, component);
  });

  putSet(planner, other, 2, smallBatch);
  let batch = write(planner.plan((now += 20)));
  const taken: number[] = [];
  for (let i = 0; i < smallBatches; i += 1) {
    const last = batch.pop();
    if (last === undefined || batch.length !== smallBatch - 1) throw new Error('No batch of ten was moved.');
    for (const machine of batch) ready(machine, other);
    const started = performance.now();
    const writes = ready(last, other);
    taken.push((performance.now() - started) * 1000);
    batch = write(writes);
  }
  const nextBatch = percentiles(taken);
  const views = machines.map((machine) => viewOfMachine(machine));
  const naive = times(naiveReports, (i) => {
    const index = (i * 7919) % count;
    views[index] = viewOfMachine(byName.get(machineName(index)) ?? machineOf(index));
    naivePlan(views, component, revisionOf(component, 2), Math.ceil(count / 10));
  });
  return { machines: count, report, batchReport, nextBatch, naive, objectBytes, plannerBytes };
}

function putSet(planner: Assignments, component: string, version: number, batch: number | string): void {
  const set = setOf(component, version, [batch]);
  planner.putSet(viewOfSet(set, set.spec.revision ?? ''));
}

/** A sixth of the runs first, unmeasured: the program gets fast as it runs. */
function times(count: number, work: (i: number) => void): Percentiles {
  const taken: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const started = performance.now();
    work(i);
    if (i >= count / 6) taken.push((performance.now() - started) * 1000);
  }
  return percentiles(taken);
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}

function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) console.log(JSON.stringify(measure(Number(process.argv[2]))));
