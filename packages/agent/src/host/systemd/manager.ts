import type { RunRequest, RunResult, ServiceManager, UnitState } from '../../ports.ts';
import { runCommand } from '../command.ts';
import { ServiceError } from '../errors.ts';
import type { UnitFiles } from '../unit-files.ts';
import type { SystemdBus } from './bus.ts';
import { DBusError, DisconnectedError } from './connection.ts';
import { explainFailure, logEnd } from './failure.ts';
import { type HeldLimits, heldLimits } from './hook-limits.ts';
import { runJob } from './jobs.ts';
import { endLeftOvers, isLost } from './left-overs.ts';
import { list, text } from './message.ts';
import type { TransientRequest } from './transient.ts';
import { runTransient } from './transient.ts';
import { toUnitState } from './unit-state.ts';
import { watchUnits } from './watch-units.ts';

/** Far more than a hook needs, far less than would harm what the host is there for. */
const hookLimits = { memoryMaxBytes: 512 * 1024 * 1024, tasksMax: 512 };
const hookUnits = 'kubenode-hook-';
/** systemd's own default for a start. */
const startMs = 90_000;

/** systemd over D-Bus. */
export class SystemdServices implements ServiceManager {
  readonly kind = 'systemd';
  readonly #bus: SystemdBus;
  readonly #files: UnitFiles;
  readonly #hidden: readonly string[];
  #reloading: Promise<void> | undefined;
  #reloadNext: Promise<void> | undefined;
  #hooks = 0;
  #leftovers: Promise<void> | undefined;
  #held: Promise<HeldLimits> | undefined;
  readonly #log: (message: string) => void;

  /** `hidden` are host paths that hooks do not see. */
  constructor(
    bus: SystemdBus,
    files: UnitFiles,
    hidden: readonly string[],
    log: (message: string) => void = () => undefined,
  ) {
    this.#log = log;
    this.#bus = bus;
    this.#files = files;
    this.#hidden = hidden;
  }

  async states(units: readonly string[]): Promise<ReadonlyMap<string, UnitState>> {
    return await this.#ask('systemd', async () => {
      const states = new Map<string, UnitState>();
      if (units.length === 0) return states;
      const [rows] = await this.#bus.manager('ListUnitsByNames', 'as', [units]);
      const enabled = await this.#files.enabledStates(units);
      const found = new Map(list(rows).map((row) => [text(list(row)[0]), list(row)]));
      for (const [index, unit] of units.entries()) {
        // An alias is answered under the name of the unit it stands for, at the same place.
        const row = found.get(unit) ?? list(list(rows)[index]);
        states.set(unit, await toUnitState(this.#bus, unit, row, enabled.get(unit) ?? 'unknown'));
      }
      return states;
    });
  }

  async start(unit: string, timeoutMs: number): Promise<void> {
    await this.#resetFailed(unit);
    await this.#ask(unit, () => endLeftOvers(this.#bus, unit), 'start');
    await this.#job('start', 'StartUnit', unit, timeoutMs);
  }

  async stop(unit: string, timeoutMs: number): Promise<void> {
    try {
      await this.#job('stop', 'StopUnit', unit, timeoutMs);
    } catch (error) {
      // A unit that systemd does not even have loaded is not running.
      if (!(error instanceof ServiceError) || error.result !== 'not-found') throw error;
    }
  }

  async restart(unit: string, timeoutMs: number): Promise<void> {
    await this.#resetFailed(unit);
    await this.#job('restart', 'RestartUnit', unit, timeoutMs);
  }

  async reload(unit: string, timeoutMs: number): Promise<void> {
    await this.#job('reload', 'ReloadUnit', unit, timeoutMs);
  }

  async enable(unit: string): Promise<void> {
    await this.#files.enable(unit);
  }

  async disable(unit: string): Promise<void> {
    await this.#files.disable(unit);
  }

  async unmask(unit: string): Promise<void> {
    await this.#files.unmask(unit);
  }

