import type { Applied, ServiceAction } from '../plan/operation.ts';
import type { Inspection } from './inspect.ts';
import { type Harm, type Judgement, repairAction } from './judge.ts';

/** The same harm is put right this often at once; then it waits, since somebody or something keeps doing it. */
const freeRepairs = 5;
const firstWaitMs = 5_000;
const longestWaitMs = 300_000;
/** A harm that did not come back for so long counts as new. */
const forgottenAfterMs = 600_000;
/** Without a grant a healthy process is restarted at most so often. */
const healthyRestartMs = 3_600_000;

/** What to do about harms. */
export interface RepairPlan {
  readonly harms: readonly Harm[];
  readonly service: ServiceAction;
  /** Paths that have to be taken away. */
  readonly remove: readonly string[];
  /** For people. */
  readonly what: string;
}

/** Remembers what was put right when, so that a fight over a file does not burn the host. */
export class Repairs {
  readonly #last = new Map<string, { count: number; at: number }>();
  readonly #healthyRestarts = new Map<string, number>();
  readonly #cleanAt = new Map<string, number>();

  /** All files were right at that time. */
  sawClean(component: string, at: number): void {
    this.#cleanAt.set(component, at);
  }

  /** @returns undefined when there is nothing to do now. */
  plan(component: string, applied: Applied, seen: Inspection, judgement: Judgement): RepairPlan | undefined {
    const harms = judgement.harms.filter(
      (harm) => harm.waits !== true && this.#dueAt(component, harm) <= judgement.at,
    );
    if (harms.length === 0) return undefined;
    let service = repairAction(applied, harms, seen, this.#cleanAt.get(component) ?? applied.at);
    const healthy = judgement.correct.running === 'True';
    if (
      service === 'Restart' &&
      healthy &&
      judgement.at < (this.#healthyRestarts.get(component) ?? 0) + healthyRestartMs
    )
      service = 'None';
    const remove = harms.flatMap(({ remove }) => (remove === undefined ? [] : [remove]));
    const onlyRestart = harms.every(({ service, file }) => service === 'Restart' && file === undefined);
    if (service === 'None' && onlyRestart) return undefined;
    return { harms, service, remove, what: harms.map(({ what }) => what).join('; ') };
  }

  /** A repair was begun. */
  begun(component: string, plan: RepairPlan, judgement: Judgement): void {
    for (const { what } of plan.harms) {
      const key = `${component}\n${what}`;
      const last = this.#last.get(key);
      const again = last !== undefined && judgement.at - last.at < forgottenAfterMs;
      this.#last.set(key, { count: again ? last.count + 1 : 1, at: judgement.at });
    }
    if (plan.service === 'Restart' && judgement.correct.running === 'True')
      this.#healthyRestarts.set(component, judgement.at);
    for (const [key, { at }] of this.#last) if (judgement.at - at > forgottenAfterMs) this.#last.delete(key);
  }

  #dueAt(component: string, { what, patient }: Harm): number {
    const last = this.#last.get(`${component}\n${what}`);
    const free = patient === true ? 1 : freeRepairs;
    if (last === undefined || last.count < free) return 0;
    return last.at + Math.min(firstWaitMs * 2 ** (last.count - free), longestWaitMs);
  }
}
