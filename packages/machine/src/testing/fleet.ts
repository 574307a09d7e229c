import type {
  Condition,
  Machine,
  MachineComponentEntry,
  MachineComponentSet,
  MachineComponentStatus,
  Rollout,
} from '@kubenode/api';
import { Assignments, type Writes } from '../assigner/plan.ts';
import { viewOfMachine, viewOfSet } from '../member/view.ts';
import type { NodeProblem } from '../machine/node.ts';
import { FakeBudget, FakeInspections } from './fakes.ts';

type SetSpec = Partial<Omit<MachineComponentSet['spec'], 'rollout'>> & {
  /** What is left out is as in `usualRollout`. */
  readonly rollout?: Partial<Rollout>;
};

/** A rollout that looks at nothing but the machines. */
export const usualRollout: Rollout = {
  batches: [1, 5, 10, 50, 100],
  maxUnavailable: '100%',
  inspections: [],
  observation: '0s',
  deadline: '30m',
  maxFailed: 0,
  onFailure: 'Pause',
  windows: [],
};

/**
 * What an agent does with what it is told. Failed: whatever is new to it fails, for good; Retrying: and it will try again by itself.
 * Degraded: what it runs now does not work. Slow: it has not read it yet. Silent: not heard of any more. None: never heard of.
 */
export type AgentBehaviour = 'Ready' | 'Failed' | 'Retrying' | 'Degraded' | 'Slow' | 'Silent' | 'None';

/** What every agent does with a revision, whatever it does otherwise. */
export type Badness = 'Failed' | 'Retrying' | 'Hangs';

/** How a machine's leave to be disturbed may stand. */
export type LeaveState = NonNullable<NonNullable<Machine['status']>['disruption']>['state'];

interface KnownRevision {
  readonly name: string;
  readonly uid: string;
  readonly component: string;
  readonly version: string;
  readonly restarts: boolean;
}

/**
 * A fleet as the assigner sees it: objects that tests change by hand, agents that do as they are told, and a clock. What is planned is
 * written back into the objects, as the API would have it.
 */
export class Fleet {
  now = Date.parse('2026-03-01T10:00:00Z');
  readonly machines = new Map<string, Machine>();
  readonly sets = new Map<string, MachineComponentSet>();
  readonly agents = new Map<string, AgentBehaviour>();
  readonly budget = new FakeBudget();
  readonly inspections = new FakeInspections(() => this.now);
  /** Revisions that are no good. */
  readonly bad = new Map<string, Badness>();
  /** Revisions that agents bring in only on a drained machine. */
  readonly drains = new Set<string>();
  /** By machine: what is wrong with its Node. */
  readonly nodeProblems = new Map<string, readonly NodeProblem[]>();
  /** Machines whose Node is not Ready, and since when, epoch milliseconds. */
  readonly brokenNodes = new Map<string, number>();
  /** Version of the API server; undefined: not known. */
  serverVersion: string | undefined = 'v1.36.3';
  readonly #revisions = new Map<string, KnownRevision>();
  assignments = this.#assignments();
  /** How many machines were written since the start. */
  writes = 0;

  machine(name: string, labels: Record<string, string> = {}, agent: AgentBehaviour = 'Ready'): this {
    this.agents.set(name, agent);
    const machine: Machine = {
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'Machine',
      metadata: { name, uid: `uid-${name}`, generation: 1, labels },
      spec: { deletionPolicy: 'Retain', paused: false, components: [] },
      status: { components: [] },
    };
    this.machines.set(name, machine);
    this.#publish(name);
    return this;
  }

  pool(count: number, labels: Record<string, string> = {}, agent: AgentBehaviour = 'Ready'): this {
    for (let i = 1; i <= count; i += 1) this.machine(`n${i}`, labels, agent);
    return this;
  }

  revision(name: string, component = name.split('-')[0] ?? '', uid = `uid-${name}`, restarts = false): this {
    const version = name.slice(component.length + 1);
    const known = { name, uid, component, version, restarts };
    this.#revisions.set(name, known);
    this.assignments.putRevision({ ...known, deleting: false, isKept: true });
    return this;
  }