  /** As `systemctl reboot` does without logind: units are stopped in order, and no other job takes its place. */
  async reboot(): Promise<void> {
    await this.#ask('reboot.target', () =>
      this.#bus.manager('StartUnit', 'ss', ['reboot.target', 'replace-irreversibly']),
    );
  }

  async lastWords(unit: string, since: number, until?: number): Promise<string> {
    return await logEnd(unit, since, until);
  }

  async daemonReload(keeping?: string): Promise<void> {
    await this.#reloadTogether();
    if (keeping === undefined || !(await this.#ask(keeping, () => isLost(this.#bus, keeping)))) return;
    this.#log(`systemd lost ${keeping} when it read its files again: it is started anew`);
    await this.start(keeping, startMs);
  }

  /** Callers while a reload runs share the next one, which sees what they wrote. */
  async #reloadTogether(): Promise<void> {
    if (this.#reloading === undefined) {
      this.#reloading = this.#reload().finally(() => {
        this.#reloading = undefined;
      });
      return await this.#reloading;
    }
    this.#reloadNext ??= this.#reloading
      .catch(() => undefined)
      .then(() => {
        this.#reloadNext = undefined;
        return this.#reloadTogether();
      });
    await this.#reloadNext;
  }

  watch(units: () => readonly string[], changed: (unit: string) => void): Disposable {
    return watchUnits(this.#bus, units, changed);
  }

  async run(request: RunRequest): Promise<RunResult> {
    if (request.isolation === 'plain') return await runCommand('', request);
    this.#leftovers ??= this.#stopLeftoverHooks();
    await this.#leftovers;
    this.#held ??= this.#findHeld();
    const { memory } = await this.#held;
    this.#hooks += 1;
    return await this.runUnit({
      ...request,
      ...hookLimits,
      ...(memory ? {} : { dataMaxBytes: hookLimits.memoryMaxBytes }),
      name: `${hookUnits}${process.pid}-${this.#hooks}.service`,
      description: `KubeNode hook ${request.command[0] ?? ''}`,
      hidden: this.#hidden,
    });
  }

  /** Has a unit with the limits of hooks look where it is. */
  async #findHeld(): Promise<HeldLimits> {
    const name = `${hookUnits}${process.pid}-limits.service`;
    const { output } = await this.runUnit({
      ...hookLimits,
      command: ['cat', '/proc/self/cgroup'],
      timeoutMs: 30_000,
      name,
      description: 'KubeNode look at the limits of hooks',
      hidden: this.#hidden,
    });
    const held = heldLimits(output, name);
    if (!held.memory)
      this.#log('this host holds no memory limits of units: hooks are limited process by process instead');
    if (!held.tasks)
      this.#log('this host holds no limits of tasks of units: the processes of hooks are not limited');
    return held;
  }

  /** Runs a command as a unit of its own, for what must not end with the agent (dpkg). */
  async runUnit(request: TransientRequest): Promise<RunResult> {
    return await this.#ask(request.name, () => runTransient(this.#bus, request));
  }

  /** A hook of an agent that was killed may still run: the step that it belongs to is done again, so it must end first. */
  async #stopLeftoverHooks(): Promise<void> {
    const [rows] = await this.#ask('systemd', () =>
      this.#bus.manager('ListUnitsByPatterns', 'asas', [[], [`${hookUnits}*.service`]]),
    );
    for (const row of list(rows)) {
      const unit = text(list(row)[0]);
      await this.stop(unit, 30_000);
      await this.#resetFailed(unit);
    }
  }

  async #reload(): Promise<void> {
    await this.#ask('systemd', () => this.#bus.manager('Reload'));
  }

  /** A unit that failed too often refuses to start until its failure is reset; that brake is the agent's own here. */
  async #resetFailed(unit: string): Promise<void> {
    try {
      await this.#bus.manager('ResetFailedUnit', 's', [unit]);
    } catch (error) {
      if (!(error instanceof DBusError) && !(error instanceof DisconnectedError)) throw error;
    }
  }

  async #job(verb: string, method: string, unit: string, timeoutMs: number): Promise<void> {
    const request = { method, signature: 'ss', body: [unit, 'replace'] };
    const result = await this.#ask(unit, () => runJob(this.#bus, unit, request, timeoutMs), verb);
    if (result === 'done') return;
    throw await explainFailure(this.#bus, { unit, verb, result, timeoutMs });
  }

  /** Turns what the bus rejects with into ServiceError. */
  async #ask<T>(unit: string, action: () => Promise<T>, verb = 'question'): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof DisconnectedError) {
        throw new ServiceError(unit, 'unavailable', `${verb} of ${unit}: ${error.message}`, {
          retriable: true,
          cause: error,
        });
      }
      if (error instanceof DBusError) {
        throw new ServiceError(
          unit,
          resultOf(error),
          `${verb} of ${unit} was refused by systemd: ${error.message}`,
          { cause: error },
        );
      }
      throw error;
    }
  }
}

function resultOf(error: DBusError): string {
  const name = error.errorName.replace(/^.*\./, '');
  const known: Readonly<Record<string, string>> = {
    NoSuchUnit: 'not-found',
    UnitMasked: 'masked',
    BadUnitSetting: 'bad-setting',
    JobTypeNotApplicable: 'not-applicable',
  };
  return known[name] ?? name;
}
