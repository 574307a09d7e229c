import path from 'node:path';

import type { RunRequest, RunResult, ServiceManager, UnitState } from '../../ports.ts';
import { Coalescer } from '../coalesce.ts';
import { runCommand } from '../command.ts';
import { ServiceError } from '../errors.ts';
import type { RootedPaths } from '../files/rooted-paths.ts';
import { UnitFiles } from '../unit-files.ts';
import { UnitSyntaxError } from './command-line.ts';
import { Launcher } from './launch.ts';
import type { MarkedProcess } from './records.ts';
import { markedProcesses, UnitRecords } from './records.ts';
import type { UnitContext } from './supervised-unit.ts';
import { SupervisedUnit } from './supervised-unit.ts';
import type { UnitConfig } from './unit-config.ts';
import { parseUnit } from './unit-config.ts';

const coalesceMs = 10;
/** For the preparing commands of a unit that is started again by itself. */
const restartTimeoutMs = 60_000;
const recordsFolder = '/run/kubenode/supervisor';

/**
 * Runs services where there is no systemd, from the same unit files. Processes live on when this one dies and are taken up again by
 * the next: by their records, and where it was killed before it could write one, by the mark in their environment.
 */
export class Supervisor implements ServiceManager {
  readonly kind = 'supervisor';
  readonly #paths: RootedPaths;
  readonly #files: UnitFiles;
  readonly #context: UnitContext;
  readonly #units = new Map<string, SupervisedUnit>();
  /** Calls for one unit run one after the other. */
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #listeners = new Set<(unit: string) => void>();

  private constructor(paths: RootedPaths, records: UnitRecords, log: (message: string) => void) {
    this.#paths = paths;
    this.#files = new UnitFiles(paths);
    this.#context = {
      root: paths.root,
      launcher: new Launcher(paths, log),
      records,
      log,
      changed: (unit) => {
        for (const listener of this.#listeners) listener(unit);
      },
      inTurn: (unit, action) => this.#inTurn(unit, action),
    };
  }

  /** Opens the supervisor of a root folder and takes up what runs there. */
  static async open(
    paths: RootedPaths,
    log: (message: string) => void = () => undefined,
  ): Promise<Supervisor> {
    const records = new UnitRecords(path.join(await paths.target('/'), recordsFolder));
    const supervisor = new Supervisor(paths, records, log);
    await supervisor.#takeUp(records);
    return supervisor;
  }