  set(name: string, spec: SetSpec = {}): this {
    const before = this.sets.get(name);
    const set: MachineComponentSet = {
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'MachineComponentSet',
      metadata: { name, uid: `uid-${name}`, generation: (before?.metadata.generation ?? 0) + 1 },
      spec: {
        component: 'runc',
        priority: 0,
        variables: [],
        drift: 'Repair',
        removal: 'Retain',
        paused: false,
        retryToken: '',
        promote: '',
        ...before?.spec,
        ...spec,
        rollout: { ...usualRollout, ...before?.spec.rollout, ...spec.rollout },
      },
      ...(before?.status && { status: before.status }),
    };
    this.sets.set(name, set);
    this.assignments.putSet(viewOfSet(set, set.spec.revision ?? ''));
    return this;
  }

  /** Gone, without a trace. */
  removeMachine(name: string): this {
    this.machines.delete(name);
    this.agents.delete(name);
    this.assignments.removeMachine(name);
    return this;
  }

  deleteSet(name: string): this {
    this.sets.delete(name);
    this.assignments.removeSet(name);
    return this;
  }

  /** Marked for deletion, held by its finalizer. */
  terminateSet(name: string): this {
    const set = this.#set(name);
    set.metadata.deletionTimestamp = new Date(this.now).toISOString();
    this.assignments.putSet(viewOfSet(set, set.spec.revision ?? ''));
    return this;
  }

  label(name: string, labels: Record<string, string>): this {
    const machine = this.#machine(name);
    machine.metadata.labels = labels;
    this.#publish(name);
    return this;
  }

  change(name: string, change: (machine: Machine) => void): this {
    change(this.#machine(name));
    this.#publish(name);
    return this;
  }

  agent(name: string, behaviour: AgentBehaviour): this {
    this.agents.set(name, behaviour);
    this.#act(name);
    return this;
  }

  /** How the machine's leave to be disturbed stands; undefined: it has none. */
  leave(name: string, state: LeaveState | undefined): this {
    const { disruption: before, ...status } = this.#machine(name).status ?? {};
    const since = new Date(this.now).toISOString();
    const begunAt = before?.begunAt ?? (state === 'Waiting' ? undefined : since);
    const disruption = state && {
      kind: 'Drain' as const,
      state,
      id: 'l1',
      since,
      ...(begunAt === undefined ? {} : { begunAt }),
    };
    this.#machine(name).status = { ...status, ...(disruption && { disruption }) };
    this.#act(name);
    return this;
  }

  /** One look of the assigner: what it writes is written. */
  plan(): Writes {
    this.now += 1000;
    const writes = this.assignments.plan(this.now);
    for (const [name, entries] of writes.machines) {
      // Another writer of the ledger was faster: nothing of it is written, and it is decided anew.
      if ((writes.reservations.get(name) ?? []).some((grant) => this.budget.voided.has(grant))) continue;
      const machine = this.#machine(name);
      machine.spec.components = [...entries];
      machine.metadata.generation = (machine.metadata.generation ?? 0) + 1;
      this.writes += 1;
    }
    for (const [name, status] of writes.sets) this.#set(name).status = status;
    for (const name of writes.machines.keys()) this.#publish(name);
    for (const name of writes.sets.keys()) {
      const set = this.#set(name);
      this.assignments.putSet(viewOfSet(set, set.spec.revision ?? ''));
    }
    return writes;
  }

  /** Every agent does what its Machine says, and tells. */
  act(): this {
    for (const name of this.machines.keys()) this.#act(name);
    return this;
  }

  /** Plans and acts until nothing more happens. Returns the names of the machines moved in each round, sorted. */
  run(rounds = 60): string[][] {
    const moved: string[][] = [];
    for (let round = 0; round < rounds; round += 1) {
      const writes = this.plan();
      if (writes.machines.size > 0) moved.push([...writes.machines.keys()].sort());
      const before = this.reports();
      this.act();
      if (writes.machines.size === 0 && writes.sets.size === 0 && before === this.reports()) return moved;
    }
    throw new Error(`the fleet did not come to rest in ${rounds} rounds`);
  }

  entry(machine: string, component = 'runc'): MachineComponentEntry | undefined {
    return this.#machine(machine).spec.components?.find((entry) => entry.name === component);
  }

  /** `n1:runc-1` for every machine that has the component, in order. */
  revisions(component = 'runc'): string[] {
    return [...this.machines.keys()].flatMap((name) => {
      const entry = this.entry(name, component);
      return entry === undefined
        ? []
        : `${name}:${entry.revision}${entry.state === 'Absent' ? ' Absent' : ''}`;
    });
  }

  condition(set: string, type: string): { status: string; reason: string; message: string } | undefined {
    return this.#set(set).status?.conditions?.find((condition) => condition.type === type);
  }

  /** Another process takes over, with nothing but the objects and, if given, no more than these revisions. */
  restart(revisions?: readonly string[]): this {
    this.assignments = this.#assignments();
    for (const revision of revisions ?? []) this.revision(revision);
    if (revisions === undefined) {
      for (const known of this.#revisions.values()) {
        this.assignments.putRevision({ ...known, deleting: false, isKept: true });
      }
    }
    for (const set of this.sets.values()) {
      this.assignments.putSet(viewOfSet(set, set.spec.revision ?? ''));
    }
    for (const name of this.machines.keys()) this.#put(name);
    return this;
  }

  /** The same objects, before another process that knows nothing else. */
  twin(revisions: readonly string[]): Fleet {
    const twin = new Fleet();
    twin.now = this.now;
    for (const [name, machine] of this.machines) twin.machines.set(name, structuredClone(machine));
    for (const [name, set] of this.sets) twin.sets.set(name, structuredClone(set));
    for (const [name, behaviour] of this.agents) twin.agents.set(name, behaviour);
    return twin.restart(revisions);
  }

  #assignments(): Assignments {
    const { budget, inspections } = this;
    const made = new Assignments({ budget, inspections, serverVersion: () => this.serverVersion });
    budget.onChange(() => made.touchDenied());
    inspections.onChange((set) => made.touchSet(set));
    return made;
  }

