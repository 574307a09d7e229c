import type { HostFiles, PackageManager, ServiceManager } from '../ports.ts';
import type { Logger } from '../log.ts';
import { readJson } from './store.ts';

/** What stood at a path before KubeNode wrote there for the first time. */
export interface OriginalFile {
  readonly path: string;
  readonly kind: 'absent' | 'file' | 'symlink';
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly digest?: string;
  readonly target?: string;
  /** Copy of the content, in the originals' folder. */
  readonly copy?: string;
}
export interface OriginalUnit {
  readonly name: string;
  readonly present: boolean;
  readonly enabled: boolean;
  readonly masked: boolean;
  readonly active: boolean;
}
export interface OriginalPackage {
  readonly name: string;
  /** Version that was installed; left out: none was. */
  readonly version?: string;
  readonly held: boolean;
}
/** Everything about one component that Reverted needs. */
export interface Originals {
  readonly component: string;
  readonly files: readonly OriginalFile[];
  /** Folders that were not there and had to be made for the files. */
  readonly folders: readonly string[];
  readonly unit?: OriginalUnit;
  readonly package?: OriginalPackage;
}

/** The ports that originals are taken from. */
export interface OriginalsHost {
  readonly files: HostFiles;
  readonly services: ServiceManager;
  readonly packages: PackageManager | undefined;
}

/** What was there before us, one manifest per component, written before the host is touched. */
export class OriginalsStore {
  readonly #host: OriginalsHost;
  readonly #folder: string;
  readonly #log: Logger;

  constructor(host: OriginalsHost, stateFolder: string, log: Logger) {
    this.#host = host;
    this.#folder = `${stateFolder}/originals`;
    this.#log = log;
  }

  async read(component: string): Promise<Originals | undefined> {
    return readJson<Originals>(this.#host.files, `${this.#folder}/${component}.json`, this.#log);
  }
  async components(): Promise<readonly string[]> {
    if ((await this.#host.files.state(this.#folder)) === undefined) return [];
    const names = await this.#host.files.list(this.#folder);
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  }

  /**
   * Keeps what stands at the paths now, what the unit and the package are now. What is known already is left alone, so it can be
   * called again: what KubeNode itself brought has its original from before.
   */
  async keep(
    component: string,
    wanted: { paths: readonly string[]; unit?: string; package?: string },
  ): Promise<void> {
    const before = await this.read(component);
    const known = new Set(before?.files.map(({ path }) => path));
    const files = [...(before?.files ?? [])];
    const folders = new Set(before?.folders);
    for (const path of wanted.paths) {
      if (known.has(path)) continue;
      known.add(path);
      files.push(await this.#keepFile(component, path, files.length));
      for (const folder of await this.#missingFolders(path)) folders.add(folder);
    }
    const unit = before?.unit ?? (wanted.unit === undefined ? undefined : await this.#unit(wanted.unit));
    const pkg =
      before?.package ?? (wanted.package === undefined ? undefined : await this.#package(wanted.package));
    await this.save({
      component,
      files,
      folders: [...folders],
      ...(unit ? { unit } : {}),
      ...(pkg ? { package: pkg } : {}),
    });
  }

  async save(originals: Originals): Promise<void> {
    await this.#host.files.write(`${this.#folder}/${originals.component}.json`, JSON.stringify(originals), {
      mode: 0o600,
    });
  }
  /** Forgets a component, its copies first. */
  async drop(component: string): Promise<void> {
    await this.#host.files.remove(`${this.#folder}/${component}`);
    await this.#host.files.remove(`${this.#folder}/${component}.json`);
  }

  /** Puts one path back to what was there. */
  async restore(original: OriginalFile): Promise<void> {
    const { files } = this.#host;
    if (original.kind === 'absent') return files.remove(original.path);
    if (original.kind === 'symlink') return files.symlink(original.target ?? '', original.path);
    await files.install(original.copy ?? '', original.path, {
      mode: original.mode ?? 0o644,
      owner: `${original.uid ?? 0}:${original.gid ?? 0}`,
    });
  }

  async #keepFile(component: string, path: string, index: number): Promise<OriginalFile> {
    const { files } = this.#host;
    const state = await files.state(path);
    if (state === undefined) return { path, kind: 'absent' };
    const { mode, uid, gid } = state;
    if (state.kind === 'symlink')
      return { path, kind: 'symlink', mode, uid, gid, target: state.target ?? '' };
    if (state.kind !== 'file') {
      throw new Error(
        `${path} is a ${state.kind} on this host where the component brings a file: move it away, or correct the revision`,
      );
    }
    const copy = `${this.#folder}/${component}/${index}`;
    await files.install(path, copy, { mode: 0o600 });
    return {
      path,
      kind: 'file',
      mode,
      uid,
      gid,
      copy,
      ...(state.digest === undefined ? {} : { digest: state.digest }),
    };
  }
  async #missingFolders(path: string): Promise<readonly string[]> {
    const missing: string[] = [];
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      // A top-level folder of the host is nobody's to take away.
      if (folder.lastIndexOf('/') === 0) break;
      if ((await this.#host.files.state(folder)) !== undefined) break;
      missing.push(folder);
    }
    return missing;
  }
  async #unit(name: string): Promise<OriginalUnit> {
    const state = (await this.#host.services.states([name])).get(name);
    return {
      name,
      present: state !== undefined && state.loadState !== 'not-found',
      enabled: state?.enabled === 'enabled',
      masked: state?.enabled === 'masked',
      active: state?.activeState === 'active',
    };
  }
  async #package(name: string): Promise<OriginalPackage> {
    const installed = await this.#host.packages?.installed(name);
    return { name, held: installed?.held ?? false, ...(installed ? { version: installed.version } : {}) };
  }
}
