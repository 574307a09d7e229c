/**
 * When each agent was heard of last, by our own clock: clocks of hosts are wrong. A Lease counts as renewed when it is seen to have
 * changed; what its renewTime says is only for people.
 */
export class Leases {
  readonly #seen = new Map<string, { renewTime: string; at: number; changed: boolean }>();

  /** @param now monotonic milliseconds */
  observe(machine: string, renewTime: string, now: number): void {
    const before = this.#seen.get(machine);
    if (before?.renewTime === renewTime) return;
    this.#seen.set(machine, { renewTime, at: now, changed: before !== undefined });
  }

  forget(machine: string): void {
    this.#seen.delete(machine);
  }

  /** @param now monotonic milliseconds */
  heard(machine: string, now: number): Heard | undefined {
    const seen = this.#seen.get(machine);
    if (seen === undefined) return undefined;
    return { silentMs: now - seen.at, renewTime: seen.renewTime, alive: seen.changed };
  }
}

export interface Heard {
  /** Since the last renewal that this process saw, or since it saw the Lease first. */
  readonly silentMs: number;
  /** The agent's own word, RFC 3339. */
  readonly renewTime: string;
  /** This process saw it renewed. A Lease that was merely found says nothing about who wrote it when. */
  readonly alive: boolean;
}
