import { isSameMember, type Member, memberOf } from '../member/member.ts';
import type { Target, Targets } from '../member/wish.ts';
import { byComponent, decide } from '../member/select.ts';
import type { MachineView, RevisionView, SetView } from '../member/view.ts';
import { Tally } from '../rollout/tally.ts';

/** A component that belongs on a machine and is not in its list yet. */
export interface Awaited {
  readonly component: string;
  readonly set: string;
  /** What holds it up. */
  readonly why: string;
}

export interface FleetOptions {
  /** Machines are moved only to revisions that can't be deleted under them any more. @default false, for a look at what would be. */
  readonly needsFinalizer?: boolean;
}

interface Machine {
  view: MachineView;
  /** By component. */
  members: Map<string, Member>;
  /** How many components are awaited; undefined: not looked at yet. */
  awaited: number | undefined;
}

/**
 * What is known of all sets, revisions and machines, how each machine stands with the sets, and what of it has to be looked at anew. Kept up to
 * date piece by piece.
 */
export class Fleet {
  protected readonly sets = new Map<string, SetView>();
  protected readonly revisions = new Map<string, RevisionView>();
  protected readonly machines = new Map<string, Machine>();
  protected readonly tallies = new Map<string, Tally>();
  #byComponent: ReadonlyMap<string, readonly SetView[]> = new Map();
  /** What is to be looked at anew: by machine the components, undefined for all. */
  protected readonly dirtyMachines = new Map<string, Set<string> | undefined>();
  protected readonly dirtySets = new Set<string>();
  readonly #touched = new Set<string>();
  readonly #needsFinalizer: boolean;

  constructor({ needsFinalizer = false }: FleetOptions) {
    this.#needsFinalizer = needsFinalizer;
  }

  putMachine(view: MachineView): void {
    const machine = this.machines.get(view.name);
    if (machine === undefined) this.machines.set(view.name, { view, members: new Map(), awaited: undefined });
    else machine.view = view;
    this.dirtyMachines.set(view.name, undefined);
  }

  removeMachine(name: string): void {
    for (const component of this.machines.get(name)?.members.keys() ?? []) {
      this.#setMember(name, component, undefined);
    }
    for (const [set, tally] of this.tallies) if (tally.tied.delete(name)) this.dirtySets.add(set);
    this.machines.delete(name);
    this.dirtyMachines.delete(name);
  }

  putSet(view: SetView): void {
    const before = this.sets.get(view.name);
    this.storeSet(view);
    if (!this.tallies.has(view.name)) this.tallies.set(view.name, new Tally());
    this.dirtySets.add(view.name);
    if (before !== undefined && asksTheSame(before, view)) {
      if (before.status.currentRevision !== view.status.currentRevision) this.touchMembers(view.name);
      return;
    }
    this.#touchAll(view.component);
  }

  removeSet(name: string): void {
    const before = this.sets.get(name);
    if (before === undefined) return;
    this.sets.delete(name);
    this.tallies.delete(name);
    this.dirtySets.delete(name);
    this.#byComponent = byComponent(this.sets.values());
    this.#touchAll(before.component);
  }

  putRevision(view: RevisionView): void {
    this.revisions.set(view.name, view);
    this.#revisionChanged(view.name);
  }

  removeRevision(name: string): void {
    this.revisions.delete(name);
    this.#revisionChanged(name);
  }

  /** The API server has another version than before. */
  touchComponent(component: string): void {
    for (const { name } of this.#byComponent.get(component) ?? []) this.dirtySets.add(name);
  }

  /** What belongs on a machine and is not in its list; undefined where the machine is not known. */
  awaited(name: string): readonly Awaited[] | undefined {
    const machine = this.machines.get(name);
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
    for (const { view } of this.machines.values()) {
      if (view.entries.some((entry) => entry.revision === revision)) return true;
    }
    return false;
  }

  /** Works out anew how a machine stands with its sets, for some of the components or for all. */
  protected refresh(name: string, some?: Iterable<string>): void {
    const machine = this.machines.get(name);
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
          (set) => this.sets.get(set),
          (set) => this.targetsOf(set),
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
    const members = this.machines.get(machine)?.members;
    const before = members?.get(component);
    if (before !== undefined && before.set !== member?.set) {
      this.tallies.get(before.set)?.remove(machine);
      this.dirtySets.add(before.set);
    }
    if (member === undefined) {
      members?.delete(component);
      return;
    }
    if (before !== undefined && isSameMember(before, member)) return;
    members?.set(component, member);
    this.tallies.get(member.set)?.put(member);
    this.dirtySets.add(member.set);
  }

  #setTied(machine: string, set: string, names: readonly string[] | undefined): void {
    const tied = this.tallies.get(set)?.tied;
    const others = names?.filter((other) => other !== set);
    if (tied === undefined || tied.get(machine)?.join() === others?.join()) return;
    if (others === undefined) tied.delete(machine);
    else tied.set(machine, others);
    this.dirtySets.add(set);
  }

  protected targetsOf(set: SetView): Targets {
    return {
      update: this.#target(set, set.revision),
      completed: this.#target(set, set.status.currentRevision),
    };
  }

  /** Nobody is moved to a revision that does not exist, that goes, or that is one of another component. */
  #target(set: SetView, revision: string | undefined): Target | undefined {
    const view = this.revisions.get(revision ?? '');
    if (view === undefined || view.deleting || view.component !== set.component) return undefined;
    if (this.#needsFinalizer && !view.isKept) return undefined;
    return { revision: view.name, uid: view.uid };
  }

  protected storeSet(view: SetView): void {
    this.sets.set(view.name, view);
    this.#byComponent = byComponent(this.sets.values());
  }

  #touchAll(component: string): void {
    for (const name of this.machines.keys()) this.#touch(name, component);
  }

  #touch(name: string, component: string): void {
    const components = this.dirtyMachines.get(name);
    if (components !== undefined) components.add(component);
    else if (!this.dirtyMachines.has(name)) this.dirtyMachines.set(name, new Set([component]));
  }

  #revisionChanged(name: string): void {
    for (const set of this.sets.values()) {
      if (set.revision === name || set.status.currentRevision === name) {
        this.dirtySets.add(set.name);
        this.touchMembers(set.name);
      }
    }
  }

  protected touchMembers(set: string): void {
    const component = this.sets.get(set)?.component;
    if (component === undefined) return;
    for (const name of this.tallies.get(set)?.members.keys() ?? []) this.#touch(name, component);
  }
}

/** What it asks of its machines. Whether a deletion removes is known only after it has begun; no generation tells that. */
function asksTheSame(a: SetView, b: SetView): boolean {
  return a.generation === b.generation && a.deleting === b.deleting && a.removal === b.removal;
}

function isAwaited(member: Member): boolean {
  return !member.assigned && member.need !== 'None';
}
