import type { Applied, ServiceAction } from '../plan/operation.ts';
import type { Inspection } from './inspect.ts';
import { type Aspect, type Harm, type Judgement, repairAction } from './judge.ts';

/** The same harm is put right this often at once; then it waits, since somebody or something keeps doing it. */
const freeRepairs = 5;
const firstWaitMs = 5_000;
const longestWaitMs = 300_000;
/** A contested path that nobody has touched for so long is put right without the whole wait: who changed it may be gone. */
const quietMs = 20_000;
/** A harm that comes back within this time is contested... */
const contestedWithinMs = 30_000;
/** ...until it has stayed away for this long: more than the time between two full checks. */
const calmMs = 15_000;
/** What is said of a contest is said anew this often, so that it costs few writes. */
const sayAgainMs = 300_000;
/** A harm that did not come back for so long counts as new. */
const forgottenAfterMs = 600_000;

/** What to do about harms. */
export interface RepairPlan {
  readonly harms: readonly Harm[];
  readonly service: ServiceAction;
  /** Paths that have to be taken away. */
  readonly remove: readonly string[];
  /** For people. */
  readonly what: string;
  /** A healthy process has to be restarted, and may not be now: why it has to. */
  readonly defers?: string;
}

/** Something else on the host that keeps undoing what is put right. What it says changes seldom. */
export interface Contest {
  readonly aspect: Aspect;
  readonly message: string;
  readonly repaired: number;
}

interface Series {
  readonly harm: Harm;
  count: number;
  /** Of its first and its last repair, and when the harm was seen last; epoch milliseconds. */
  readonly since: number;
  at: number;
  seen: number;
  contested: boolean;
  /** What its program said last, where that may be to blame; to be put behind a message. */
  words: string;
  said?: { readonly at: number; readonly slow: boolean; readonly message: string };
}

/** Remembers what was put right when, so that a fight over a file does not burn the host. */
export class Repairs {
  readonly #series = new Map<string, Series>();
  readonly #cleanAt = new Map<string, number>();
  readonly #touchedAt: (path: string) => number | undefined;

  /** @param touchedAt when a hint told of a path last, epoch milliseconds. */
  constructor(touchedAt: (path: string) => number | undefined = () => undefined) {
    this.#touchedAt = touchedAt;
  }

  /** All files were right at that time. */
  sawClean(component: string, at: number): void {
    this.#cleanAt.set(component, at);
  }

  /**
   * @param mayRestart whether a healthy process may be restarted now.
   * @returns undefined when there is nothing to do now.
   */
  plan(
    component: string,
    applied: Applied,
    seen: Inspection,
    judgement: Judgement,
    mayRestart: boolean,
  ): RepairPlan | undefined {
    for (const harm of judgement.harms) {
      const series = this.#series.get(keyOf(component, harm));
      if (series) series.seen = judgement.at;
    }
    const harms = judgement.harms.filter(
      (harm) => harm.waits !== true && this.#dueAt(component, harm) <= judgement.at,
    );
    if (harms.length === 0) return undefined;
    let service = repairAction(applied, harms, seen, this.#cleanAt.get(component) ?? applied.at);
    const isDeferred = service === 'Restart' && judgement.correct.running === 'True' && !mayRestart;
    if (isDeferred) service = 'None';
    const remove = harms.flatMap(({ remove }) => (remove === undefined ? [] : [remove]));
    const what = harms.map(({ what }) => what).join('; ');
    return { harms, service, remove, what, ...(isDeferred ? { defers: what } : {}) };
  }

  /**
   * A repair was begun.
   * @param said what the component's program said last, to be put behind a message.
   */
  begun(component: string, plan: RepairPlan, now: number, said = ''): void {
    for (const harm of plan.harms) {
      const words = harm.fault === undefined ? '' : said;
      const key = keyOf(component, harm);
      const last = this.#series.get(key);
      if (last === undefined || now - last.at >= forgottenAfterMs) {
        this.#series.set(key, { harm, count: 1, since: now, at: now, seen: now, contested: false, words });
        continue;
      }
      last.contested = last.contested || now - last.at <= contestedWithinMs || last.count >= freeRepairs;
      last.count++;
      last.at = now;
      last.seen = now;
      last.words = words;
    }
    for (const [key, { at }] of this.#series) if (now - at > forgottenAfterMs) this.#series.delete(key);
  }

  /** Whether hints of this path are to be left for the full check: it is contested, and looked at often enough. */
  isMuted(path: string): boolean {
    for (const { harm, contested, count } of this.#series.values())
      if (harm.path === path && contested && count > freeRepairs) return true;
    return false;
  }

  /** What is being contested of a component; undefined: nothing, or no more. */
  contest(component: string, now: number): Contest | undefined {
    let worst: Series | undefined;
    for (const [key, series] of this.#series) {
      if (!series.contested || !key.startsWith(`${component}\n`)) continue;
      const touched = series.harm.path === undefined ? undefined : this.#touchedAt(series.harm.path);
      if (now - Math.max(series.seen, series.at, touched ?? 0) > calmMs) {
        series.contested = false;
        delete series.said;
      } else if (worst === undefined || series.count > worst.count) worst = series;
    }
    if (worst === undefined) return undefined;
    return { aspect: worst.harm.aspect, message: this.#say(worst, now), repaired: worst.count };
  }

  #say(series: Series, now: number): string {
    const { harm, count, since, said, words } = series;
    const slow = count > freeRepairs;
    if (said?.slow === slow && now - said.at < sayAgainMs) return said.message;
    const span = Math.max(1, Math.round((now - since) / 1000));
    const then = slow
      ? `; now it is put right when it has been left alone for ${quietMs / 1000} s, or after growing waits up to ${longestWaitMs / 60_000} min. Find what does it`
      : '';
    const why =
      harm.fault === undefined
        ? 'contested, something else on this host undoes it each time'
        : 'it does not stay up';
    const message = `${harm.what}: ${why}; put right ${count} times in ${span} s${then}${words}`;
    series.said = { at: now, slow, message };
    return message;
  }

  #dueAt(component: string, harm: Harm): number {
    const last = this.#series.get(keyOf(component, harm));
    const free = harm.patient === true ? 1 : freeRepairs;
    if (last === undefined || last.count < free) return 0;
    const waited = last.at + Math.min(firstWaitMs * 2 ** (last.count - free), longestWaitMs);
    if (harm.path === undefined) return waited;
    return Math.min(waited, Math.max(last.at, this.#touchedAt(harm.path) ?? 0) + quietMs);
  }
}

function keyOf(component: string, { what }: Harm): string {
  return `${component}\n${what}`;
}
