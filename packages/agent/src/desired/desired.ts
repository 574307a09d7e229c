import type { DesiredMachine, Revision } from '../plan/goal.ts';
import type { Logger } from '../log.ts';
import type { HostFiles } from '../ports.ts';
import { readJson } from '../state/store.ts';

/** What belongs on this host, as far as it is known: the Machine and the revisions that it names. */
export interface Desired {
  readonly machine: DesiredMachine;
  readonly revisions: readonly Revision[];
}

/** Keeps the last good desired state on disk in one file, so that Machine and revisions are always of one time. */
export class DesiredStore {
  readonly #files: HostFiles;
  readonly #path: string;
  readonly #log: Logger;
  #writing: Promise<void> = Promise.resolve();

  constructor(files: HostFiles, stateFolder: string, log: Logger) {
    this.#files = files;
    this.#path = `${stateFolder}/desired/desired.json`;
    this.#log = log;
  }

  /** undefined: nothing was kept, or it is unreadable; then what runs is held until the API server answers. */
  async read(): Promise<Desired | undefined> {
    const desired = await readJson<Desired>(this.#files, this.#path, this.#log);
    if (desired === undefined) return undefined;
    if (
      typeof desired.machine?.name !== 'string' ||
      !Array.isArray(desired.machine.entries) ||
      !Array.isArray(desired.revisions)
    ) {
      this.#log.warn('the desired state on disk is not one, and is left out of account', {
        path: this.#path,
      });
      return undefined;
    }
    return desired;
  }
  /** One after the other: the last one given is the one that stays. */
  write({ machine: { leave: _leave, ...machine }, revisions }: Desired): Promise<void> {
    const desired: Desired = { machine, revisions };
    const write = (): Promise<void> =>
      this.#files.write(this.#path, JSON.stringify(desired), { mode: 0o600 });
    const done = this.#writing.then(write, write);
    this.#writing = done;
    return done;
  }
}
