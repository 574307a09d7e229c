import { setTimeout as delay } from 'node:timers/promises';

import type { UnitState } from '../../ports.ts';
import { ServiceError } from '../errors.ts';
import { processStat } from '../process.ts';
import type { CommandLine } from './command-line.ts';
import type { Exit, Launched, Launcher } from './launch.ts';
import type { ProcessIdentity, UnitRecord, UnitRecords } from './records.ts';
import { isAlive, markedProcesses } from './records.ts';
import type { UnitConfig } from './unit-config.ts';
import { logEnds } from '../../words.ts';

/** A process adopted from an earlier agent is nobody's child here, so it is looked at. */
const pollMs = 500;
const killPollMs = 20;
const afterKillMs = 5_000;
/** Restarts of a unit that keeps dying: doubled from RestartSec up to this. */
const maxBackoffMs = 30_000;
/** A process that lived so long starts the backoff anew. */
const stableMs = 10_000;

export interface UnitContext {
  readonly root: string;
  readonly launcher: Launcher;
  readonly records: UnitRecords;
  readonly log: (message: string) => void;
  readonly changed: (unit: string) => void;
  /** Runs an action when no other of the unit is under way. */
  readonly inTurn: (unit: string, action: () => Promise<void>) => Promise<void>;
}

type Phase = Pick<UnitState, 'activeState' | 'subState'>;

const phases = {
  dead: { activeState: 'inactive', subState: 'dead' },
  failed: { activeState: 'failed', subState: 'failed' },
  starting: { activeState: 'activating', subState: 'start' },
  waiting: { activeState: 'activating', subState: 'auto-restart' },
  running: { activeState: 'active', subState: 'running' },
  exited: { activeState: 'active', subState: 'exited' },
  stopping: { activeState: 'deactivating', subState: 'stop-sigterm' },
} as const satisfies Record<string, Phase>;

/** One unit under the supervisor: its process, its restarts. Calls must not overlap; the supervisor sees to that. */
export class SupervisedUnit {
  readonly #unit: string;
  readonly #context: UnitContext;
  #config: UnitConfig | undefined;
  #phase: Phase = phases.dead;
  #process: ProcessIdentity | undefined;
  #startedAt = 0;
  #quickDeaths = 0;
  /** Since somebody started it. */
  #restarts = 0;
  readonly #released = new AbortController();
  #restart: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  /** Told when the supervisor must run the restart that has come due. */
  #restartDue: (() => void) | undefined;

  constructor(unit: string, context: UnitContext) {
    this.#unit = unit;
    this.#context = context;
  }

