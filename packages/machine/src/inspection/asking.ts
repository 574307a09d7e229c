import type { Inspection } from '@kubenode/api';
import {
  backoffMs,
  type Client,
  type Clock,
  type Logger,
  type Random,
  type Runnable,
  type Slots,
  slots,
  systemClock,
} from '@kubenode/runtime';
import { credentialsOf } from './credentials.ts';
import { type Credentials, httpAsk } from './http.ts';
import type { InspectedBatch, Inspections, Verdict } from './inspections.ts';
import { askPrometheus, type Finding } from './prometheus.ts';
import { askWeb } from './web.ts';

export interface InspectionsOptions {
  readonly client: Client;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long an answer may take, in milliseconds. @default 10_000 */
  readonly answerMs?: number;
  /** For so long after `evidenceAfter` a number out of bounds is Inconclusive, in milliseconds. @default 60_000 */
  readonly settleMs?: number;
}

/** Questions at once, over all sets. */
const atOnce = 8;
/** After an answer that tells: Prometheus scrapes every 15 s or less often in most places. What goes on passing is asked less and less. */
const again = { baseMs: 5_000, maxMs: 60_000, factor: 1.5, jitter: 0.4 };
/** After one that does not. The inspection's deadline is 5 min by default. */
const retry = { baseMs: 2_000, maxMs: 30_000, jitter: 0.5 };
const longestMessage = 512;
/** Prometheus' own default between two scrapes: before that it may tell of the moment in which the machines were restarted. */
const scrapeMs = 60_000;

interface Job {
  batch: InspectedBatch;
  /** The inspections as text: others begin anew. */
  readonly asked: string;
  readonly verdicts: Map<string, Verdict>;
  readonly stop: AbortController;
}

/** Asks Prometheus and web checkers for as long as a batch waits for them. Until it is run, and after, nothing is asked. */
export function makeInspections(options: InspectionsOptions): Inspections & Runnable {
  const { client, log } = options;
  const clock = options.clock ?? systemClock;
  const settleMs = options.settleMs ?? scrapeMs;
  const http = httpAsk(options.answerMs);
  const turns = slots(atOnce);
  const jobs = new Map<string, Job>();
  const handlers: ((set: string) => void)[] = [];

  const find = async (
    inspection: Inspection,
    batch: InspectedBatch,
    now: number,
    signal: AbortSignal,
  ): Promise<Finding> => {
    let credentials: Credentials = {};
    try {
      credentials = await credentialsOf(client, inspection.secretName, signal);
      const { prometheus, web } = inspection;
      if (prometheus !== undefined)
        return clean(await askPrometheus(prometheus, batch, now, http.ask, credentials, signal), credentials);
      if (web !== undefined)
        return clean(await askWeb(web, batch, http.ask, credentials, signal), credentials);
      throw new Error(`inspection ${inspection.name} has neither prometheus nor web`);
    } catch (error) {
      signal.throwIfAborted();
      return clean({ result: 'Inconclusive', message: (error as Error).message }, credentials);
    }
  };

  const keepAsking = async (job: Job, inspection: Inspection): Promise<void> => {
    const { signal } = job.stop;
    const { evidenceAfter } = job.batch;
    let inARow = 0;
    let pause = Math.min(Math.max(0, evidenceAfter - clock.now()), again.baseMs);
    let last: Verdict['result'] | undefined;
    for (;;) {
      if (pause > 0) await clock.sleep(pause, signal);
      const verdict = await inTurn(turns, signal, async () => {
        const at = clock.now();
        const finding = await find(inspection, job.batch, at, signal);
        const isEarly = inspection.type === 'Prometheus' && at < evidenceAfter + settleMs;
        return { ...(isEarly ? notYet(finding) : finding), at };
      });
      inARow = verdict.result === last ? inARow + 1 : 1;
      last = verdict.result;
      pause = backoffMs(last === 'Inconclusive' ? retry : again, inARow, options.random);
      if (verdict.at < evidenceAfter) continue;
      const before = job.verdicts.get(inspection.name);
      job.verdicts.set(inspection.name, verdict);
      if (!isNews(before, verdict)) continue;
      const { set, number } = job.batch;
      log.info('inspection answered', { set, batch: number, inspection: inspection.name, ...verdict });
      for (const handler of handlers) handler(set);
    }
  };

  const begin = (batch: InspectedBatch, inspections: readonly Inspection[], asked: string): Job => {
    const job: Job = { batch, asked, verdicts: new Map(), stop: new AbortController() };
    jobs.set(batch.set, job);
    for (const inspection of inspections) {
      keepAsking(job, inspection).catch((error: unknown) => {
        if (!job.stop.signal.aborted)
          log.error('inspection stopped', { set: batch.set, inspection: inspection.name, error });
      });
    }
    return job;
  };

  const forget = (set: string): void => {
    jobs.get(set)?.stop.abort();
    jobs.delete(set);
  };

  return {
    name: 'inspections',
    verdicts(batch, inspections) {
      const external = inspections.filter(({ type }) => type !== 'BuiltIn');
      const asked = JSON.stringify(external);
      const job = jobs.get(batch.set);
      if (job !== undefined && job.asked === asked && isSameQuestion(job.batch, batch)) {
        job.batch = { ...batch, evidenceAfter: job.batch.evidenceAfter };
        return job.verdicts;
      }
      forget(batch.set);
      return begin(batch, external, asked).verdicts;
    },
    forget,
    onChange: (handler) => void handlers.push(handler),
    async run(signal) {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      for (const set of jobs.keys()) forget(set);
      http.close();
    },
  };
}

/** What is wrong may be of the time before; the end of the observation looks again at what is right. */
function notYet({ result, message }: Finding): Finding {
  if (result !== 'Failed') return { result, message };
  const why = 'Prometheus may not have scraped the machines since they were Ready, so it is asked again';
  return { result: 'Inconclusive', message: `${message}; ${why}` };
}

function isSameQuestion(asked: InspectedBatch, batch: InspectedBatch): boolean {
  return (
    asked.rollout === batch.rollout &&
    asked.number === batch.number &&
    batch.evidenceAfter <= asked.evidenceAfter
  );
}

/** A number that moves within its bounds is none: each news may be written to a status. */
function isNews(before: Verdict | undefined, now: Verdict): boolean {
  return before?.result !== now.result || (now.result === 'Inconclusive' && before.message !== now.message);
}

async function inTurn<T>(turns: Slots, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const give = await turns.take(signal);
  try {
    return await work();
  } finally {
    give();
  }
}

/** The other end's words may hold anything, the token that was sent to it among them. */
function clean({ result, message }: Finding, { token }: Credentials): Finding {
  const said = token === undefined ? message : message.replaceAll(token, '...');
  const line = said.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const short = line.length > longestMessage ? `${line.slice(0, longestMessage - 4)} ...` : line;
  return { result, message: short.toWellFormed() };
}
