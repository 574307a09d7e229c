import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { allows, type Disturbance, type Leave } from '../plan/leave.ts';
import type { Operation } from '../plan/operation.ts';
import type { HostFiles } from '../ports.ts';
import { readJson } from '../state/store.ts';

/** Leaves remembered as used; one that is older is not given again. */
const mostUsed = 20;

interface UsedLeave {
  readonly id: string;
  /** Boot that was to end. */
  readonly bootID: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The host took the order. Without it an agent may have been killed before it gave it. */
  readonly told?: true;
}

/** Leave to disturb this machine: what is granted now, who waits for it, and which leave has already had its reboot. */
export class Leaves {
  readonly #files: HostFiles;
  readonly #path: string;
  readonly #log: Logger;
  readonly #waiting = new Set<() => void>();
  /** Components whose work is done but for the reboot. */
  readonly #readyToReboot = new Set<string>();
  #current: Leave | undefined;
  #used: readonly UsedLeave[] = [];
  #rebooting: Promise<void> | undefined;

  constructor(files: HostFiles, stateFolder: string, log: Logger) {
    this.#files = files;
    this.#path = `${stateFolder}/reboots.json`;
    this.#log = log;
  }

  /** Reads back which leaves were used; once, before anything else. */
  async load(): Promise<void> {
    const used = await readJson<readonly UsedLeave[]>(this.#files, this.#path, this.#log);
    this.#used = Array.isArray(used) ? used : [];
  }

  get current(): Leave | undefined {
    return this.#current;
  }
  set(leave: Leave | undefined): void {
    this.#current = leave;
    this.changed();
  }
  /** Something that others wait for has changed: an operation ended or came further. */
  changed(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Whether so much may be done now. A leave gives one reboot. */
  allowed(kind: Disturbance): Leave | undefined {
    const leave = this.#current;
    if (!allows(leave, kind)) return undefined;
    return kind === 'Reboot' && this.isUsed(leave.id) ? undefined : leave;
  }
  isUsed(id: string): boolean {
    return this.#used.some((used) => used.id === id);
  }

  /** As `allowed('Reboot')`, and besides a leave whose order may never have been given: in the same boot it is still the same reboot. */
  #rebootable(bootID: string): Leave | undefined {
    const leave = this.#current;
    const used = this.#used.findLast(({ id }) => id === leave?.id);
    const isOpen = used?.bootID === bootID && used.told !== true;
    return isOpen && allows(leave, 'Reboot') ? leave : this.allowed('Reboot');
  }

  /** Resolves with the leave as soon as there is one. */
  async granted(kind: Disturbance, signal: AbortSignal): Promise<Leave> {
    return await this.#when(() => this.allowed(kind), signal);
  }

  /**
   * Reboots the host as soon as there is leave and no other work goes on that the same reboot could serve; resolves never, but rejects when
   * the host has not gone down by the deadline (epoch milliseconds), counted while there is leave.
   */
  async reboot(
    operation: Operation,
    how: {
      readonly bootID: string;
      readonly clock: Clock;
      readonly others: () => readonly Operation[];
      readonly journal: (leave: string) => Promise<void>;
      readonly reboot: () => Promise<void>;
    },
    signal: AbortSignal,
  ): Promise<never> {
    const { component } = operation.goal;
    const { clock, bootID } = how;
    this.#readyToReboot.add(component);
    this.changed();
    try {
      const deadline = operation.kind === 'Install' ? operation.deadlineAt : undefined;
      const late = new AbortController();
      const stop = AbortSignal.any([signal, late.signal]);
      if (deadline !== undefined) {
        void clock.sleep(Math.max(deadline - clock.now(), 0), stop).then(
          () => late.abort(new Error(this.#whyNoReboot(bootID, operation.goal.deadlineMs))),
          () => undefined,
        );
      }
      try {
        for (;;) {
          const leave = await this.#when(
            () =>
              how.others().every((other) => this.#isNoHindrance(other))
                ? this.#rebootable(bootID)
                : undefined,
            stop,
          );
          await how.journal(leave.id);
          this.#rebooting ??= this.#rebootOnce(leave.id, bootID, how).finally(() => {
            this.#rebooting = undefined;
          });
          await this.#rebooting;
        }
      } finally {
        late.abort(new Error('over'));
      }
    } finally {
      this.#readyToReboot.delete(component);
    }
  }

  /** Work that is under leave, or will want this reboot too, comes first; what only downloads is carried on after the boot. */
  #isNoHindrance({ goal, done, changes, step }: Operation): boolean {
    if (this.#readyToReboot.has(goal.component)) return true;
    if (step === 'leave') return false;
    return changes === undefined && done.length === 0 && goal.disruption !== 'Reboot';
  }

  /** On disk before the host is told: whatever happens after that, this leave has had its reboot. */
  async #rebootOnce(
    id: string,
    bootID: string,
    { clock, reboot }: { readonly clock: Clock; readonly reboot: () => Promise<void> },
  ): Promise<void> {
    const before = this.#used.filter((used) => used.id !== id);
    const using = { id, bootID, at: clock.now() };
    await this.#write([...before, using]);
    this.#log.info('the host is rebooted', { leave: id, bootID });
    await reboot();
    await this.#write([...before, { ...using, told: true }]);
  }

  async #write(used: readonly UsedLeave[]): Promise<void> {
    this.#used = used.slice(-mostUsed);
    await this.#files.write(this.#path, JSON.stringify(this.#used), { mode: 0o600 });
  }

  #whyNoReboot(bootID: string, deadlineMs: number): string {
    const told = this.#used.findLast((used) => used.bootID === bootID);
    const within = `within ${deadlineMs / 1000} s (spec.progressDeadline)`;
    return told === undefined
      ? `the host was not told to reboot ${within}: leave for it, or the end of work on other components, did not come`
      : `the host was told to reboot under leave ${told.id}, its boot ID is still ${bootID}, and no other leave came ${within}: a leave serves one reboot. See why the host does not go down`;
  }

  async #when<T>(answer: () => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const found = answer();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }
}
