import type { MachineStatus } from '@kubenode/api';
import { isNotFound } from '@kubenode/runtime';
import type { AgentView } from '../agent.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { HostFiles } from '../ports.ts';
import { readJson } from '../state/store.ts';
import { Wakeup } from '../wakeup.ts';
import { type AgentStatus, isSettled, machineStatus, withLeft, withTimes } from './status.ts';

export interface ReporterOptions {
  readonly files: HostFiles;
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly agentVersion: string;
  /** Writes the status to the API; rejects when it could not. */
  readonly write: (status: AgentStatus, signal: AbortSignal) => Promise<void>;
}

/** Changes that come within this time are told together. */
const gatherMs = 200;
/** Waits before the first, second, ... write while work is under way; its end is told at once. So a change costs few writes. */
const busyWaitsMs: readonly number[] = [gatherMs, 10_000, 30_000, 60_000];
/** So many writes are free at once, and so many more each minute; beyond that there is a fight, and it is told slowly. */
const freeWrites = 60;
const writesPerMinute = 20;
const slowMs = 10_000;
/** What the API server holds is compared with what it was told no sooner than this after a write, whose own event may still come. */
const compareAfterMs = 5_000;
const retryMs: readonly number[] = [1_000, 5_000, 15_000, 60_000];

