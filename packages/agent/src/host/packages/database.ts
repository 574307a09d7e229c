import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import type { InstalledPackage, RunResult } from '../../ports.ts';
import { PackageError } from '../errors.ts';
import { inodeOf, statKey } from '../files/digests.ts';
import { isMissing } from '../files/rooted-paths.ts';
import { isSettled } from '../files/settled.ts';

export interface DatabaseOptions {
  /** Where dpkg's database lies on this machine; its own place by default. */
  readonly databaseFolder?: string;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface DatabaseView {
  /** The package asked for. */
  readonly installed: InstalledPackage | undefined;
  /** Something was left in the middle: a package, whichever, that is not configured, or what an interrupted dpkg wrote down. */
  readonly unfinished: boolean;
}

interface Row {
  readonly name: string;
  readonly architecture: string;
  /** Left out where only configuration files remain. */
  readonly installed?: InstalledPackage;
}

const format = '${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\\n';
const dpkgFolder = '/var/lib/dpkg';

/** What dpkg knows of all packages, asked once for as long as its files stay the same: a process for each question costs ten times the look. */
export class PackageDatabase {
  readonly #ask: (command: readonly string[]) => Promise<RunResult>;
  readonly #folder: string;
  readonly #now: () => number;
  #known: { readonly key: string; readonly rows: readonly Row[] } | undefined;

  constructor(
    ask: (command: readonly string[]) => Promise<RunResult>,
    { databaseFolder = dpkgFolder, now = Date.now }: DatabaseOptions,
  ) {
    this.#ask = ask;
    this.#folder = databaseFolder;
    this.#now = now;
  }

  /** @param name by Debian policy, with an architecture where one is named. @throws PackageError where dpkg cannot be asked */
  async look(name: string): Promise<DatabaseView> {
    const [own, architecture] = name.split(':');
    const rows = await this.#rows(name);
    const row = rows.find(
      (row) =>
        row.installed !== undefined &&
        row.name === own &&
        (architecture === undefined || row.architecture === architecture),
    );
    const unfinished =
      this.#journal().length > 0 || rows.some(({ installed }) => installed?.complete === false);
    return { installed: row?.installed, unfinished };
  }

  async #rows(name: string): Promise<readonly Row[]> {
    const key = this.#key();
    if (key !== undefined && this.#known?.key === key) return this.#known.rows;
    const { exitCode, output } = await this.#ask(['dpkg-query', '--show', `--showformat=${format}`]);
    // 1: dpkg has never heard of any package.
    if (exitCode > 1) throw new PackageError(name, `dpkg cannot be asked about ${name}: ${output.trim()}`);
    const rows = output.split('\n').flatMap((line) => readRow(line) ?? []);
    this.#known = key !== undefined && key === this.#key() ? { key, rows } : undefined;
    return rows;
  }

  /** Differs after every change; undefined where another change might not show yet. */
  #key(): string | undefined {
    const now = this.#now();
    const parts = ['status', 'updates'].map((name) =>
      statSync(path.join(this.#folder, name), { bigint: true, throwIfNoEntry: false }),
    );
    if (!parts.every((stat) => stat !== undefined && isSettled(stat, now))) return undefined;
    return parts.map((stat) => (stat === undefined ? '' : `${inodeOf(stat)}:${statKey(stat)}`)).join(' ');
  }

  /** Files that dpkg writes while it works and merges at its end. */
  #journal(): readonly string[] {
    try {
      return readdirSync(path.join(this.#folder, 'updates')).filter((name) => /^\d+$/.test(name));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

function readRow(line: string): Row | undefined {
  const [, want, status, broken, name, architecture, version] =
    /^(.)(.)(.)\|([^|]*)\|([^|]*)\|(.*)$/.exec(line) ?? [];
  if (name === undefined || architecture === undefined || version === undefined) return undefined;
  if (status === 'n' || status === 'c') return { name, architecture };
  const complete = status === 'i' && broken === ' ';
  return { name, architecture, installed: { version, complete, held: want === 'h' } };
}