  #put(name: string): void {
    this.assignments.putMachine(viewOfMachine(this.#machine(name), this.nodeProblems.get(name)));
  }

  reports(): string {
    return JSON.stringify([...this.machines.values()].map((machine) => machine.status?.components));
  }

  #act(name: string): void {
    const behaviour = this.agents.get(name);
    if (behaviour !== undefined && behaviour !== 'Slow' && behaviour !== 'Silent' && behaviour !== 'None') {
      const machine = this.#machine(name);
      const before = new Map((machine.status?.components ?? []).map((c) => [c.name, c]));
      const kept = (machine.spec.components ?? []).filter((entry) => entry.state === 'Present');
      // What has no entry any more is held as it is.
      if (
        behaviour === 'Degraded' &&
        kept.some((entry) => before.get(entry.name)?.running !== entry.revision)
      )
        this.agents.set(name, 'Ready');
      const named = new Set((machine.spec.components ?? []).map((entry) => entry.name));
      const held = [...before.values()].filter((component) => !named.has(component.name));
      machine.status = {
        ...machine.status,
        components: [
          ...kept.map((entry) =>
            this.#report(entry, before.get(entry.name), behaviour, machine.status?.disruption?.state),
          ),
          ...held,
        ],
      };
    }
    this.#publish(name);
  }