  get state(): Phase & Pick<UnitState, 'mainPID' | 'startedAt' | 'restarts'> {
    const running = this.#process !== undefined;
    return {
      ...this.#phase,
      mainPID: this.#process?.pid ?? 0,
      restarts: this.#restarts,
      ...(running ? { startedAt: this.#startedAt } : {}),
    };
  }

  onRestartDue(callback: () => void): void {
    this.#restartDue = callback;
  }

  /** Takes up what an earlier agent started; where it died meanwhile, as if it had died now. */
  async adopt(config: UnitConfig, record: Omit<UnitRecord, 'bootID' | 'unit'>): Promise<void> {
    this.#config = config;
    this.#startedAt = record.startedAt;
    if (record.process === undefined) return this.#enter(phases.exited);
    if (!(await isAlive(record.process))) return await this.#died({ code: null, signal: null });
    this.#process = record.process;
    this.#enter(phases.running);
    await this.#save();
    this.#watchAdopted(record.process);
  }

  async start(config: UnitConfig, timeoutMs: number): Promise<void> {
    if (this.#released.signal.aborted)
      throw new ServiceError(this.#unit, 'unavailable', `start of ${this.#unit}: the supervisor was closed`);
    if (this.#phase.activeState === 'active') return;
    this.#cancelRestart();
    this.#config = config;
    this.#enter(phases.starting);
    try {
      await this.#context.launcher.rotateLog(this.#unit);
      const deadline = Date.now() + timeoutMs;
      for (const command of config.startPre) await this.#runToEnd(config, command, deadline);
      if (config.type === 'oneshot') await this.#oneshot(config, deadline);
      else await this.#launch(config);
    } catch (error) {
      this.#enter(phases.failed);
      throw error;
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#cancelRestart();
    clearInterval(this.#poll);
    this.#quickDeaths = 0;
    this.#restarts = 0;
    const config = this.#config;
    const main = this.#process;
    if (config !== undefined && this.#phase.activeState === 'active') {
      this.#enter(phases.stopping);
      const deadline = Date.now() + timeoutMs;
      for (const command of config.stop) {
        await this.#runToEnd(config, command, deadline, main?.pid).catch((error: unknown) =>
          this.#note(`ExecStop failed: ${String(error)}`),
        );
      }
      if (main !== undefined) await this.#end(config, main, Math.min(config.stopTimeoutMs, timeoutMs));
    }
    this.#process = undefined;
    await this.#context.records.remove(this.#unit);
    this.#enter(phases.dead);
  }

  async reload(timeoutMs: number): Promise<void> {
    const config = this.#config;
    if (config === undefined || this.#process === undefined) {
      throw new ServiceError(
        this.#unit,
        'not-applicable',
        `reload of ${this.#unit}: it is not running; start it`,
      );
    }
    if (config.reload.length === 0) {
      throw new ServiceError(
        this.#unit,
        'not-applicable',
        `reload of ${this.#unit}: its unit has no ExecReload=; restart it`,
      );
    }
    for (const command of config.reload)
      await this.#runToEnd(config, command, Date.now() + timeoutMs, this.#process.pid);
  }

  /** A restart that came due could not even begin. */
  fail(): void {
    this.#enter(phases.failed);
  }

  /** Does nothing any more, whatever becomes of the processes: they go on, and another supervisor may take them up. */
  release(): void {
    this.#released.abort();
    this.#cancelRestart();
    clearInterval(this.#poll);
  }

  async #launch(config: UnitConfig): Promise<void> {
    const [command] = config.start;
    if (command === undefined) return;
    const launched = await this.#context.launcher.launch(this.#unit, config, command);
    this.#startedAt = Date.now();
    const stat = await processStat(launched.pid);
    const identity = { pid: launched.pid, startTicks: stat?.startTicks ?? '' };
    this.#process = identity;
    await this.#save();
    this.#enter(phases.running);
    this.#watchChild(launched, identity);
  }

  async #oneshot(config: UnitConfig, deadline: number): Promise<void> {
    for (const command of config.start) await this.#runToEnd(config, command, deadline);
    this.#startedAt = Date.now();
    if (config.remainAfterExit) await this.#save();
    this.#enter(config.remainAfterExit ? phases.exited : phases.dead);
  }

  async #runToEnd(
    config: UnitConfig,
    command: CommandLine,
    deadline: number,
    mainPID?: number,
  ): Promise<void> {
    const { launcher } = this.#context;
    const launched = await launcher.launch(this.#unit, config, command, mainPID);
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#released.signal]);
    const late = delay(Math.max(0, deadline - Date.now()), 'late' as const, { signal }).catch(
      () => 'released' as const,
    );
    const exit = await Promise.race([launched.exited, late]);
    abort.abort();
    const name = command.words[0]?.text ?? '';
    if (exit === 'released') {
      throw new ServiceError(
        this.#unit,
        'unavailable',
        `${this.#unit}: the supervisor was closed while '${name}' ran`,
      );
    }
    if (exit === 'late') {
      signalGroup(launched.pid, 'SIGKILL');
      throw new ServiceError(
        this.#unit,
        'timeout',
        `${this.#unit}: '${name}' did not end in time and was killed`,
      );
    }
    if (exit.code === 0 || command.ignoreFailure) return;
    const said = await launcher.lastWords(this.#unit);
    const how = exit.signal === null ? `exited with ${exit.code ?? 0}` : `was ended by ${exit.signal}`;
    throw new ServiceError(
      this.#unit,
      'exit-code',
      `${this.#unit}: '${name}' ${how}${logEnds(this.#unit, said)}`,
    );
  }

  #watchChild(launched: Launched, identity: ProcessIdentity): void {
    void launched.exited.then((exit) => this.#ended(identity, exit));
  }

  #watchAdopted(identity: ProcessIdentity): void {
    clearInterval(this.#poll);
    this.#poll = setInterval(() => {
      void isAlive(identity).then(async (alive) => {
        if (alive || this.#process !== identity) return;
        clearInterval(this.#poll);
        await this.#ended(identity, { code: null, signal: null });
      });
    }, pollMs);
    this.#poll.unref();
  }

  /** In turn: a death must not take away the record that a start at the same time writes. */
  async #ended(identity: ProcessIdentity, exit: Exit): Promise<void> {
    if (this.#released.signal.aborted) return;
    try {
      await this.#context.inTurn(this.#unit, async () => {
        if (this.#process === identity && this.#phase === phases.running) await this.#died(exit);
      });
    } catch (error) {
      this.#note(String(error));
    }
  }

  async #died(exit: Exit): Promise<void> {
    if (this.#released.signal.aborted) return;
    const config = this.#config;
    const lived = Date.now() - this.#startedAt;
    this.#process = undefined;
    const clean =
      exit.code === 0 ||
      exit.signal === 'SIGTERM' ||
      exit.signal === 'SIGINT' ||
      exit.signal === 'SIGHUP' ||
      exit.signal === 'SIGPIPE';
    const how = exit.signal ?? (exit.code === null ? 'nobody saw how' : `exit code ${exit.code}`);
    if (config === undefined || !restarts(config.restart, clean, exit)) {
      this.#note(`its process ended (${how})`);
      await this.#context.records.remove(this.#unit);
      return this.#enter(clean ? phases.dead : phases.failed);
    }
    this.#quickDeaths = lived < stableMs ? this.#quickDeaths + 1 : 0;
    const waitMs = Math.min(
      Math.max(config.restartMs, 10) * 2 ** Math.max(0, this.#quickDeaths - 1),
      maxBackoffMs,
    );
    this.#note(`its process ended (${how}), started again in ${waitMs} ms`);
    this.#restarts += 1;
    this.#enter(phases.waiting);
    this.#restart = setTimeout(() => this.#restartDue?.(), waitMs);
    this.#restart.unref();
  }

  async #end(config: UnitConfig, main: ProcessIdentity, timeoutMs: number): Promise<void> {
    if (config.killMode === 'none') return;
    const wholeGroup = config.killMode === 'control-group';
    const send = wholeGroup ? signalGroup : signal;
    send(main.pid, config.killSignal);
    // As systemd does: a process that was stopped (SIGSTOP) does not see the signal before it goes on.
    send(main.pid, 'SIGCONT');
    if (!(await gone(main, timeoutMs))) {
      this.#note(`did not end on ${config.killSignal} within ${timeoutMs / 1000} s and was killed`);
      signal(main.pid, 'SIGKILL');
      if (!(await gone(main, afterKillMs))) {
        throw new ServiceError(
          this.#unit,
          'timeout',
          `stop of ${this.#unit}: process ${main.pid} does not even end on SIGKILL`,
          { retriable: true },
        );
      }
    }
    if (config.killMode === 'process') return;
    signalGroup(main.pid, 'SIGKILL');
    // What left the process group carries the mark all the same.
    for (const left of await markedProcesses(this.#context.root)) {
      if (left.unit === this.#unit) signal(left.pid, 'SIGKILL');
    }
  }

  async #save(): Promise<void> {
    const record = { unit: this.#unit, startedAt: this.#startedAt };
    await this.#context.records.save(
      this.#process === undefined ? record : { ...record, process: this.#process },
    );
  }

  #cancelRestart(): void {
    clearTimeout(this.#restart);
    this.#restart = undefined;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#context.changed(this.#unit);
  }

  #note(what: string): void {
    this.#context.log(`${this.#unit}: ${what}`);
  }
}

/** systemd.service(5), table of Restart=. */
function restarts(policy: UnitConfig['restart'], clean: boolean, exit: Exit): boolean {
  if (policy === 'always') return true;
  if (policy === 'on-success') return clean;
  return !clean && (policy === 'on-failure' || (policy === 'on-abnormal' && exit.code === null));
}

async function gone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
    if (!(await isAlive(identity))) return true;
    if (Date.now() >= deadline) return false;
    await delay(killPollMs);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, which is what was wanted.
  }
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  signal(-pid, name);
}
