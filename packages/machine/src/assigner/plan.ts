import type { MachineComponentEntry, MachineComponentSetStatus } from '@kubenode/api';
import type { Budget, Reservation } from '../budget/budget.ts';
import { permissiveBudget } from '../budget/permissive.ts';
import type { Inspections } from '../inspection/inspections.ts';
import { unanswered } from '../inspection/unanswered.ts';
import { setStatus } from '../machinecomponentset/plan.ts';
import type { SetView } from '../member/view.ts';
import type { Targets } from '../member/wish.ts';
import type { Move, RolloutPlan } from '../rollout/outcome.ts';
import { planRollout } from '../rollout/plan.ts';
import { holderOf } from '../rollout/reserve.ts';
import { skewOf } from '../rollout/skew.ts';
import type { Tally } from '../rollout/tally.ts';
import { Fleet, type FleetOptions } from './fleet.ts';
import { settleEntries, timeAfter } from './settle.ts';

/** What is to be written. */
export interface Writes {
  /** The whole list of a machine's components, by name of the machine. */
  readonly machines: ReadonlyMap<string, readonly MachineComponentEntry[]>;
  /** By name of the set. Only those that changed. */
  readonly sets: ReadonlyMap<string, MachineComponentSetStatus>;
  /** By name of the machine: grants that have to be written before its list is. */
  readonly reservations: ReadonlyMap<string, readonly Reservation[]>;
}

export interface AssignmentsOptions extends FleetOptions {
  /** @default permissiveBudget */
  readonly budget?: Budget;
  /** @default unanswered */
  readonly inspections?: Inspections;
  /** Version of the API server, undefined while it is not known; no kubelet is brought that is newer. @default kubelets are not looked at */
  readonly serverVersion?: () => string | undefined;
}

/**
 * What belongs on every machine, as a pure function of all sets, revisions and machines, kept up to date piece by piece: put in what
 * changed, and `plan` says what to write. No clock, and no effects but on reservations; a plan counts as written, until the machine is put in
 * anew.
 */
export class Assignments extends Fleet {
  readonly #options: AssignmentsOptions;
  readonly #budget: Budget;
  readonly #inspections: Inspections;
  /** When a set is to be looked at again although nothing has happened, epoch milliseconds. */
  readonly #looks = new Map<string, number>();
  /** When it was planned last, epoch milliseconds. */
  #now = 0;
  /** Sets that the budget has denied something. */
  readonly #denied = new Set<string>();

  constructor(options: AssignmentsOptions = {}) {
    super(options);
    this.#options = options;
    this.#budget = options.budget ?? permissiveBudget;
    this.#inspections = options.inspections ?? unanswered;
  }

  override removeSet(name: string): void {
    super.removeSet(name);
    this.#looks.delete(name);
    this.#denied.delete(name);
    this.#inspections.forget(name);
    this.#release(name, undefined);
  }

  /** The set is looked at anew with the next plan: an inspection has something to say. */
  touchSet(name: string): void {
    if (this.sets.has(name)) this.dirtySets.add(name);
  }

