import { windowAt } from '../window/window.ts';
import { planBack } from './back.ts';
import { batchSize, capacity, pick, total } from './capacity.ts';
import { passGates } from './gates.ts';
import { failureOf, isPromoted, promotion, stillHalted } from './halt.ts';
import { doneSince } from './identity.ts';
import type { Member } from '../member/member.ts';
import { reserve } from './reserve.ts';
import type { Move, RolloutInput, RolloutPlan } from './outcome.ts';
import { Standing } from './standing.ts';
import type { Tally } from './tally.ts';
import type { SetView } from '../member/view.ts';
import { at, machines, name, nameBlocked } from './words.ts';

/**
 * Which machines of a set are moved now. Pure: the same tally gives the same moves. Everything it remembers stands in the entries
 * (rollout, batch, movedAt) and in the set's status (batch, halted, promoted), so another process goes on where this one ended.
 */
export function planRollout(input: RolloutInput): RolloutPlan {
  const joins = planJoins(input.set, input.tally);
  const plan = planMoves(new Standing(input), joins.length);
  return { ...plan, moves: [...joins, ...plan.moves] };
}

/**
 * Machines new to the component need not wait for their batch; but no more join at a time than the last batch is large, so that a
 * selector widened by mistake, or a revision that fails on new machines, does not reach them all.
 */
function planJoins(set: SetView, tally: Tally): Move[] {
  const room = batchSize(set, tally, set.rollout.batches.length) - tally.joining.size;
  const joins: Move[] = [];
  for (const member of tally.joins.values()) {
    if (joins.length >= room) break;
    joins.push({ member });
  }
  return joins;
}

function planMoves(standing: Standing, joining: number): RolloutPlan {
  const { set, tally, targets, now } = standing.input;
  if (targets.update === undefined && !set.deleting) {
    const { halted, updateRevision } = set.status;
    const details = halted === undefined || updateRevision !== set.revision ? {} : { halted };
    return standing.is('Waiting', 'there is no revision that machines could be moved to', details);
  }
  const isAtRest = doneSince(set) > 0 && tally.moves.size === 0;
  const promoted = isAtRest ? undefined : promotion(set, standing.rollout, now);
  if (promoted !== undefined) standing.carry({ promoted });
  standing.expire();
  const halted = stillHalted(set, standing.rollout);
  if (halted !== undefined) return planBack(standing, halted);
  const failed = promoted === undefined ? planFailed(standing) : undefined;
  return failed ?? planBatch(standing, joining);
}

/** More machines of a batch failed than may. Who tries again by itself may still put it right; where nobody does, a person has to. */
function planFailed(standing: Standing): RolloutPlan | undefined {
  const { set } = standing.input;
  const failure = standing.moved === undefined ? undefined : failureOf(set, standing.rollout, standing.moved);
  if (failure === undefined) return undefined;
  const { batch, cause, names, isFinal } = failure;
  if (isFinal || set.rollout.onFailure === 'Rollback')
    return planBack(standing, standing.halt(cause, names, batch));
  const next = standing.left === 0 ? 'it' : 'no more machines are moved until it';
  return standing.is(
    'Paused',
    `${names}: ${next} is Ready, the revision changes, or retryToken is changed`,
    { failed: true },
    standing.deadline,
  );
}

/** The batch that stands: until its machines are Ready, and its gates passed. */
function planBatch(standing: Standing, joining: number): RolloutPlan {
  const { tally, now } = standing.input;
  if (standing.number === 0 || standing.hasPassed) return planNext(standing, joining);
  const { members } = standing.batch;
  // What is removed leaves its batch: an empty one has done its work.
  const isFull =
    (standing.input.set.deleting && members.size === 0) || members.size >= standing.sizeOf(standing.number);
  if (!isFull && tally.moves.size > 0) return planNext(standing, joining);
  if (standing.working > 0 && !standing.isWatched) return standing.updating();
  const gates = members.size === 0 || isUngated(standing) ? undefined : standing.gates(passGates);
  if (gates?.kind === 'Wait') {
    const { state, reason, since, until, results, isAsking } = gates;
    return { ...standing.is(state, reason, { since, until, inspections: results }, until), isAsking };
  }
  if (gates?.kind === 'Halt') {
    standing.carry({ inspections: gates.results });
    return planBack(standing, standing.halt(gates.cause, gates.message, standing.number));
  }
  standing.carry({ passedAt: now, ...(gates && { inspections: gates.results }) });
  return planNext(standing, joining);
}

