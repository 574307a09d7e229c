import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { unitFolder } from '../plan/goal.ts';
import type { Applied, ComponentRecord } from '../plan/operation.ts';
import type { Host } from '../ports.ts';
import type { StateStore } from '../state/store.ts';
import { type Inspection, Inspector } from './inspect.ts';
import { isHealthy, judge, type Judgement } from './judge.ts';
import { ProbeMonitor } from './probe-monitor.ts';

export interface ObserverOptions {
  readonly host: Host;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two full checks, in milliseconds; a fifth of it is jitter. */
  readonly checkMs: number;
  /** There is something to look at. */
  readonly wake: () => void;
}

/** The package manager is asked this often; between that its files are looked at. */
const packageCheckMs = 600_000;
/** Content is read afresh this often, since a write through a mapping changes neither size nor times. */
const fullHashMs = 86_400_000;

/** Looks at what was brought in and judges it: everything at the full check, what hints named between that. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #inspector: Inspector;
  readonly #probes: ProbeMonitor;
  readonly #judgements = new Map<string, Judgement>();
  readonly #inspections = new Map<string, Inspection>();
  readonly #dirty = new Set<string>();
  /** What this process brought in: its probes have all succeeded. */
  readonly #proven = new Map<string, string>();
  readonly #nextHash = new Map<string, number>();
  readonly #touched = new Map<string, number>();
  /** Whether hints of a path are left for the full check. */
  muted: (path: string) => boolean = () => false;
  #watchIsOld = true;
  #nextCheck = 0;
  #nextPackageCheck = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#inspector = new Inspector(options.host);
    this.#probes = new ProbeMonitor(options.host.probes, options.clock, (component) => this.look(component));
  }

  /** When the next full check is due, epoch milliseconds. */
  get nextCheck(): number {
    return this.#nextCheck;
  }
  judgement(component: string): Judgement | undefined {
    return this.#judgements.get(component);
  }
  inspection(component: string): Inspection | undefined {
    return this.#inspections.get(component);
  }

  /** When a hint told of a path last, epoch milliseconds. */
  touchedAt(path: string): number | undefined {
    return this.#touched.get(path);
  }
  /** Something has happened to it since it was looked at. */
  isDue(component: string): boolean {
    return this.#dirty.has(component);
  }

  /** Has a component looked at with the next pass. */
  look(component: string): void {
    this.#dirty.add(component);
    this.#options.wake();
  }
  /** An operation ended: other things are to be watched, and looked at. */
  ended(component: string): void {
    this.#watchIsOld = true;
    this.look(component);
  }
  /** A component was brought in just now, and all its probes have succeeded. */
  broughtIn(component: string, applied: Applied): void {
    this.#proven.set(component, identityOf(applied));
    // A harm that was seen of what was there before, by an agent that started in the middle of the operation, is none of this.
    if (!isHealthy(this.#judgements.get(component))) this.#judgements.delete(component);
  }
  /** Its unit was started again. */
  restarted(component: string): void {
    this.#probes.restarted(component);
  }

  /** Takes hints from the host until it is disposed of. `refresh` after each pass. */
  watch(): Disposable & { refresh(): void } {
    const { host, store } = this.#options;
    const all = (): readonly Applied[] =>
      [...store.records().values()].flatMap(({ applied }) => applied ?? []);
    const files = host.files.watch(
      () => all().flatMap(pathsOf),
      (path) => {
        this.#touched.set(path, this.#options.clock.now());
        if (this.muted(path)) return;
        // A folder of drop-ins that has just been made has to be watched itself.
        if (path.endsWith('.d')) this.#watchIsOld = true;
        this.#lookAt((applied) => pathsOf(applied).includes(path));
      },
    );
    const units = host.services.watch(
      () => all().flatMap(({ goal }) => goal.unit?.name ?? []),
      (unit) => this.#lookAt(({ goal }) => goal.unit?.name === unit),
    );
    return {
      refresh: () => {
        if (this.#watchIsOld) files.refresh();
        this.#watchIsOld = false;
      },
      [Symbol.dispose]: () => {
        files[Symbol.dispose]();
        units[Symbol.dispose]();
        this.#probes.close();
      },
    };
  }

  /** Looks at what is due. @param busy components that are being worked on. */
  async observe(busy: (component: string) => boolean): Promise<void> {
    const { clock, store, checkMs } = this.#options;
    const now = clock.now();
    const all = now >= this.#nextCheck;
    const askPackages = all && now >= this.#nextPackageCheck;
    if (all) this.#nextCheck = now + checkMs * (0.9 + 0.2 * Math.random());
    if (askPackages) this.#nextPackageCheck = now + packageCheckMs * (0.9 + 0.2 * Math.random());
    for (const component of this.#judgements.keys()) {
      if (store.record(component)?.applied === undefined) this.#forget(component);
    }
    const due = [...store.records()].flatMap(([component, { applied }]): [string, Applied][] => {
      const isDue = all || this.#dirty.has(component) || !this.#judgements.has(component);
      return applied !== undefined && isDue && !busy(component) ? [[component, applied]] : [];
    });
    for (const [component] of due) this.#dirty.delete(component);
    const units = await this.#inspector.units(due.map(([, applied]) => applied));
    for (const [component, applied] of due) {
      try {
        await this.#observeOne(component, applied, units, askPackages);
      } catch (error) {
        // One that cannot be looked at holds up no other; what was known of it stays until the next check.
        this.#options.log.warn('a component could not be looked at', { component, error: String(error) });
      }
    }
  }

  async #observeOne(
    component: string,
    applied: Applied,
    units: Awaited<ReturnType<Inspector['units']>>,
    askPackages: boolean,
  ): Promise<void> {
    const now = this.#options.clock.now();
    const identity = identityOf(applied);
    this.#probes.watch(component, identity, applied.goal.probes, this.#proven.get(component) === identity);
    this.#hashDaily(component, applied, now);
    const seen = await this.#inspector.inspect(applied, units, now, askPackages);
    const { owes } = this.#options.store.record(component) ?? {};
    const judgement = judge(applied, seen, this.#probes.verdict(component), owes);
    this.#inspections.set(component, seen);
    this.#judgements.set(component, judgement);
    if (isHealthy(judgement)) await this.#forgive(this.#options.store.record(component));
  }

  /** A revision that was held though it was not healthy in time, and is healthy now, is the last good one. */
  async #forgive(record: ComponentRecord | undefined): Promise<void> {
    if (record?.failed === undefined || record.failed.goalKey !== record.applied?.goal.key) return;
    if (!['service', 'probes', 'observe'].includes(record.failed.step)) return;
    const { failed: _failed, lastGood: _lastGood, ...rest } = record;
    await this.#options.store.saveRecord(rest);
  }

  #hashDaily(component: string, applied: Applied, now: number): void {
    const due = this.#nextHash.get(component) ?? now + fullHashMs * Math.random();
    if (now >= due) for (const { path } of applied.files) this.#options.host.files.forgetDigests(path);
    this.#nextHash.set(component, now >= due ? now + fullHashMs : due);
  }

  #forget(component: string): void {
    this.#probes.forget(component);
    this.#judgements.delete(component);
    this.#inspections.delete(component);
  }
  #lookAt(concerns: (applied: Applied) => boolean): void {
    for (const [component, { applied }] of this.#options.store.records()) {
      if (applied !== undefined && concerns(applied)) this.look(component);
    }
  }
}

/** Tells one bringing in from another, of the same revision too. */
function identityOf(applied: Applied): string {
  return `${applied.goal.key}@${applied.at}`;
}

/** Everything whose change matters to it. */
function pathsOf(applied: Applied): readonly string[] {
  const unit = applied.goal.unit?.name;
  const dropIns =
    unit === undefined ? [] : [`${unitFolder}/${unit}.d`, `${unitFolder}/${unit}.d/override.conf`];
  return [...applied.files.map(({ path }) => path), ...Object.keys(applied.packageFiles ?? {}), ...dropIns];
}
