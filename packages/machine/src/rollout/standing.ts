import type { BatchStatus, HaltedRollout } from '@kubenode/api';
import { parseDuration } from '@kubenode/runtime';
import { batchSize } from './capacity.ts';
import type { Gates, GatesInput } from './gates.ts';
import { rolloutID } from './identity.ts';
import type { Member } from '../member/member.ts';
import type { Details, RolloutInput, RolloutPlan, RolloutState } from './outcome.ts';
import type { BatchTally, RolloutTally } from './rollout-tally.ts';
import { machines, name } from './words.ts';

const nobody: BatchTally = {
  members: new Map(),
  outstanding: new Map(),
  lost: new Map(),
  troubled: new Map(),
};

/** Where a set's rollout stands while it is looked at, read from the entries and the status, and how that is told. */
export class Standing {
  readonly input: RolloutInput;
  readonly rollout: string;
  /** What it has moved. */
  readonly moved: RolloutTally | undefined;
  /** When the next machine counts as late, epoch milliseconds. */
  deadline: number | undefined;
  /** The batch that stands, 0 before the first, and its machines. */
  number: number;
  batch: BatchTally;
  /** What the status says of that batch. */
  #before: BatchStatus | undefined;
  /** Told whatever becomes of it. */
  #details: Details;

  constructor(input: RolloutInput) {
    const { set, tally, targets, now } = input;
    this.input = input;
    const { batch } = set.status;
    const isHeld =
      targets.update === undefined && !set.deleting && set.status.updateRevision === set.revision;
    this.rollout = (isHeld ? batch?.rollout : undefined) ?? rolloutID(set, tally, targets, now);
    this.moved = tally.rollouts.get(this.rollout);
    const mine = batch?.rollout === this.rollout ? batch : undefined;
    // The status may be ahead of the entries where these were not written any more; the batch has begun all the same.
    this.number = Math.max(this.moved?.last ?? 0, mine?.number ?? 0);
    this.batch = this.moved?.batches.get(this.number) ?? nobody;
    this.#before = mine?.number === this.number ? mine : undefined;
    const begunAt = Date.parse(this.#before?.begunAt ?? '') || this.#firstMove();
    const passedAt = Date.parse(this.#before?.passedAt ?? '') || undefined;
    const inspections = this.#before?.inspections;
    this.#details = {
      ...(begunAt === undefined ? {} : { begunAt }),
      ...(passedAt === undefined ? {} : { passedAt }),
      ...(inspections === undefined ? {} : { inspections }),
    };
  }

  get hasPassed(): boolean {
    return this.#details.passedAt !== undefined;
  }

  /** Machines of the batch that are on their way. */
  get working(): number {
    return this.batch.outstanding.size - this.batch.lost.size;
  }

  /** Machines that are not moved yet. */
  get left(): number {
    const { tally } = this.input;
    return tally.moves.size + tally.blocked.size;
  }

  /** Its machines were all Ready, and BuiltIn watches that they stay so. */
  get isWatched(): boolean {
    const state = this.#before?.state;
    const isLooked = state === 'Inspecting' || state === 'Observing';
    return isLooked && this.input.set.rollout.inspections.some(({ type }) => type === 'BuiltIn');
  }

  sizeOf(batch: number): number {
    return batchSize(this.input.set, this.input.tally, batch);
  }

  carry(details: Details): void {
    this.#details = { ...this.#details, ...details };
  }

  expire(): void {
    const { set, now } = this.input;
    this.deadline = this.moved?.expire(now, parseDuration(set.rollout.deadline));
  }

  /** A new batch begins. */
  begin(number: number): void {
    const { promoted } = this.#details;
    this.number = number;
    this.batch = this.moved?.batches.get(number) ?? nobody;
    this.#details = { begunAt: this.input.now, ...(promoted === undefined ? {} : { promoted }) };
  }

  gates(pass: (input: GatesInput) => Gates): Gates {
    const { set, inspections, now } = this.input;
    const { batch, number, rollout } = this;
    const begunAt = this.#details.begunAt ?? now;
    return pass({ set, batch, number, rollout, begunAt, isLast: this.left === 0, inspections, now });
  }

  halt(cause: HaltedRollout['cause'], message: string, batch: number): HaltedRollout {
    const { set, now } = this.input;
    return {
      rollout: this.rollout,
      batch,
      cause,
      at: new Date(now).toISOString(),
      message: message.slice(0, 1024),
      ...(set.retryToken === '' ? {} : { retryToken: set.retryToken }),
    };
  }

  is(state: RolloutState['state'], reason: string, details: Details = {}, lookAt?: number): RolloutPlan {
    const { number: batch, rollout } = this;
    const size = batch === 0 ? 0 : this.sizeOf(batch);
    const outcome = { rollout, batch, size, state, reason, failed: false, ...this.#details, ...details };
    return { moves: [], outcome, ...(lookAt === undefined ? {} : { lookAt }) };
  }

  /** Machines of the batch are on their way, and `picked` with them. While all of them wait for the budget no deadline runs. */
  updating(picked: readonly Member[] = [], why = ''): RolloutPlan {
    const { set, now } = this.input;
    const { outstanding, lost } = this.batch;
    const count = this.working + picked.length;
    const deadline =
      this.deadline ?? (picked.length === 0 ? undefined : now + parseDuration(set.rollout.deadline));
    const working = function* (): Generator<Member> {
      for (const member of outstanding.values()) if (!lost.has(member.machine)) yield member;
      // Where they stood before the move is of no interest any more.
      for (const member of picked) yield { ...member, stands: '' };
    };
    const reason = `waits for ${name(working(), count)}${why}`;
    return this.is('Updating', reason, deadline === undefined ? {} : { until: deadline }, deadline);
  }

  /** Nothing more can be moved now. While machines of the batch are on their way, that is what is waited for first. */
  stays(state: 'Waiting' | 'Paused', reason: string, until?: number): RolloutPlan {
    if (this.working > 0 && !this.hasPassed) {
      const plan = this.updating([], `; then ${machines(this.left)} more wait: ${reason}`);
      const looks = [plan.lookAt, until].filter((at) => at !== undefined);
      return looks.length === 0 ? plan : { ...plan, lookAt: Math.min(...looks) };
    }
    return this.is(state, reason, until === undefined ? {} : { until }, until);
  }

  /** Looks at all machines of the batch: only where the status does not say it. */
  #firstMove(): number | undefined {
    let first: number | undefined;
    for (const { movedAt } of this.batch.members.values()) first = Math.min(first ?? movedAt, movedAt);
    return first;
  }
}
