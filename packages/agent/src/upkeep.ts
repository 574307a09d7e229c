import type { EventSink } from './events.ts';
import type { Clock } from './clock.ts';
import { dropOldStaging } from './execute/commit.ts';
import { countRestarts, goBack, hasFailed, strikes } from './execute/probation.ts';
import type { Telling } from './execute/context.ts';
import type { Leaves } from './execute/leaves.ts';
import type { Logger } from './log.ts';
import type { Inspection } from './observe/inspect.ts';
import { isOwed, type Judgement } from './observe/judge.ts';
import type { Observer } from './observe/observer.ts';
import { type Contest, type RepairPlan, Repairs } from './observe/repairs.ts';
import type { Applied, ComponentRecord, Operation, Probation } from './plan/operation.ts';
import type { Host } from './ports.ts';
import type { StateStore } from './state/store.ts';
import { lastWordsOf } from './words.ts';

export interface UpkeepOptions {
  readonly host: Host;
  readonly store: StateStore;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly event: EventSink;
  readonly leaves: Leaves;
  readonly telling: Telling;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Without an API server a healthy process is restarted this often at most, and after a random wait up to so long: a bad script may have harmed a thousand hosts. */
const unaskedMs = 3_600_000;
const longestWaitMs = 1_800_000;

interface Kept {
  readonly record: ComponentRecord & { readonly applied: Applied };
  readonly judgement: Judgement;
  readonly seen: Inspection;
}

/** Keeps what was brought in as it is: puts right what was harmed, and goes back from a new revision that does not stay healthy. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #repairs: Repairs;
  readonly #contested = new Set<string>();
  /** Share of the longest wait, by component. */
  readonly #waits = new Map<string, number>();
  #offlineSince: number | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { observer } = options;
    this.#repairs = new Repairs((path) => observer.touchedAt(path));
    observer.muted = (path) => this.#repairs.isMuted(path);
  }

  /** @returns the operation to begin, where something has to be done. */
  async tend(component: string, drift: 'Repair' | 'Report'): Promise<Operation | undefined> {
    const { store, observer } = this.#options;
    const record = store.record(component);
    const judgement = observer.judgement(component);
    const seen = observer.inspection(component);
    if (record?.applied === undefined || judgement === undefined || seen === undefined) return undefined;
    // What was seen before the last operation ended is no longer so.
    if (observer.isDue(component)) return undefined;
    if (record.owes !== undefined && !isOwed(record.owes, seen)) {
      const { owes: _over, ...rest } = record;
      await store.saveRecord(rest);
      observer.look(component);
      return undefined;
    }
    const kept = { record: { ...record, applied: record.applied }, judgement, seen };
    if (!judgement.harms.some(({ aspect, owed }) => aspect !== 'running' && owed !== true))
      this.#repairs.sawClean(component, judgement.at);
    const leave = this.#mayRestart(kept.record);
    const plan =
      judgement.harms.length > 0
        ? this.#repairs.plan(component, record.applied, seen, judgement, leave !== undefined)
        : undefined;
    const back = record.probation && (await this.#onProbation(kept, record.probation, plan, drift));
    if (back !== undefined) return back;
    if (plan === undefined) return undefined;
    if (drift === 'Repair') return await this.#repair(component, plan, judgement, leave);
    await this.#tell(component, plan);
    return undefined;
  }

  async #tell(component: string, { what }: RepairPlan): Promise<void> {
    const { store, clock, event } = this.#options;
    const record = store.record(component);
    if (record === undefined || record.drift.last?.what === what.slice(0, 200)) return;
    const last = { at: clock.now(), what: what.slice(0, 200) };
    await store.saveRecord({ ...record, drift: { ...record.drift, last } });
    event('Warning', 'DriftFound', `${component}: ${what}`, component);
  }

  async #repair(
    component: string,
    plan: RepairPlan,
    judgement: Judgement,
    leave: { readonly id?: string } | undefined,
  ): Promise<Operation | undefined> {
    const { store, clock, log } = this.#options;
    const record = store.record(component);
    if (record?.applied === undefined) return undefined;
    const stray = [...new Set([...record.stray, ...plan.remove])];
    const restarts = plan.service === 'Restart' && judgement.correct.running === 'True';
    const at = clock.now();
    const restarted = { at, ...(leave?.id === undefined ? {} : { leave: leave.id }) };
    const owes =
      record.owes ??
      (plan.defers === undefined ? undefined : { since: at, reason: plan.defers.slice(0, 200) });
    if (owes !== record.owes || restarts || stray.length > record.stray.length)
      await store.saveRecord({
        ...record,
        stray,
        ...(owes ? { owes } : {}),
        ...(restarts ? { restarted } : {}),
      });
    if (owes !== record.owes) this.#options.observer.look(component);
    // What has only to be restarted is not repaired by anything else.
    if (
      plan.defers !== undefined &&
      plan.harms.every(({ service, path }) => service === 'Restart' && path === undefined)
    )
      return undefined;
    this.#repairs.begun(component, plan, at, await this.#wordsOf(record.applied, plan));
    this.#tellContest(component, at);
    log.info('putting right', { component, harm: plan.what, service: plan.service });
    const { goal, files, deb } = record.applied;
    return {
      kind: 'Repair',
      goal,
      files,
      ...(deb === undefined ? {} : { deb }),
      reason: plan.what,
      harm: plan.what,
      retryToken: '',
      startedAt: at,
      done: [],
      owed: plan.service,
    };
  }

  /** What its program said last, where that may be to blame. */
  async #wordsOf({ goal, at }: Applied, { harms }: RepairPlan): Promise<string> {
    if (goal.unit === undefined || harms.every(({ fault }) => fault === undefined)) return '';
    return await lastWordsOf(this.#options.host.services, goal.unit.name, at);
  }

  /** What keeps being undone on a component; undefined: nothing. */
  contest(component: string): Contest | undefined {
    return this.#repairs.contest(component, this.#options.clock.now());
  }

  #tellContest(component: string, now: number): void {
    const contest = this.#repairs.contest(component, now);
    if (contest === undefined) this.#contested.delete(component);
    else if (!this.#contested.has(component)) {
      this.#contested.add(component);
      this.#options.event('Warning', 'DriftContested', `${component}: ${contest.message}`, component);
    }
  }

  /** Leave to restart the healthy process of a component now; without an API server, its time. One leave gives one restart. */
  #mayRestart({ component, applied, owes, restarted }: Kept['record']): { readonly id?: string } | undefined {
    const { leaves, telling, clock, random } = this.#options;
    const leave = leaves.allowed(applied.goal.disruption === 'Drain' ? 'Drain' : 'Restart');
    if (leave !== undefined) return leave.id === restarted?.leave ? undefined : leave;
    if (telling.isOnline) this.#offlineSince = undefined;
    else this.#offlineSince ??= clock.now();
    if (owes === undefined) this.#waits.delete(component);
    if (owes === undefined || this.#offlineSince === undefined) return undefined;
    const share = this.#waits.get(component) ?? random();
    this.#waits.set(component, share);
    const waited = Math.max(owes.since, this.#offlineSince) + share * longestWaitMs;
    const due = Math.max(waited, (restarted?.at ?? Number.NEGATIVE_INFINITY) + unaskedMs);
    return clock.now() >= due ? {} : undefined;
  }

  /** Counts what speaks against a new revision. @returns the way back, where that is enough. */
  async #onProbation(
    kept: Kept,
    before: Probation,
    plan: RepairPlan | undefined,
    drift: 'Repair' | 'Report',
  ): Promise<Operation | undefined> {
    const { store, host, event, clock } = this.#options;
    const { record, judgement, seen } = kept;
    const { goal } = record.applied;
    if (clock.now() >= before.until) {
      const { probation: _over, ...rest } = record;
      await store.saveRecord(rest);
      await dropOldStaging(rest, { host, store });
      return undefined;
    }
    let probation = countRestarts(before, seen.unit?.restarts);
    const again = probation.strikes > before.strikes;
    // What somebody else did to it does not speak against the revision.
    const isItsOwn = judgement.harms.every(({ aspect }) => aspect === 'running');
    const faults =
      isItsOwn && drift === 'Repair' ? (plan?.harms.flatMap(({ fault }) => fault ?? []) ?? []) : [];
    if (faults.length > 0) {
      const more = Math.max(...faults.map((fault) => strikes[fault]));
      probation = { ...probation, strikes: probation.strikes + more };
    }
    if (probation === before) return undefined;
    const next = { ...record, probation };
    if (!hasFailed(probation)) {
      await store.saveRecord(next);
      return undefined;
    }
    const harm = again ? `${goal.unit?.name}: its process ends and is started again` : judgement.message;
    const lived = Math.round((clock.now() - record.applied.at) / 1000);
    const unit = goal.unit?.name;
    const words = unit === undefined ? '' : await lastWordsOf(host.services, unit, record.applied.at);
    const back = goBack(
      next,
      `did not stay healthy: ${harm}, ${lived} s after it was brought in${words}`,
      clock.now(),
    );
    const { failed } = back;
    event(
      'Warning',
      'InstallFailed',
      `${goal.component} ${failed.revision} at step ${failed.step}: ${failed.message}`,
      goal.component,
    );
    // Killed between the two, what the record says is put right as drift.
    await store.saveRecord(back.record);
    return back.operation;
  }
}