  async states(units: readonly string[]): Promise<ReadonlyMap<string, UnitState>> {
    const states = new Map<string, UnitState>();
    for (const unit of units) states.set(unit, await this.#state(unit));
    return states;
  }

  async start(unit: string, timeoutMs: number): Promise<void> {
    await this.#inTurn(unit, async () => {
      const config = await this.#config(unit);
      await this.#supervised(unit).start(config, timeoutMs);
    });
  }

  async stop(unit: string, timeoutMs: number): Promise<void> {
    await this.#inTurn(unit, () => this.#supervised(unit).stop(timeoutMs));
  }

  async restart(unit: string, timeoutMs: number): Promise<void> {
    await this.#inTurn(unit, async () => {
      // Read first: a unit that does not parse must not cost the process that still runs.
      const config = await this.#config(unit);
      await this.#supervised(unit).stop(timeoutMs);
      await this.#supervised(unit).start(config, timeoutMs);
    });
  }

  async reload(unit: string, timeoutMs: number): Promise<void> {
    await this.#inTurn(unit, () => this.#supervised(unit).reload(timeoutMs));
  }

  async enable(unit: string): Promise<void> {
    await this.#files.enable(unit);
    this.#context.changed(unit);
  }

  async disable(unit: string): Promise<void> {
    await this.#files.disable(unit);
    this.#context.changed(unit);
  }

  async unmask(unit: string): Promise<void> {
    await this.#files.unmask(unit);
    this.#context.changed(unit);
  }

  /** Unit files are read whenever a unit is started, so there is nothing to reload. */
  async daemonReload(): Promise<void> {
    await Promise.resolve();
  }

  watch(units: () => readonly string[], changed: (unit: string) => void): Disposable {
    const hints = new Coalescer(coalesceMs, changed);
    const listener = (unit: string): void => {
      if (units().includes(unit)) hints.add([unit]);
    };
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        hints.close();
      },
    };
  }

  /** Without systemd hooks are held by their deadline alone. */
  async run(request: RunRequest): Promise<RunResult> {
    return await runCommand(this.#paths.root, request);
  }

  /** Stops every unit that runs, for taking a local host down. */
  async stopAll(timeoutMs: number): Promise<void> {
    const running = [...this.#units]
      .filter(([, unit]) => unit.state.activeState !== 'inactive')
      .map(([name]) => name);
    await Promise.all(running.map((unit) => this.stop(unit, timeoutMs)));
  }

  /**
   * Lets go of what runs. Resolves when nothing is under way any more: two supervisors must not write one record. A stop is finished, a
   * start is not held up by its preparing commands.
   */
  async close(): Promise<void> {
    for (const unit of this.#units.values()) unit.release();
    this.#listeners.clear();
    while (this.#queues.size > 0) await Promise.allSettled(this.#queues.values());
  }

  async #takeUp(records: UnitRecords): Promise<void> {
    const known = await records.load();
    const unrecorded = new Map<string, MarkedProcess[]>();
    for (const process of await markedProcesses(this.#context.root)) {
      unrecorded.set(process.unit, [...(unrecorded.get(process.unit) ?? []), process]);
    }
    for (const record of known) {
      const isMarked = unrecorded.get(record.unit)?.some(({ pid }) => pid === record.process?.pid) ?? false;
      if (isMarked || record.process === undefined) unrecorded.delete(record.unit);
    }
    for (const [unit, processes] of unrecorded) {
      const config = await this.#configOrUndefined(unit);
      const main = config === undefined ? undefined : await this.#findMain(unit, config, processes);
      if (config !== undefined && main !== undefined) {
        const identity = { pid: main.pid, startTicks: main.startTicks };
        await this.#supervised(unit).adopt(config, { process: identity, startedAt: Date.now() });
      } else {
        unrecorded.delete(unit);
      }
    }
    for (const record of known) {
      if (unrecorded.has(record.unit)) continue;
      const config = await this.#configOrUndefined(record.unit);
      if (config !== undefined) await this.#supervised(record.unit).adopt(config, record);
    }
  }

  /** The process that was started with the unit's own command and is no other's child. */
  async #findMain(
    unit: string,
    config: UnitConfig,
    processes: readonly MarkedProcess[],
  ): Promise<MarkedProcess | undefined> {
    if (config.type === 'oneshot') return undefined;
    const [, ...args] = await this.#context.launcher.words(unit, config);
    const pids = new Set(processes.map(({ pid }) => pid));
    return processes.find(({ parent, command }) => {
      const tail = command.slice(command.length - args.length);
      return (
        !pids.has(parent) && command.length > args.length && tail.every((word, index) => word === args[index])
      );
    });
  }

  #supervised(unit: string): SupervisedUnit {
    const known = this.#units.get(unit);
    if (known !== undefined) return known;
    const supervised = new SupervisedUnit(unit, this.#context);
    supervised.onRestartDue(() => {
      this.start(unit, restartTimeoutMs).catch((error: unknown) => {
        this.#context.log(`${unit}: ${String(error)}`);
        supervised.fail();
      });
    });
    this.#units.set(unit, supervised);
    return supervised;
  }

  async #state(unit: string): Promise<UnitState> {
    const file = await this.#files.find(unit);
    const enabled = await this.#files.enabledState(unit);
    const running = this.#units.get(unit)?.state ?? { activeState: 'inactive', subState: 'dead', mainPID: 0 };
    const state = { name: unit, enabled, ...running };
    if (file === undefined) return { ...state, loadState: 'not-found' };
    if (file.masked) return { ...state, loadState: 'masked' };
    try {
      parseUnit(unit, file.texts);
      return { ...state, loadState: 'loaded' };
    } catch (error) {
      if (error instanceof UnitSyntaxError)
        return { ...state, loadState: 'bad-setting', loadError: error.message };
      throw error;
    }
  }

  async #config(unit: string): Promise<UnitConfig> {
    const file = await this.#files.find(unit);
    if (file === undefined)
      throw new ServiceError(unit, 'not-found', `${unit} has no unit file on this host`);
    if (file.masked)
      throw new ServiceError(unit, 'masked', `${unit} is masked by ${file.path}: unmask it first`);
    try {
      return parseUnit(unit, file.texts);
    } catch (error) {
      if (!(error instanceof UnitSyntaxError)) throw error;
      throw new ServiceError(unit, 'bad-setting', `${file.path}: ${error.message}`, { cause: error });
    }
  }

  async #configOrUndefined(unit: string): Promise<UnitConfig | undefined> {
    try {
      return await this.#config(unit);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#context.log(`${unit} ran before and cannot be taken up: ${error.message}`);
      return undefined;
    }
  }

  async #inTurn(unit: string, action: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(unit) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(action);
    this.#queues.set(unit, mine);
    try {
      await mine;
    } finally {
      if (this.#queues.get(unit) === mine) this.#queues.delete(unit);
    }
  }
}
