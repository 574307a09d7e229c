import type { EventSink } from './agent.ts';
import type { Clock } from './clock.ts';
import { dropOldStaging } from './execute/commit.ts';
import { countRestarts, goBack, hasFailed, strikes } from './execute/probation.ts';
import type { Logger } from './log.ts';
import type { Inspection } from './observe/inspect.ts';
import type { Judgement } from './observe/judge.ts';
import type { Observer } from './observe/observer.ts';
import { type RepairPlan, Repairs } from './observe/repairs.ts';
import type { Applied, ComponentRecord, Operation, Probation } from './plan/operation.ts';
import type { Host } from './ports.ts';
import type { StateStore } from './state/store.ts';

export interface UpkeepOptions {
  readonly host: Host;
  readonly store: StateStore;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly event: EventSink;
}

/** The log's end in a message, in characters. */
const longestWords = 250;

interface Kept {
  readonly record: ComponentRecord & { readonly applied: Applied };
  readonly judgement: Judgement;
  readonly seen: Inspection;
}

/** Keeps what was brought in as it is: puts right what was harmed, and goes back from a new revision that does not stay healthy. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #repairs = new Repairs();

  constructor(options: UpkeepOptions) {
    this.#options = options;
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
    const kept = { record: { ...record, applied: record.applied }, judgement, seen };
    if (!judgement.harms.some(({ aspect }) => aspect !== 'running'))
      this.#repairs.sawClean(component, judgement.at);
    const plan =
      judgement.harms.length > 0 ? this.#repairs.plan(component, record.applied, seen, judgement) : undefined;
    const back = record.probation && (await this.#onProbation(kept, record.probation, plan, drift));
    if (back !== undefined) return back;
    if (plan === undefined) return undefined;
    if (drift === 'Repair') return await this.#repair(component, plan, judgement);
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

  async #repair(component: string, plan: RepairPlan, judgement: Judgement): Promise<Operation | undefined> {
    const { store, clock, log } = this.#options;
    const record = store.record(component);
    if (record?.applied === undefined) return undefined;
    this.#repairs.begun(component, plan, judgement);
    log.info('putting right', { component, harm: plan.what, service: plan.service });
    if (plan.remove.length > 0)
      await store.saveRecord({ ...record, stray: [...new Set([...record.stray, ...plan.remove])] });
    const { goal, files, deb } = record.applied;
    return {
      kind: 'Repair',
      goal,
      files,
      ...(deb === undefined ? {} : { deb }),
      reason: plan.what,
      harm: plan.what,
      retryToken: '',
      startedAt: clock.now(),
      done: [],
      owed: plan.service,
    };
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
    const said = (goal.unit && (await host.services.lastWords?.(goal.unit.name))) ?? '';
    const words = said === '' ? '' : `; its log ends: ${said.slice(-longestWords)}`;
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