/** There is nothing to look at after a removal, and nothing is looked at where a person has promoted the revision. */
function isUngated({ input: { set } }: Standing): boolean {
  return set.deleting || isPromoted(set);
}

/** The next batch, or the next part of one that does not fit into maxUnavailable or the budget at once. */
function planNext(standing: Standing, joining: number): RolloutPlan {
  const { set, tally, now, obstacle } = standing.input;
  const { left } = standing;
  if (set.paused && left > 0) return standing.stays('Paused', pausedWith(left));
  if (tally.moves.size === 0) return rest(standing, joining);
  if (obstacle !== undefined) return standing.stays('Waiting', obstacle);
  const begins = standing.number === 0 || standing.hasPassed;
  const opening = begins ? windowAt(set.rollout.windows, now) : undefined;
  if (opening?.open === false) return closed(standing, opening);
  const number = begins ? standing.number + 1 : standing.number;
  const room = standing.sizeOf(number) - (begins ? 0 : standing.batch.members.size);
  const picked = pick(tally.turns(), room, capacity(set, tally));
  if (picked.length === 0) {
    const cap = `maxUnavailable ${set.rollout.maxUnavailable} of ${machines(total(tally))}`;
    const users = name(tally.unavailable.values(), tally.unavailable.size);
    return standing.stays('Waiting', `${cap} is used up by ${users}`);
  }
  const grant = reserve(standing.input, picked, standing.input.restarts);
  if (grant.members.length === 0) {
    const { message = 'the disruption budget allows nothing', until } = grant.denied ?? {};
    return {
      ...standing.stays('Waiting', `the disruption budget: ${message.replace(/\.$/, '')}`, until),
      isDenied: true,
    };
  }
  const moves = grant.members.map(
    (member): Move => ({
      member,
      rollout: standing.rollout,
      batch: number,
      ...(grant.reservation === undefined ? {} : { reservation: grant.reservation }),
    }),
  );
  if (begins) standing.begin(number);
  const plan = standing.updating(grant.members);
  return { ...plan, moves, isDenied: grant.denied !== undefined };
}

function pausedWith(left: number): string {
  return `paused with ${machines(left)} still to be moved: set spec.paused to false to go on`;
}

function closed(standing: Standing, { next, problem }: { next?: number; problem?: string }): RolloutPlan {
  if (problem !== undefined) return standing.stays('Waiting', `spec.rollout.${problem}`);
  if (next === undefined) return standing.stays('Waiting', 'none of its windows opens in the next two weeks');
  const reason = `outside its windows; the next batch begins at ${at(next)}`;
  return standing.stays('Waiting', reason, next);
}

/** Nothing can be moved any more: what is still waited for. */
function rest(standing: Standing, joining: number): RolloutPlan {
  const { set, tally } = standing.input;
  const isIdle = [...tally.blocked.values()].every((member) => member.need === 'Join');
  if (doneSince(set) > 0 && isIdle) return standing.is('Done', '');
  if (tally.blocked.size > 0) {
    const why = nameBlocked(tally.blocked.values(), tally.blocked.size);
    return standing.is('Waiting', `${machines(tally.blocked.size)} cannot be moved now: ${why}`);
  }
  const lost = lostOf(standing);
  if (lost !== undefined) return lost;
  const late = tally.joining.size + (standing.moved?.outstanding.size ?? 0);
  if (late > 0)
    return standing.is('Updating', `waits for ${name(lateOf(standing), late)}`, {}, standing.deadline);
  const waiting = joining + tally.joins.size;
  if (waiting > 0) return standing.is('Updating', `waits for ${machines(waiting)} to join`);
  return standing.is('Done', '');
}

/** All others have the revision; those that failed stay as they are, within maxFailed or accepted by a promotion. */
function lostOf(standing: Standing): RolloutPlan | undefined {
  const { failed, late } = standing.moved ?? {};
  const count = (failed?.size ?? 0) + (late?.size ?? 0);
  if (count === 0 || count < (standing.moved?.outstanding.size ?? 0)) return undefined;
  const names = name([...(failed?.values() ?? []), ...(late?.values() ?? [])], count);
  const reason = `all others have it; ${names}: change retryToken to have it tried again, or give another revision`;
  return standing.is('Waiting', reason, { failed: true });
}

function* lateOf({ input, moved }: Standing): Generator<Member> {
  yield* input.tally.joining.values();
  yield* moved?.outstanding.values() ?? [];
}
