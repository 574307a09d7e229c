import assert from 'node:assert/strict';
import type { Machine, MachineComponentEntry, MachineComponentSet } from '@kubenode/api';
import { intOrPercent, parseDuration } from '@kubenode/runtime';
import { windowAt } from '../window/window.ts';
import type { Fleet } from './fleet.ts';

/** What one batch was seen to be. */
interface Seen {
  /** Since when all of its machines were Ready or lost, by `elapsed`; undefined: they are not. */
  settledAt: number | undefined;
  /** For how long it was settled at most, milliseconds: what has passed has passed, whatever comes while the next waits. */
  longest: number;
}

const component = 'runc';

/**
 * Looks at the objects only, before and after each plan of one set, and holds them to what was promised: capacity, batches, order of the
 * gates, and no machine disturbed twice.
 */
export class Watcher {
  readonly #fleet: Fleet;
  readonly #seen = new Map<string, Seen>();
  /** Time that has passed, whatever the clock says, milliseconds. */
  elapsed = 0;
  /** A person has skipped, or a clock has: what was observed when is not judged before this, by `elapsed`. */
  blindUntil = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  plan(): void {
    const fleet = this.#fleet;
    const before = new Map([...fleet.machines].map(([name, { spec }]) => [name, spec.components ?? []]));
    const wasDown = new Set([...fleet.machines.values()].filter((m) => isDown(fleet, m)).map(nameOf));
    this.#look();
    const { rollout, number } = fleet.sets.get(component)?.status?.batch ?? {};
    const now = fleet.now;
    const { machines } = fleet.plan();
    this.elapsed += fleet.now - now;
    const set = fleet.sets.get(component);
    if (set === undefined) return;
    const begun = new Set([...before.values()].map((entries) => batchOf(entryOf(entries))));
    // Where the ledger's writer was beaten a batch has begun that no machine is in yet.
    begun.add(batchOf({ rollout, batch: number }));
    const moved: string[] = [];
    for (const name of machines.keys()) {
      const was = entryOf(before.get(name));
      const is = fleet.entry(name);
      if (is === undefined || was?.movedAt === is.movedAt) continue;
      moved.push(name);
      this.#holdMove(set, name, was, is, wasDown.has(name));
      if (is.rollout !== undefined && !begun.has(batchOf(is))) this.#holdWindow(set, is);
    }
    this.#holdCapacity(set, moved, wasDown);
  }

