/** What a rollout would do, by the operator's own planner before a copy of the fleet that behaves well. No effects. */
import type {
  Machine,
  MachineComponent,
  MachineComponentSet,
  MachineComponentSetStatus,
  NodeDisruptionBudget,
} from '@kubenode/api';
import {
  Assignments,
  type Inspections,
  revisionOf,
  viewOfMachine,
  viewOfRevision,
  viewOfSet,
} from '@kubenode/machine';
import { asking, obeyed, told } from './agents.ts';
import { SimulatedBudget } from './budget.ts';

export interface Given {
  /** The set as it would be. */
  readonly set: MachineComponentSet;
  /** The other sets of the component. */
  readonly others: readonly MachineComponentSet[];
  readonly machines: readonly Machine[];
  readonly revisions: readonly MachineComponent[];
  readonly budget: NodeDisruptionBudget | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** How long a machine takes from being told to being Ready, milliseconds. */
  readonly settleMs: number;
}

export interface PreviewBatch {
  /** Counted from 1; 0: machines new to the component, that need not wait for a batch. */
  readonly number: number;
  readonly machines: readonly string[];
  /** When its first machine is moved, milliseconds from now. */
  readonly afterMs: number;
}

export interface Simulated {
  readonly batches: readonly PreviewBatch[];
  /** Milliseconds until the end, or until nothing happens any more. */
  readonly durationMs: number;
  readonly isDone: boolean;
  /** What the planner says of the set at the end. */
  readonly status: MachineComponentSetStatus;
  /** Milliseconds in which nothing moved because the disruption budget denied it. */
  readonly heldByBudgetMs: number;
}

/** No rollout that goes on needs as many: a guard against a planner that goes round in circles. */
const mostRounds = 200_000;

export function simulate(given: Given): Simulated {
  return new Simulation(given).run();
}

class Simulation {
  readonly #given: Given;
  readonly #assignments: Assignments;
  readonly #budget: SimulatedBudget;
  readonly #machines: Map<string, Machine>;
  readonly #sets: Map<string, MachineComponentSet>;
  readonly #batches = new Map<number, { machines: string[]; afterMs: number }>();
  /** When machines are Ready, by name, epoch milliseconds. */
  readonly #ready = new Map<string, number>();
  /** Machines whose agents wait for leave to be drained or rebooted. */
  readonly #asking = new Set<string>();
  readonly #leave: 'Drain' | 'Reboot' | undefined;
  #now: number;

  constructor(given: Given) {
    this.#given = given;
    this.#now = given.now;
    this.#budget = new SimulatedBudget(given.budget, given.machines);
    this.#machines = new Map(given.machines.map((machine) => [machine.metadata.name, machine]));
    this.#sets = new Map([given.set, ...given.others].map((set) => [set.metadata.name, set]));
    const disruption = given.revisions.find(({ metadata }) => metadata.name === revisionOf(given.set))?.spec
      .disruption;
    this.#leave = disruption === 'Drain' || disruption === 'Reboot' ? disruption : undefined;
    this.#assignments = new Assignments({ budget: this.#budget, inspections: this.#passing() });
    for (const { metadata, spec } of given.revisions) {
      this.#assignments.putRevision(
        viewOfRevision({
          metadata,
          component: spec.component,
          version: spec.version,
          disruption: spec.disruption,
          hasUnit: spec.unit !== undefined,
          set: undefined,
        }),
      );
    }
    for (const machine of given.machines) this.#assignments.putMachine(viewOfMachine(machine));
    for (const set of this.#sets.values()) this.#assignments.putSet(viewOfSet(set, revisionOf(set)));
  }