/** Tells the API what is, when it changed and no oftener than needed. What can't be told is kept and told later, also after a restart. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #wakeup = new Wakeup();
  #view: AgentView | undefined;
  /** The newest status, told or not; its times are kept. */
  #newest: AgentStatus | undefined;
  /** A harm that was just seen: told even where it is put right before it could be. */
  #harm: AgentStatus | undefined;
  #told = '';
  #offeredAt = 0;
  #busyWrites = 0;
  #failures = 0;
  #notBefore = 0;
  /** Writes that are still free. */
  #free = freeWrites;
  #lastWrite = 0;
  #left = false;
  #hasTold = false;
  #mustTell = false;
  /** The gist of what the API server holds; undefined where that was not seen. */
  #seen: string | undefined;
  /** What it held when it was told again for that: once is enough, should the server change what it is told. */
  #corrected: string | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Reads back what was known before a restart. */
  async load(): Promise<void> {
    const { files, log } = this.#options;
    const kept = await readJson<{ status: AgentStatus; told: boolean }>(files, this.#path(), log);
    if (kept === undefined || !Array.isArray(kept.status?.components)) return;
    this.#newest = kept.status;
    if (kept.told) this.#told = content(kept.status);
  }

  /** Takes the newest view; it is told when its time has come. */
  offer(view: AgentView): void {
    this.#view = view;
    if (this.#offeredAt === 0) this.#offeredAt = this.#options.clock.now();
    if (view.desired !== undefined && breaks(view, this.#newest)) this.#harm ??= this.#refresh(view);
    this.#wakeup.wake();
  }
  /** The API may have lost what it was told (the Machine was made anew): tell it again. */
  tellAgain(): void {
    this.#told = '';
    this.tellNow();
  }
  /** There is a connection again: what waits is told without waiting longer. */
  tellNow(): void {
    this.#notBefore = 0;
    this.#failures = 0;
    this.#wakeup.wake();
  }

  /**
   * What the API server holds. A write of the agent before, which was killed, may reach it after ours: then it is told again.
   */
  saw(status: MachineStatus | undefined): void {
    this.#seen = gist(status);
    this.#wakeup.wake();
  }

  /** The API took what it was told last. */
  get isOnline(): boolean {
    return this.#hasTold && this.#failures === 0;
  }
  /** Whether this process has told the API anything; where it has nothing new to tell, it tells again what is known. */
  confirm(): boolean {
    if (this.#hasTold || this.#mustTell) return this.#hasTold;
    this.#mustTell = true;
    this.#told = '';
    this.#wakeup.wake();
    return false;
  }

  /** The last word: the agent leaves the host. Resolves when the API knows it, or has no such Machine any more. */
  async tellLeft(signal: AbortSignal): Promise<void> {
    const { clock, log, write } = this.#options;
    const status = this.#view === undefined ? this.#newest : this.#refresh(this.#view);
    this.#left = true;
    if (status === undefined) return;
    for (let failures = 0; ; failures++) {
      try {
        return await write(withLeft(status, clock.now()), signal);
      } catch (error) {
        if (isNotFound(error)) return;
        if (!isNotConnected(error))
          log.warn('that the agent leaves could not be told', { error: String(error) });
        await clock.sleep(retryMs[Math.min(failures, retryMs.length - 1)] ?? 60_000, signal);
      }
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let wait = 60_000;
    while (!signal.aborted) {
      await this.#wakeup.wait(wait, clock, signal);
      if (!signal.aborted) wait = await this.#round(signal);
    }
    if (this.#view?.desired && !this.#left) await this.#keep(this.#refresh(this.#view), false);
  }

  /** Tells if it is time to. Returns the wait until the next look, in milliseconds. */
  async #round(signal: AbortSignal): Promise<number> {
    // As long as nobody knows what belongs here, there is nothing to say about it.
    if (this.#view?.desired === undefined || this.#left) return 60_000;
    const harm = this.#harm;
    this.#harm = undefined;
    const status = this.#refresh(this.#view);
    if (harm === undefined && content(status) === this.#told) {
      this.#offeredAt = 0;
      if (isSettled(status)) this.#busyWrites = 0;
      return this.#compare(status);
    }
    const now = this.#options.clock.now();
    if (harm !== undefined && this.#notBefore <= now && !this.#isFighting()) {
      await this.#tell(harm, signal);
      return 0;
    }
    const due = Math.max(this.#dueAt(status), this.#notBefore);
    if (due > now) return due - now;
    return this.#tell(status, signal);
  }

  /** Returns the wait until the next look: none where it has to be told again. */
  #compare(status: AgentStatus): number {
    const seen = this.#seen;
    if (seen === undefined || seen === gist(status) || seen === this.#corrected) return 60_000;
    const left = this.#lastWrite + compareAfterMs - this.#options.clock.now();
    if (left > 0) return left;
    this.#options.log.warn('the API server holds another status than it was told; it is told again', {});
    this.#corrected = seen;
    this.#told = '';
    return 0;
  }

  async #tell(status: AgentStatus, signal: AbortSignal): Promise<number> {
    const { clock, log, write } = this.#options;
    const now = clock.now();
    try {
      await write(status, signal);
    } catch (error) {
      if (signal.aborted) return 0;
      const wait = retryMs[Math.min(this.#failures++, retryMs.length - 1)] ?? 60_000;
      this.#notBefore = now + wait * (0.8 + 0.4 * Math.random());
      if (!isNotConnected(error))
        log.warn('the status could not be told and is kept', { error: String(error), retryMs: wait });
      await this.#keep(status, false);
      return wait;
    }
    this.#told = content(status);
    this.#hasTold = true;
    this.#failures = 0;
    this.#offeredAt = 0;
    this.#busyWrites = isSettled(status) ? 0 : this.#busyWrites + 1;
    this.#free = this.#freeAt(now) - 1;
    this.#lastWrite = now;
    await this.#keep(status, true);
    return 60_000;
  }

  #dueAt(status: AgentStatus): number {
    const last = this.#lastWrite;
    const gathered = this.#offeredAt + gatherMs;
    if (this.#isFighting()) return Math.max(gathered, last + slowMs);
    if (isSettled(status) || this.#busyWrites === 0) return gathered;
    return Math.max(
      gathered,
      last + (busyWaitsMs[Math.min(this.#busyWrites, busyWaitsMs.length - 1)] ?? slowMs),
    );
  }

  #isFighting(): boolean {
    return this.#freeAt(this.#options.clock.now()) < 1;
  }

  #freeAt(now: number): number {
    return Math.min(freeWrites, this.#free + ((now - this.#lastWrite) / 60_000) * writesPerMinute);
  }

  #refresh({ desired, facts, components }: AgentView): AgentStatus {
    const about = {
      generation: desired?.machine.generation ?? 0,
      agentVersion: this.#options.agentVersion,
      paused: desired?.machine.paused ?? false,
    };
    this.#newest = withTimes(
      machineStatus(components, facts, about),
      this.#newest,
      this.#options.clock.now(),
    );
    return this.#newest;
  }

  async #keep(status: AgentStatus, told: boolean): Promise<void> {
    const { files, log } = this.#options;
    try {
      await files.write(
        this.#path(),
        JSON.stringify({ status, told: told || content(status) === this.#told }),
        { mode: 0o600 },
      );
    } catch (error) {
      log.warn('the status could not be kept on disk', { error: String(error) });
    }
  }
  #path(): string {
    return `${this.#options.stateFolder}/status.json`;
  }
}

/** Whether something that was right is found wrong, not counting what is being worked on anyway. */
function breaks({ components }: AgentView, before: AgentStatus | undefined): boolean {
  return components.some(({ component, judgement, operation }) => {
    if (judgement === undefined || judgement.harms.length === 0) return false;
    if (operation !== undefined && operation.kind !== 'Repair') return false;
    const was = before?.components.find(({ name }) => name === component)?.correct;
    const { version, config, running } = judgement.correct;
    return (
      (version === 'False' && was?.version === 'True') ||
      (config === 'False' && was?.config === 'True') ||
      (running === 'False' && was?.running === 'True')
    );
  });
}

function isNotConnected(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotConnectedError';
}

/** What of a status no server changes. */
function gist(status: Pick<AgentStatus, 'components'> | MachineStatus | undefined): string {
  const components = status?.components ?? [];
  return JSON.stringify(
    components.map(({ name, state, running, movedAt, step, asks }) => [
      name,
      state,
      running,
      movedAt,
      step,
      asks,
    ]),
  );
}

/** What makes two statuses different: all but their times. */
function content({ components, conditions, ...rest }: AgentStatus): string {
  return JSON.stringify([
    rest,
    components.map(({ since: _since, ...component }) => component),
    conditions.map(({ lastTransitionTime: _time, ...condition }) => condition),
  ]);
}
