import { readDropIns } from '../execute/commit.ts';
import { packageHarms } from '../plan/changes.ts';
import type { Applied } from '../plan/operation.ts';
import { RestartCount } from './restart-count.ts';
import type { FileState, Host, InstalledPackage, UnitState } from '../ports.ts';

/** One look at everything that a component has on the host. */
export interface Inspection {
  /** Epoch milliseconds when it was begun. */
  readonly at: number;
  readonly files: ReadonlyMap<string, FileState | undefined>;
  readonly unit?: UnitState;
  /** State letter of the main process. */
  readonly processState?: string;
  /** Digest of what the main process runs. */
  readonly executable?: string;
  /** How often it was started again by itself, for people; only where that is far too often. */
  readonly restartsLately?: string;
  readonly dropIns: Readonly<Record<string, string>>;
  readonly package?: InstalledPackage;
  /** Paths that dpkg says are not what the package brought. */
  readonly packageHarm?: readonly string[];
}

/** Looks at components; remembers what a process runs, since that does not change while it lives. */
export class Inspector {
  readonly #host: Host;
  readonly #executables = new Map<
    string,
    { readonly process: string; readonly digest: string | undefined }
  >();

  readonly #restarts = new RestartCount();

  constructor(host: Host) {
    this.#host = host;
  }

  /** States of the units of all these, asked for at once. */
  async units(all: readonly Applied[]): Promise<ReadonlyMap<string, UnitState>> {
    const names = all.flatMap(({ goal }) => (goal.unit ? [goal.unit.name] : []));
    return names.length > 0 ? this.#host.services.states(names) : new Map();
  }

  /** @param full also asks the package manager, which is dear; else only the package's files are looked at. */
  async inspect(
    applied: Applied,
    units: ReadonlyMap<string, UnitState>,
    now: number,
    full: boolean,
  ): Promise<Inspection> {
    const { files, packages } = this.#host;
    const { goal } = applied;
    const states = new Map<string, FileState | undefined>();
    const paths = [...applied.files.map(({ path }) => path), ...Object.keys(applied.packageFiles ?? {})];
    for (const path of paths) states.set(path, await files.state(path));
    const unit = goal.unit && units.get(goal.unit.name);
    const pid = unit?.mainPID ?? 0;
    const processState = pid > 0 ? await this.#host.processState(pid) : undefined;
    const executable = unit && pid > 0 ? await this.#executable(unit) : undefined;
    const restartsLately = unit && this.#restarts.tooOften(unit, now);
    const name = full ? goal.package?.name : undefined;
    const installed = name === undefined ? undefined : await packages?.installed(name);
    const packageHarm =
      name === undefined || installed === undefined
        ? undefined
        : packageHarms((await packages?.verify(name)) ?? []);
    return {
      at: now,
      files: states,
      ...(unit === undefined ? {} : { unit }),
      ...(processState === undefined ? {} : { processState }),
      ...(executable === undefined ? {} : { executable }),
      ...(restartsLately === undefined ? {} : { restartsLately }),
      dropIns: goal.unit ? await readDropIns(goal.unit.name, this.#host) : {},
      ...(installed === undefined ? {} : { package: installed }),
      ...(packageHarm === undefined ? {} : { packageHarm }),
    };
  }

  async #executable(unit: UnitState): Promise<string | undefined> {
    const process = `${unit.mainPID}:${unit.startedAt ?? 0}`;
    const known = this.#executables.get(unit.name);
    if (known?.process === process && known.digest !== undefined) return known.digest;
    const digest = await this.#host.executableDigest(unit.mainPID);
    this.#executables.set(unit.name, { process, digest });
    return digest;
  }
}
