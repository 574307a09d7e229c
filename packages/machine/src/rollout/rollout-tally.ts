import { Deadlines } from './deadlines.ts';
import type { Member } from '../member/member.ts';

/** The machines of one batch. */
export interface BatchTally {
  readonly members: Map<string, Member>;
  /** Not Ready, by name of machine. */
  readonly outstanding: Map<string, Member>;
  /** Of the outstanding: they failed, or were not Ready by the deadline. */
  readonly lost: Map<string, Member>;
  /** Something else is wrong on them. */
  readonly troubled: Map<string, Member>;
}

/** The machines that one rollout has moved, by batch, kept up to date machine by machine. */
export class RolloutTally {
  readonly batches = new Map<number, BatchTally>();
  /** Those that failed, and those that were not Ready by the deadline, of all batches. */
  readonly failed = new Map<string, Member>();
  readonly late = new Map<string, Member>();
  /** Not Ready, of all batches. */
  readonly outstanding = new Map<string, Member>();
  /** The highest number of a batch. */
  last = 0;
  #deadlines = new Deadlines();
  /** By machine: the move whose deadline is kept. */
  readonly #armed = new Map<string, number>();
  #expired = { now: 0, deadlineMs: 0 };

  put(member: Member): void {
    const number = member.batch ?? 1;
    let batch = this.batches.get(number);
    if (batch === undefined) {
      batch = { members: new Map(), outstanding: new Map(), lost: new Map(), troubled: new Map() };
      this.batches.set(number, batch);
      this.last = Math.max(this.last, number);
    }
    const { machine } = member;
    batch.members.set(machine, member);
    if (member.troubles.length > 0) batch.troubled.set(machine, member);
    if (member.ready) return;
    batch.outstanding.set(machine, member);
    this.outstanding.set(machine, member);
    if (member.failed) {
      batch.lost.set(machine, member);
      this.failed.set(machine, member);
    } else if (this.#isLate(member)) this.#setLate(batch, member);
    else this.#arm(member);
  }

  remove(member: Member): void {
    const number = member.batch ?? 1;
    const batch = this.batches.get(number);
    if (batch === undefined) return;
    const { machine } = member;
    for (const bucket of [batch.members, batch.outstanding, batch.lost, batch.troubled])
      bucket.delete(machine);
    for (const bucket of [this.outstanding, this.failed, this.late]) bucket.delete(machine);
    if (batch.members.size > 0) return;
    this.batches.delete(number);
    if (number === this.last) this.last = Math.max(0, ...this.batches.keys());
  }

  /**
   * Counts as late who has not become Ready within the deadline. Returns when the next one would, epoch milliseconds.
   * @param now epoch milliseconds
   */
  expire(now: number, deadlineMs: number): number | undefined {
    // Another deadline, or a clock that was put back: who was late may not be.
    const isRevised = deadlineMs !== this.#expired.deadlineMs || now < this.#expired.now;
    this.#expired = { now, deadlineMs };
    if (isRevised) this.#revise();
    for (let next = this.#deadlines.peek(); next !== undefined; next = this.#deadlines.peek()) {
      const { machine, batch: number, at } = next;
      const batch = this.batches.get(number);
      const member = batch?.outstanding.get(machine);
      const isAwaited = member?.dueFrom === at && batch?.lost.has(machine) === false;
      if (isAwaited && at + deadlineMs > now) return at + deadlineMs;
      this.#deadlines.pop();
      if (this.#armed.get(machine) === at) this.#armed.delete(machine);
      if (isAwaited) this.#setLate(batch, member);
    }
    return undefined;
  }

  #revise(): void {
    this.#deadlines = new Deadlines();
    this.#armed.clear();
    for (const batch of this.batches.values()) {
      for (const member of batch.outstanding.values()) {
        if (member.failed) continue;
        batch.lost.delete(member.machine);
        this.late.delete(member.machine);
        this.#arm(member);
      }
    }
  }

  /** Once for a move, however often its machine reports. */
  #arm({ machine, dueFrom, batch }: Member): void {
    if (this.#armed.get(machine) === dueFrom || !Number.isFinite(dueFrom)) return;
    this.#armed.set(machine, dueFrom);
    this.#deadlines.push({ machine, at: dueFrom, batch: batch ?? 1 });
  }

  #isLate(member: Member): boolean {
    const { now, deadlineMs } = this.#expired;
    return member.dueFrom + deadlineMs <= now;
  }

  #setLate(batch: BatchTally, member: Member): void {
    batch.lost.set(member.machine, member);
    this.late.set(member.machine, member);
  }
}