  /** The budget may grant more than before. */
  touchDenied(): void {
    for (const name of this.#denied) this.dirtySets.add(name);
  }

  /** When to plan again although nothing has happened, epoch milliseconds. */
  get nextLook(): number | undefined {
    let next: number | undefined;
    for (const at of this.#looks.values()) next = Math.min(next ?? at, at);
    return next;
  }

  /** @param now epoch milliseconds */
  plan(now: number): Writes {
    const writes = new Map<string, MachineComponentEntry[]>();
    const reservations = new Map<string, Reservation[]>();
    for (const [name, components] of this.dirtyMachines) this.#settle(name, components, now, writes);
    this.dirtyMachines.clear();

    // Where the clock was put back, what was to be seen at a time has to be thought of anew.
    for (const [name, at] of this.#looks) if (at <= now || now < this.#now) this.dirtySets.add(name);
    this.#now = now;
    // Before any set asks for more: what one gives back another may get.
    for (const name of this.dirtySets) this.#release(name, this.tallies.get(name));
    const statuses = new Map<string, MachineComponentSetStatus>();
    for (const name of this.dirtySets) {
      const set = this.sets.get(name);
      const tally = this.tallies.get(name);
      if (set === undefined || tally === undefined) continue;
      const targets = this.targetsOf(set);
      const plan = this.#planSet(set, tally, targets, now);
      for (const move of plan.moves) this.#move(move, now, writes, reservations);
      const { outcome } = plan;
      const revision = this.revisions.get(set.revision);
      const status = setStatus({ set, tally, targets, outcome, revision }, now);
      if (status === set.status) continue;
      statuses.set(name, status);
      this.storeSet({ ...set, status });
      if (status.currentRevision !== set.status.currentRevision) this.touchMembers(name);
    }
    this.dirtySets.clear();
    for (const [name, components] of this.dirtyMachines) this.refresh(name, components);
    this.dirtyMachines.clear();
    return { machines: writes, sets: statuses, reservations };
  }

  #planSet(set: SetView, tally: Tally, targets: Targets, now: number): RolloutPlan {
    const revision = this.revisions.get(set.revision);
    const { serverVersion } = this.#options;
    const plan = planRollout({
      set,
      tally,
      targets,
      now,
      budget: this.#budget,
      inspections: this.#inspections,
      obstacle: revision && serverVersion && skewOf(revision, serverVersion()),
      restarts: revision?.restarts ?? false,
      restartsBack: this.revisions.get(targets.completed?.revision ?? '')?.restarts ?? false,
    });
    if (plan.isAsking !== true) this.#inspections.forget(set.name);
    if (plan.isDenied === true) this.#denied.add(set.name);
    else this.#denied.delete(set.name);
    if (plan.lookAt === undefined) this.#looks.delete(set.name);
    else this.#looks.set(set.name, plan.lookAt);
    return plan;
  }

  /** Gives back the grants of machines that run what they were moved to, that failed, or that were not heard of until their deadline. */
  #release(set: string, tally: Tally | undefined): void {
    const holder = holderOf(set);
    for (const machine of this.#budget.held(holder)) {
      const member = tally?.members.get(machine);
      const isUnderWay = member?.assigned === true && !member.ready && !member.failed;
      if (member === undefined || !isUnderWay || tally?.isLate(member) === true)
        this.#budget.release(holder, machine);
    }
  }

  /** What needs no rollout, since it changes nothing on the host or was asked for already. */
  #settle(
    name: string,
    components: ReadonlySet<string> | undefined,
    now: number,
    writes: Map<string, MachineComponentEntry[]>,
  ): void {
    this.refresh(name, components);
    const machine = this.machines.get(name);
    if (machine === undefined || machine.view.paused) return;
    const entries = settleEntries(machine.view, machine.members, (set) => this.sets.get(set), now);
    if (entries === undefined) return;
    writes.set(name, entries);
    machine.view = { ...machine.view, entries };
    this.refresh(name);
  }

  #move(
    { member, rollout, batch, back, reservation }: Move,
    now: number,
    writes: Map<string, MachineComponentEntry[]>,
    reservations: Map<string, Reservation[]>,
  ): void {
    const machine = this.machines.get(member.machine);
    const before = machine?.view.entries.find((e) => e.name === member.component);
    const wanted =
      back === undefined || before === undefined
        ? member.wanted
        : { ...before, revision: back.revision, revisionUID: back.uid };
    if (machine === undefined || wanted === undefined) return;
    const entry: MachineComponentEntry = {
      ...wanted,
      ...(rollout === undefined || batch === undefined ? {} : { rollout, batch }),
      movedAt: timeAfter(before, now),
    };
    const others = machine.view.entries.filter((e) => e.name !== entry.name);
    const entries = [...others, entry].sort((a, b) => (a.name < b.name ? -1 : 1));
    writes.set(member.machine, entries);
    if (reservation?.granted.includes(member.machine) === true) {
      reservations.set(member.machine, [...(reservations.get(member.machine) ?? []), reservation]);
    }
    machine.view = { ...machine.view, entries };
    this.refresh(member.machine, [member.component]);
  }
}