  #holdMove(
    set: MachineComponentSet,
    name: string,
    was: MachineComponentEntry | undefined,
    is: MachineComponentEntry,
    wasDown: boolean,
  ): void {
    const fleet = this.#fleet;
    const machine = fleet.machines.get(name);
    assert.equal(machine?.spec.paused, false, `${name} is paused and was moved`);
    const isRetry = was?.revision === is.revision && was.retryToken !== is.retryToken;
    assert.ok(was?.revision !== is.revision || isRetry, `${name} was disturbed for what it has`);
    if (isRetry) return;
    const isFresh = machine?.status?.components?.some(({ lastGood }) => lastGood !== undefined) !== true;
    if (!wasDown && !isFresh) {
      const holder = [...fleet.budget.grants.keys()].includes(`set/${component} ${name}`);
      assert.ok(holder, `${name} works and was moved without a grant`);
    }
    if (is.rollout === undefined || is.rollout === was?.rollout || is.batch === undefined) return;
    assert.equal(set.spec.paused, false, `${name} was moved while the set is paused`);
    const { batches } = set.spec.rollout;
    const size = Math.max(
      1,
      intOrPercent(batches[Math.min(is.batch, batches.length) - 1] ?? 1, fleet.machines.size),
    );
    const mates = this.#batch(is.rollout, is.batch);
    assert.ok(mates.length <= size, `batch ${is.batch} has ${mates.length} machines, of ${size}`);
    if (is.batch > 1) this.#holdGates(set, is.rollout, is.batch - 1);
  }

  /** No batch begins while its windows are closed. */
  #holdWindow({ spec }: MachineComponentSet, { batch }: MachineComponentEntry): void {
    const { open } = windowAt(spec.rollout.windows, this.#fleet.now);
    if (spec.promote === spec.revision) return;
    assert.ok(
      open,
      `batch ${batch} began outside of the windows, at ${new Date(this.#fleet.now).toISOString()}`,
    );
  }

  /** The batch before has to have passed: settled for as long as the observation lasts, and its inspection good now. */
  #holdGates(set: MachineComponentSet, rollout: string, batch: number): void {
    const { spec } = set;
    if (spec.promote === spec.revision || this.#batch(rollout, batch).length === 0) return;
    const seen = this.#seen.get(`${rollout} ${batch}`);
    if (this.elapsed < this.blindUntil || seen === undefined) return;
    const observation = parseDuration(spec.rollout.observation);
    assert.ok(seen.longest >= observation, `batch ${batch} was observed for ${seen.longest} ms only`);
  }

  /** Where a working machine was moved, no more are down than may be. */
  #holdCapacity(set: MachineComponentSet, moved: readonly string[], wasDown: ReadonlySet<string>): void {
    const fleet = this.#fleet;
    const disturbed = moved.filter((name) => !wasDown.has(name) && ran(fleet, name));
    if (disturbed.length === 0) return;
    const down = [...fleet.machines.values()].filter((machine) => isDown(fleet, machine));
    const most = Math.max(1, intOrPercent(set.spec.rollout.maxUnavailable, fleet.machines.size));
    assert.ok(
      down.length <= most,
      `${down.length} are down, of ${most} that may be: moved ${disturbed.join()}`,
    );
  }

  /** Notes since when the batches are settled. */
  #look(): void {
    const fleet = this.#fleet;
    const { spec: asked } = fleet.sets.get(component) ?? {};
    const isPromoted = asked !== undefined && asked.promote === asked.revision;
    const batches = new Set<string>();
    for (const { spec } of fleet.machines.values()) {
      const entry = entryOf(spec.components);
      if (entry?.rollout !== undefined) batches.add(`${entry.rollout} ${entry.batch ?? 1}`);
    }
    for (const key of batches) {
      const [rollout = '', batch = ''] = key.split(' ');
      const isSettled = this.#batch(rollout, Number(batch)).every((machine) => !isMoving(fleet, machine));
      const seen = this.#seen.get(key);
      const settledAt = isSettled ? (seen?.settledAt ?? this.elapsed) : undefined;
      // What a person has let pass has passed, also where that is taken back before the next begins.
      const passed = isPromoted ? Number.POSITIVE_INFINITY : -1;
      const longest = settledAt === undefined || isPromoted ? passed : this.elapsed - settledAt;
      this.#seen.set(key, { settledAt, longest: Math.max(seen?.longest ?? -1, longest) });
    }
  }

  #batch(rollout: string, batch: number): Machine[] {
    return [...this.#fleet.machines.values()].filter(({ spec }) => {
      const entry = entryOf(spec.components);
      const target = this.#fleet.sets.get(component)?.spec.revision;
      return entry?.rollout === rollout && entry.batch === batch && entry.revision === target;
    });
  }
}

function entryOf(entries: readonly MachineComponentEntry[] | undefined): MachineComponentEntry | undefined {
  return entries?.find(({ name }) => name === component);
}

function batchOf(entry: { rollout?: string | undefined; batch?: number | undefined } | undefined): string {
  return `${entry?.rollout} ${entry?.batch}`;
}

function nameOf({ metadata }: Machine): string {
  return metadata.name;
}

function ran(fleet: Fleet, name: string): boolean {
  const found = fleet.machines.get(name)?.status?.components?.find((c) => c.name === component);
  return found?.lastGood !== undefined || found?.running !== undefined;
}

function isReady(fleet: Fleet, { metadata, spec, status }: Machine): boolean {
  const entry = entryOf(spec.components);
  const found = status?.components?.find(({ name }) => name === component);
  const isSilent = ['Silent', 'None'].includes(fleet.agents.get(metadata.name) ?? '');
  return !isSilent && found?.state === 'Ready' && found.movedAt === entry?.movedAt;
}

/** It ran the component, and does not do so as it should. */
function isDown(fleet: Fleet, machine: Machine): boolean {
  if (entryOf(machine.spec.components) === undefined) return false;
  const isSilent = ['Silent', 'None'].includes(fleet.agents.get(machine.metadata.name) ?? '');
  return !isReady(fleet, machine) && (isSilent || ran(fleet, machine.metadata.name));
}

/** On its way: it has not said that it is Ready, nor that it failed, and may still. Who fell silent has said what it has said. */
function isMoving(fleet: Fleet, machine: Machine): boolean {
  const entry = entryOf(machine.spec.components);
  const found = machine.status?.components?.find(({ name }) => name === component);
  const hasFailed = found?.state === 'Failed' && found.movedAt === entry?.movedAt;
  const deadline = fleet.sets.get(component)?.spec.rollout.deadline ?? '0';
  const isLate = Date.parse(entry?.movedAt ?? '') + parseDuration(deadline) <= fleet.now;
  const isReported = found?.state === 'Ready' && found.movedAt === entry?.movedAt;
  return !isReported && !hasFailed && !isLate;
}
