import type { MachineComponentEntry, MachineComponentSetStatus } from '@kubenode/api';
import type { Budget, Reservation } from '../budget/budget.ts';
import { permissiveBudget } from '../budget/permissive.ts';
import type { Inspections } from '../inspection/inspections.ts';
import { unanswered } from '../inspection/unanswered.ts';
import { setStatus } from '../machinecomponentset/plan.ts';
import { isSameMember, type Member, memberOf, type Target, type Targets } from '../member/member.ts';
import { holderOf } from '../rollout/reserve.ts';
import type { Move, RolloutPlan } from '../rollout/outcome.ts';
import { planRollout } from '../rollout/plan.ts';
import { byComponent, decide } from '../member/select.ts';
import { settleEntries, timeAfter } from './settle.ts';
import { skewOf } from '../rollout/skew.ts';
import { Tally } from '../rollout/tally.ts';
import type { MachineView, RevisionView, SetView } from '../member/view.ts';

/** What is to be written. */
export interface Writes {
  /** The whole list of a machine's components, by name of the machine. */
  readonly machines: ReadonlyMap<string, readonly MachineComponentEntry[]>;
  /** By name of the set. Only those that changed. */
  readonly sets: ReadonlyMap<string, MachineComponentSetStatus>;
  /** By name of the machine: grants that have to be written before its list is. */
  readonly reservations: ReadonlyMap<string, readonly Reservation[]>;
}

export interface AssignmentsOptions {
  /** Machines are moved only to revisions that can't be deleted under them any more. @default false, for a look at what would be. */
  readonly needsFinalizer?: boolean;
  /** @default permissiveBudget */
  readonly budget?: Budget;
  /** @default unanswered */
  readonly inspections?: Inspections;
  /** Version of the API server, undefined while it is not known; no kubelet is brought that is newer. @default kubelets are not looked at */
  readonly serverVersion?: () => string | undefined;
}

/** A component that belongs on a machine and is not in its list yet. */
export interface Awaited {
  readonly component: string;
  readonly set: string;
  /** What holds it up. */
  readonly why: string;
}

interface Machine {
  view: MachineView;
  /** By component. */
  members: Map<string, Member>;
  /** How many components are awaited; undefined: not looked at yet. */
  awaited: number | undefined;
}

/**
 * What belongs on every machine, as a pure function of all sets, revisions and machines, kept up to date piece by piece: put in what
 * changed, and `plan` says what to write. No clock, and no effects but on reservations; a plan counts as written, until the machine is put in
 * anew.
 */
export class Assignments {
  readonly #options: AssignmentsOptions;
  readonly #budget: Budget;
  readonly #inspections: Inspections;
  readonly #sets = new Map<string, SetView>();
  readonly #revisions = new Map<string, RevisionView>();
  readonly #machines = new Map<string, Machine>();
  readonly #tallies = new Map<string, Tally>();
  #byComponent: ReadonlyMap<string, readonly SetView[]> = new Map();
  /** What is to be looked at anew: by machine the components, undefined for all. */
  readonly #dirtyMachines = new Map<string, Set<string> | undefined>();
  readonly #dirtySets = new Set<string>();
  readonly #touched = new Set<string>();

  /** When a set is to be looked at again although nothing has happened, epoch milliseconds. */
  readonly #looks = new Map<string, number>();
  /** When it was planned last, epoch milliseconds. */
  #now = 0;
  /** Sets that the budget has denied something. */
  readonly #denied = new Set<string>();

  constructor(options: AssignmentsOptions = {}) {
    this.#options = options;
    this.#budget = options.budget ?? permissiveBudget;
    this.#inspections = options.inspections ?? unanswered;
  }

  putMachine(view: MachineView): void {
    const machine = this.#machines.get(view.name);
    if (machine === undefined)
      this.#machines.set(view.name, { view, members: new Map(), awaited: undefined });
    else machine.view = view;
    this.#dirtyMachines.set(view.name, undefined);
  }

