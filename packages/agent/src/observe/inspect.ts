import { readDropIns } from '../execute/commit.ts';
import type { Applied } from '../plan/operation.ts';
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
  readonly dropIns: Readonly<Record<string, string>>;
  readonly package?: InstalledPackage;
}

/** Looks at components; remembers what a process runs, since that does not change while it lives. */
export class Inspector {
  readonly #host: Host;
  readonly #executables = new Map<
    string,
    { readonly process: string; readonly digest: string | undefined }
  >();

  constructor(host: Host) {
    this.#host = host;
  }

  /** @param full also asks the package manager, which is dear; else only the package's files are looked at. */
  async inspect(applied: Applied, now: number, full: boolean): Promise<Inspection> {
    const { files, services, packages } = this.#host;
    const { goal } = applied;
    const states = new Map<string, FileState | undefined>();
    const paths = [...applied.files.map(({ path }) => path), ...Object.keys(applied.packageFiles ?? {})];
    for (const path of paths) states.set(path, await files.state(path));
    const unit = goal.unit && (await services.states([goal.unit.name])).get(goal.unit.name);
    const pid = unit?.mainPID ?? 0;
    const processState = pid > 0 ? await this.#host.processState(pid) : undefined;
    const executable = unit && pid > 0 ? await this.#executable(unit) : undefined;
    const installed = full && goal.package ? await packages?.installed(goal.package.name) : undefined;
    return {
      at: now,
      files: states,
      ...(unit === undefined ? {} : { unit }),
      ...(processState === undefined ? {} : { processState }),
      ...(executable === undefined ? {} : { executable }),
      dropIns: goal.unit ? await readDropIns(goal.unit.name, this.#host) : {},
      ...(installed === undefined ? {} : { package: installed }),
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