  run(): Simulated {
    for (let round = 0; round < mostRounds; round += 1) {
      const isLookedAtAgain = this.#plan();
      this.#giveLeave();
      const next = isLookedAtAgain ? this.#now : this.#nextTime();
      if (next === undefined) break;
      this.#advance(next);
    }
    const status = this.#sets.get(this.#given.set.metadata.name)?.status ?? {};
    const batches = [...this.#batches].map(([number, batch]) => ({ number, ...batch }));
    return {
      batches,
      durationMs: this.#now - this.#given.now,
      isDone:
        status.batch?.state === 'Done' ||
        (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      status,
      heldByBudgetMs: this.#budget.heldMs,
    };
  }

  /** One look of the planner. @returns whether it has to look again at once */
  #plan(): boolean {
    this.#budget.forgetDenial();
    // What was given back since, or by the passing of time, may be had now.
    this.#assignments.touchDenied();
    const writes = this.#assignments.plan(this.#now);
    for (const [name, entries] of writes.machines) {
      const before = this.#machines.get(name);
      if (before === undefined) continue;
      const machine = told(before, entries);
      this.#put(machine);
      this.#note(before, machine);
    }
    for (const [name, status] of writes.sets) {
      const set = this.#sets.get(name);
      if (set === undefined) continue;
      const written = { ...set, status };
      this.#sets.set(name, written);
      this.#assignments.putSet(viewOfSet(written, revisionOf(written)));
    }
    return writes.machines.size > 0;
  }

  /** A machine was told something: its agent begins. */
  #note(before: Machine, machine: Machine): void {
    const { set } = this.#given;
    const { name } = machine.metadata;
    const find = ({ spec }: Machine) => spec.components?.find((entry) => entry.name === set.spec.component);
    const entry = find(machine);
    if (entry?.movedAt === find(before)?.movedAt && entry?.state === find(before)?.state) return;
    const isFresh =
      before.status?.components?.every((component) => component.name !== set.spec.component) ?? true;
    if (this.#leave !== undefined && !isFresh) {
      this.#asking.add(name);
      this.#put(asking(machine, set.spec.component, this.#leave, this.#now));
    } else this.#ready.set(name, this.#now + this.#given.settleMs);
    if (entry?.set !== set.metadata.name) return;
    const number = entry.rollout === undefined ? 0 : (entry.batch ?? 0);
    const batch = this.#batches.get(number) ?? { machines: [], afterMs: this.#now - this.#given.now };
    batch.machines.push(name);
    this.#batches.set(number, batch);
  }

  #put(machine: Machine): void {
    this.#machines.set(machine.metadata.name, machine);
    this.#assignments.putMachine(viewOfMachine(machine));
  }

  #giveLeave(): void {
    const kind = this.#leave;
    if (kind === undefined) return;
    for (const machine of this.#asking) {
      const wants = [{ holder: `machine/${machine}`, machine, kind }];
      if (this.#budget.reserve(wants, this.#now).granted.length === 0) return;
      this.#asking.delete(machine);
      this.#ready.set(machine, this.#now + this.#given.settleMs);
    }
  }

  /** When something happens next. */
  #nextTime(): number | undefined {
    const denied = this.#budget.deniedUntil;
    const times = [...this.#ready.values(), this.#assignments.nextLook, denied].filter(
      (at): at is number => at !== undefined && at > this.#now,
    );
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
  }

  #advance(to: number): void {
    this.#budget.waited(to - this.#now, this.#ready.size > 0);
    this.#now = to;
    for (const [name, at] of this.#ready) {
      if (at > to) continue;
      this.#ready.delete(name);
      this.#budget.release(`machine/${name}`, name);
      const before = this.#machines.get(name);
      if (before === undefined) continue;
      this.#put(obeyed(before, this.#given.set.spec.component, to));
    }
    this.#assignments.touchDenied();
  }

  /** Inspections that are answered at once, and pass. */
  #passing(): Inspections {
    return {
      verdicts: (batch, inspections) =>
        new Map(
          inspections.map(({ name }) => [
            name,
            {
              result: 'Passed' as const,
              at: Math.max(this.#now, batch.evidenceAfter + 1),
              message: 'taken to pass',
            },
          ]),
        ),
      forget: () => undefined,
      onChange: () => undefined,
    };
  }
}
