/** What everybody asks of the NodeDisruptionBudget who takes a healthy machine from work. */

/** One disruption that somebody would like to begin. */
export interface Want {
  /** Who: `set/<name>` for the rollout of a set, `machine/<name>` for what a machine asks for itself. */
  readonly holder: string;
  readonly machine: string;
  readonly kind: 'Restart' | 'Drain' | 'Reboot';
}

/** Why not all that was asked for may begin. */
export interface Denial {
  /** The field of spec that denies it, such as `starts.perHour`; `ledger` where it was cleared or can't be read. */
  readonly limit: string;
  /** For people: which limit, how far it is used, what to do. */
  readonly message: string;
  /** Epoch milliseconds; when it may be otherwise, where that is known. */
  readonly until?: number;
}

/** Grants that are taken out of the ledger in memory, and not yet written. */
export interface Reservation {
  /** Machines that may be disturbed, of those asked for, in the order asked. Those with a grant in force already are among them, at no cost. */
  readonly granted: readonly string[];
  readonly denied: Denial | undefined;
  /**
   * Resolves with true once the ledger with these grants is written: before that nothing may be done with them. False: another writer was
   * faster; they are void, and have to be asked for anew. All reservations made within one turn of the event loop go into one write.
   */
  written(signal: AbortSignal): Promise<boolean>;
}

/** The budget `default`, as one process sees it. */
export interface Budget {
  /** Takes as many as the limits allow, in the order given. Synchronous, so that planners stay pure. @param now epoch milliseconds */
  reserve(wants: readonly Want[], now: number): Reservation;
  /** The disruption is over, or was never begun. Written soon, many in one write. No error where there is none. */
  release(holder: string, machine: string): void;
  /** Machines that the holder has grants for. */
  held(holder: string): ReadonlySet<string>;
  /** Calls back when more may be granted than before. */
  onChange(handler: () => void): void;
}
