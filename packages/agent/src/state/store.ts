import type { HostFiles } from '../ports.ts';
import type { ComponentRecord, Operation } from '../plan/operation.ts';
import type { Logger } from '../log.ts';

/** Of records and operations; one that is newer comes of an agent that was here and went, and is left alone. Left out in the oldest. */
const format = 1;
const secret = { mode: 0o600 } as const;

/** Reads a JSON file of ours. Garbage (a disk's fault, never our write, which is atomic) is told and counts as nothing. */
export async function readJson<T>(files: HostFiles, path: string, log: Logger): Promise<T | undefined> {
  if ((await files.state(path)) === undefined) return undefined;
  try {
    return JSON.parse((await files.read(path)).toString('utf8')) as T;
  } catch (error) {
    log.warn('a file of the agent is unreadable and is left out of account', { path, error: String(error) });
    return undefined;
  }
}

/** What the agent keeps on disk about components. Each write is atomic and on disk when its promise resolves. */
export class StateStore {
  readonly folder: string;
  readonly #files: HostFiles;
  readonly #log: Logger;
  readonly #records = new Map<string, ComponentRecord>();
  readonly #operations = new Map<string, Operation>();
  readonly #newer = new Set<string>();

  /** @param folder of the agent's state on the host, `/var/lib/kubenode`. */
  constructor(files: HostFiles, folder: string, log: Logger) {
    this.#files = files;
    this.folder = folder;
    this.#log = log;
  }

  /** Reads everything back; to be called once before anything else. */
  async load(): Promise<void> {
    for (const [name, record] of await this.#readAll<ComponentRecord>('components'))
      this.#records.set(name, record);
    for (const [name, operation] of await this.#readAll<Operation>('journal'))
      this.#operations.set(name, operation);
  }

  /** Every component of which anything is known. */
  components(): readonly string[] {
    return [...new Set([...this.#records.keys(), ...this.#operations.keys()])];
  }
  /** Components of which a newer agent has written what this one cannot read. */
  newer(): ReadonlySet<string> {
    return this.#newer;
  }
  record(component: string): ComponentRecord | undefined {
    return this.#records.get(component);
  }
  records(): ReadonlyMap<string, ComponentRecord> {
    return this.#records;
  }
  operation(component: string): Operation | undefined {
    return this.#operations.get(component);
  }
  operations(): ReadonlyMap<string, Operation> {
    return this.#operations;
  }

  async saveRecord(record: ComponentRecord): Promise<void> {
    await this.#files.write(
      this.#path('components', record.component),
      JSON.stringify({ format, ...record }),
      secret,
    );
    this.#newer.delete(record.component);
    this.#records.set(record.component, record);
  }
  async dropRecord(component: string): Promise<void> {
    await this.#files.remove(this.#path('components', component));
    this.#records.delete(component);
  }
  async saveOperation(operation: Operation): Promise<void> {
    await this.#files.write(
      this.#path('journal', operation.goal.component),
      JSON.stringify({ format, ...operation }),
      secret,
    );
    this.#operations.set(operation.goal.component, operation);
  }
  async dropOperation(component: string): Promise<void> {
    await this.#files.remove(this.#path('journal', component));
    this.#operations.delete(component);
  }

  #path(folder: string, component: string): string {
    return `${this.folder}/${folder}/${component}.json`;
  }
  async #readAll<T>(name: string): Promise<[string, T][]> {
    const folder = `${this.folder}/${name}`;
    if ((await this.#files.state(folder)) === undefined) return [];
    const found: [string, T][] = [];
    for (const file of await this.#files.list(folder)) {
      if (!file.endsWith('.json')) continue;
      const value = await readJson<T & { readonly format?: number }>(
        this.#files,
        `${folder}/${file}`,
        this.#log,
      );
      if ((value?.format ?? format) > format) this.#newer.add(file.slice(0, -'.json'.length));
      else if (value !== undefined) found.push([file.slice(0, -'.json'.length), value]);
    }
    return found;
  }
}