  #publish(name: string): void {
    const machine = this.#machine(name);
    const behaviour = this.agents.get(name);
    const at = new Date(this.now).toISOString();
    const told = machine.status?.conditions ?? [];
    const condition = (type: string, reason: string, observedGeneration = 0) => {
      const before = told.find((found) => found.type === type && found.reason === reason);
      const lastTransitionTime = before?.lastTransitionTime ?? at;
      return { type, status: 'True' as const, reason, message: '', lastTransitionTime, observedGeneration };
    };
    const reported = behaviour === 'Slow' ? 1 : (machine.metadata.generation ?? 0);
    machine.status = {
      ...machine.status,
      conditions:
        behaviour === 'None'
          ? []
          : [
              condition('AgentReady', 'Connected'),
              condition('ComponentsReady', 'Ready', reported),
              condition('Ready', behaviour === 'Silent' ? 'AgentUnreachable' : 'Ready'),
              ...(machine.spec.nodeName === undefined ? [] : [this.#nodeReady(name)]),
            ],
    };
    this.#put(name);
  }

  #report(
    entry: MachineComponentEntry,
    before: MachineComponentStatus | undefined,
    behaviour: AgentBehaviour,
    leave: LeaveState | undefined,
  ): MachineComponentStatus {
    const isNew = before?.running !== entry.revision;
    const asks = isNew && before?.running !== undefined && this.drains.has(entry.revision);
    const badness = isNew ? this.bad.get(entry.revision) : undefined;
    const how = asks && leave !== 'Granted' ? 'Asks' : (badness ?? behaviour);
    const told = report(entry, before, how, this.now);
    // From when it waits until it is done.
    const isDone = told.state === 'Ready' || told.state === 'Failed';
    const status = asks && !isDone ? { ...told, asks: 'Drain' as const } : told;
    const isSame = before?.state === status.state && before.movedAt === status.movedAt;
    return { ...status, since: (isSame ? before.since : undefined) ?? new Date(this.now).toISOString() };
  }

  #nodeReady(name: string): Condition {
    const broken = this.brokenNodes.get(name);
    return {
      type: 'NodeReady',
      status: broken === undefined ? 'True' : 'False',
      reason: broken === undefined ? 'NodeReady' : 'NodeNotReady',
      message: broken === undefined ? '' : 'container runtime is down',
      lastTransitionTime: new Date(broken ?? 0).toISOString(),
    };
  }

  #machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  #set(name: string): MachineComponentSet {
    const set = this.sets.get(name);
    if (set === undefined) throw new Error(`there is no set ${name}`);
    return set;
  }
}

function report(
  entry: MachineComponentEntry,
  before: MachineComponentStatus | undefined,
  behaviour: AgentBehaviour | Badness | 'Asks',
  now: number,
): MachineComponentStatus {
  const lastGood = before?.lastGood;
  const echo = {
    name: entry.name,
    desired: entry.revision,
    ...(entry.movedAt === undefined ? {} : { movedAt: entry.movedAt }),
  };
  const kept = lastGood === undefined ? {} : { running: lastGood, lastGood };
  if (behaviour === 'Asks') return { ...echo, ...kept, state: 'Waiting', message: 'waits for leave' };
  if (behaviour === 'Hangs') return { ...echo, ...kept, state: 'Installing', message: 'step start' };
  const isThere = behaviour === 'Ready' || behaviour === 'Degraded' || before?.running === entry.revision;
  const there = { ...echo, running: entry.revision, lastGood: entry.revision };
  if (behaviour === 'Degraded' && before?.running === entry.revision)
    return { ...there, state: 'Degraded', message: 'probe socket: refused' };
  if (isThere) return { ...there, state: 'Ready' };
  const retryAt = new Date(now + 60_000).toISOString();
  const tries = before?.failed?.revision === entry.revision && before.movedAt === entry.movedAt;
  const failed = tries
    ? before.failed
    : {
        revision: entry.revision,
        step: 'probe',
        message: 'probe socket: refused',
        ...(behaviour === 'Retrying' ? { retryAt } : {}),
      };
  return { ...echo, ...kept, state: 'Failed', ...(failed && { failed }) };
}

/** A fleet that has brought runc-1 to all its machines. */
export function settled(count: number, spec: Parameters<Fleet['set']>[1] = {}): Fleet {
  const fleet = new Fleet().pool(count, { pool: 'web' }).revision('runc-1').revision('runc-2');
  fleet.set('runc', { revision: 'runc-1', ...spec }).run();
  return fleet;
}

/** How many machines were moved in each round. */
export const sizes = (rounds: readonly string[][]): number[] => rounds.map((names) => names.length);