  removeMachine(name: string): void {
    for (const component of this.#machines.get(name)?.members.keys() ?? []) {
      this.#setMember(name, component, undefined);
    }
    for (const [set, tally] of this.#tallies) if (tally.tied.delete(name)) this.#dirtySets.add(set);
    this.#machines.delete(name);
    this.#dirtyMachines.delete(name);
  }

  putSet(view: SetView): void {
    const before = this.#sets.get(view.name);
    this.#storeSet(view);
    if (!this.#tallies.has(view.name)) this.#tallies.set(view.name, new Tally());
    this.#dirtySets.add(view.name);
    if (before !== undefined && asksTheSame(before, view)) {
      if (before.status.currentRevision !== view.status.currentRevision) this.#touchMembers(view.name);
      return;
    }
    this.#touchAll(view.component);
  }

  removeSet(name: string): void {
    const before = this.#sets.get(name);
    if (before === undefined) return;
    this.#sets.delete(name);
    this.#tallies.delete(name);
    this.#dirtySets.delete(name);
    this.#looks.delete(name);
    this.#denied.delete(name);
    this.#inspections.forget(name);
    this.#release(name, undefined);
    this.#byComponent = byComponent(this.#sets.values());
    this.#touchAll(before.component);
  }

  putRevision(view: RevisionView): void {
    this.#revisions.set(view.name, view);
    this.#revisionChanged(view.name);
  }

  removeRevision(name: string): void {
    this.#revisions.delete(name);
    this.#revisionChanged(name);
  }

  /** The set is looked at anew with the next plan: an inspection has something to say. */
  touchSet(name: string): void {
    if (this.#sets.has(name)) this.#dirtySets.add(name);
  }

  /** The budget may grant more than before. */
  touchDenied(): void {
    for (const name of this.#denied) this.#dirtySets.add(name);
  }

  /** The API server has another version than before. */
  touchComponent(component: string): void {
    for (const { name } of this.#byComponent.get(component) ?? []) this.#dirtySets.add(name);
  }

  /** When to plan again although nothing has happened, epoch milliseconds. */
  get nextLook(): number | undefined {
    let next: number | undefined;
    for (const at of this.#looks.values()) next = Math.min(next ?? at, at);
    return next;
  }

  /** What belongs on a machine and is not in its list; undefined where the machine is not known. */
  awaited(name: string): readonly Awaited[] | undefined {
    const machine = this.#machines.get(name);
    if (machine === undefined) return undefined;
    return [...machine.members.values()].filter(isAwaited).map(({ component, set, blocked }) => ({
      component,
      set,
      why: blocked ?? 'its turn in the rollout has not come',
    }));
  }

  /** The machines of which `awaited` tells something else since this was asked last. */
  takeTouched(): string[] {
    const touched = [...this.#touched];
    this.#touched.clear();
    return touched;
  }

  /** Some machine has the revision in its list. Looks at every machine: for rare questions. */
  names(revision: string): boolean {
    for (const { view } of this.#machines.values()) {
      if (view.entries.some((entry) => entry.revision === revision)) return true;
    }
    return false;
  }

  /** @param now epoch milliseconds */
  plan(now: number): Writes {
    const writes = new Map<string, MachineComponentEntry[]>();
    const reservations = new Map<string, Reservation[]>();
    for (const [name, components] of this.#dirtyMachines) this.#settle(name, components, now, writes);
    this.#dirtyMachines.clear();

    // Where the clock was put back, what was to be seen at a time has to be thought of anew.
    for (const [name, at] of this.#looks) if (at <= now || now < this.#now) this.#dirtySets.add(name);
    this.#now = now;
    // Before any set asks for more: what one gives back another may get.
    for (const name of this.#dirtySets) this.#release(name, this.#tallies.get(name));
    const statuses = new Map<string, MachineComponentSetStatus>();
    for (const name of this.#dirtySets) {
      const set = this.#sets.get(name);
      const tally = this.#tallies.get(name);
      if (set === undefined || tally === undefined) continue;
      const targets = this.#targetsOf(set);
      const plan = this.#planSet(set, tally, targets, now);
      for (const move of plan.moves) this.#move(move, now, writes, reservations);
      const { outcome } = plan;
      const revision = this.#revisions.get(set.revision);
      const status = setStatus({ set, tally, targets, outcome, revision }, now);
      if (status === set.status) continue;
      statuses.set(name, status);
      this.#storeSet({ ...set, status });
      if (status.currentRevision !== set.status.currentRevision) this.#touchMembers(name);
    }
    this.#dirtySets.clear();
    for (const [name, components] of this.#dirtyMachines) this.#refresh(name, components);
    this.#dirtyMachines.clear();
    return { machines: writes, sets: statuses, reservations };
  }

  #planSet(set: SetView, tally: Tally, targets: Targets, now: number): RolloutPlan {
    const revision = this.#revisions.get(set.revision);
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
      restartsBack: this.#revisions.get(targets.completed?.revision ?? '')?.restarts ?? false,
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
    this.#refresh(name, components);
    const machine = this.#machines.get(name);
    if (machine === undefined || machine.view.paused) return;
    const entries = settleEntries(machine.view, machine.members, (set) => this.#sets.get(set), now);
    if (entries === undefined) return;
    writes.set(name, entries);
    machine.view = { ...machine.view, entries };
    this.#refresh(name);
  }

  #move(
    { member, rollout, batch, back, reservation }: Move,
    now: number,
    writes: Map<string, MachineComponentEntry[]>,
    reservations: Map<string, Reservation[]>,
  ): void {
    const machine = this.#machines.get(member.machine);
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
    this.#refresh(member.machine, [member.component]);
  }

  /** Works out anew how a machine stands with its sets, for some of the components or for all. */
  #refresh(name: string, some?: Iterable<string>): void {
    const machine = this.#machines.get(name);
    if (machine === undefined) return;
    const { view, members } = machine;
    const all = (): Set<string> =>
      new Set([...this.#byComponent.keys(), ...members.keys(), ...view.entries.map((e) => e.name)]);
    for (const component of some ?? all()) {
      const sets = this.#byComponent.get(component) ?? [];
      const decision = decide(view.labels, sets);
      this.#setMember(
        name,
        component,
        memberOf(
          view,
          component,
          decision,
          (set) => this.#sets.get(set),
          (set) => this.#targetsOf(set),
        ),
      );
      for (const set of sets) {
        const isTied = decision?.kind === 'Tie' && decision.sets.includes(set) && !view.deleting;
        this.#setTied(name, set.name, isTied ? decision.sets.map((s) => s.name) : undefined);
      }
    }
    let awaited = 0;
    for (const member of members.values()) if (isAwaited(member)) awaited += 1;
    if (machine.awaited !== awaited) this.#touched.add(name);
    machine.awaited = awaited;
  }

  #setMember(machine: string, component: string, member: Member | undefined): void {
    const members = this.#machines.get(machine)?.members;
    const before = members?.get(component);
    if (before !== undefined && before.set !== member?.set) {
      this.#tallies.get(before.set)?.remove(machine);
      this.#dirtySets.add(before.set);
    }
    if (member === undefined) {
      members?.delete(component);
      return;
    }
    if (before !== undefined && isSameMember(before, member)) return;
    members?.set(component, member);
    this.#tallies.get(member.set)?.put(member);
    this.#dirtySets.add(member.set);
  }

  #setTied(machine: string, set: string, names: readonly string[] | undefined): void {
    const tied = this.#tallies.get(set)?.tied;
    const others = names?.filter((other) => other !== set);
    if (tied === undefined || tied.get(machine)?.join() === others?.join()) return;
    if (others === undefined) tied.delete(machine);
    else tied.set(machine, others);
    this.#dirtySets.add(set);
  }

  #targetsOf(set: SetView): Targets {
    return {
      update: this.#target(set, set.revision),
      completed: this.#target(set, set.status.currentRevision),
    };
  }

  /** Nobody is moved to a revision that does not exist, that goes, or that is one of another component. */
  #target(set: SetView, revision: string | undefined): Target | undefined {
    const view = this.#revisions.get(revision ?? '');
    if (view === undefined || view.deleting || view.component !== set.component) return undefined;
    if (this.#options.needsFinalizer === true && !view.isKept) return undefined;
    return { revision: view.name, uid: view.uid };
  }

  #storeSet(view: SetView): void {
    this.#sets.set(view.name, view);
    this.#byComponent = byComponent(this.#sets.values());
  }

  #touchAll(component: string): void {
    for (const name of this.#machines.keys()) this.#touch(name, component);
  }

  #touch(name: string, component: string): void {
    const components = this.#dirtyMachines.get(name);
    if (components !== undefined) components.add(component);
    else if (!this.#dirtyMachines.has(name)) this.#dirtyMachines.set(name, new Set([component]));
  }

  #revisionChanged(name: string): void {
    for (const set of this.#sets.values()) {
      if (set.revision === name || set.status.currentRevision === name) {
        this.#dirtySets.add(set.name);
        this.#touchMembers(set.name);
      }
    }
  }

  #touchMembers(set: string): void {
    const component = this.#sets.get(set)?.component;
    if (component === undefined) return;
    for (const name of this.#tallies.get(set)?.members.keys() ?? []) this.#touch(name, component);
  }
}

/** What it asks of its machines. Whether a deletion removes is known only after it has begun; no generation tells that. */
function asksTheSame(a: SetView, b: SetView): boolean {
  return a.generation === b.generation && a.deleting === b.deleting && a.removal === b.removal;
}

function isAwaited(member: Member): boolean {
  return !member.assigned && member.need !== 'None';
}
