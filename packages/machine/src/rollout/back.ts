import type { HaltedRollout } from '@kubenode/api';
import { capacity, costOf } from './capacity.ts';
import type { Member } from '../member/member.ts';
import type { Target } from '../member/wish.ts';
import { reserve } from './reserve.ts';
import type { Move, RolloutPlan } from './outcome.ts';
import type { Standing } from './standing.ts';
import { machines, name } from './words.ts';

/** A rollout that a failure has stopped: its machines go back where the set says Rollback, and then a person has to say what next. */
export function planBack(standing: Standing, halted: HaltedRollout): RolloutPlan {
  const { set, targets } = standing.input;
  const what = `${halted.cause} in batch ${halted.batch}: ${halted.message}`;
  const details = { failed: true, halted };
  if (set.rollout.onFailure !== 'Rollback' || set.deleting) {
    return standing.is('Paused', `${what}. ${next}`, details);
  }
  const to = targets.completed;
  if (to === undefined || to.revision === targets.update?.revision) {
    const why = 'There is no revision to go back to: none was completed before';
    return standing.is('Paused', `${what}. ${why}. ${next}`, details);
  }
  const back = set.paused ? undefined : goBack(standing, to);
  const picked = (back?.members ?? []).map((member) => ({ ...member, stands: '' }));
  const waits = [...picked, ...onTheirWay(standing)];
  const left = leftOf(standing) - picked.length;
  // Who went back and does not work there is told of as any other; it does not begin anew.
  const wasBack = set.status.halted?.at === halted.at && set.status.batch?.state === 'Paused';
  if (left === 0 && (waits.length === 0 || (wasBack && picked.length === 0))) {
    return standing.is('Paused', `${what}. Its machines are back on ${to.revision}. ${next}`, details);
  }
  const more = left > 0 ? `; ${machines(left)} more to go back${why(standing, back?.denied)}` : '';
  const reason = `back to ${to.revision}: waits for ${name(waits, waits.length)}${more}. ${what}`;
  const plan = standing.is('RollingBack', reason, details, back?.until);
  return { ...plan, moves: back?.moves ?? [], isDenied: back?.denied !== undefined };
}

const next =
  'It goes on with another revision, with another retryToken, or with promote set to this revision';

function why({ input: { set } }: Standing, denied: string | undefined): string {
  if (set.paused) return ' when spec.paused is false';
  return denied === undefined ? '' : ` (the disruption budget: ${denied})`;
}

/** The next machines that go back: the broken ones at once, the others as maxUnavailable and the budget allow. */
function goBack(
  standing: Standing,
  to: Target,
): { moves: readonly Move[]; members: readonly Member[]; denied: string | undefined; until?: number } {
  const { input, rollout } = standing;
  let free = capacity(input.set, input.tally);
  const picked: Member[] = [];
  for (const member of toReturn(standing)) {
    const cost = costOf(member);
    if (cost > Math.max(0, free)) break;
    free -= cost;
    picked.push(member);
  }
  const { members, reservation, denied } = reserve(input, picked, input.restartsBack);
  const moves = members.map(
    (member): Move => ({
      member,
      rollout,
      batch: member.batch ?? 1,
      back: to,
      ...(reservation === undefined ? {} : { reservation }),
    }),
  );
  const until = denied?.until;
  return { moves, members, denied: denied?.message, ...(until === undefined ? {} : { until }) };
}

/** The broken ones first. A paused machine is left alone. */
function* toReturn({ moved, input: { tally } }: Standing): Generator<Member> {
  if (moved === undefined) return;
  for (const member of moved.outstanding.values()) if (costOf(member) === 0 && isFree(member)) yield member;
  for (const batch of moved.batches.values()) {
    for (const member of batch.members.values()) {
      const isBroken = tally.unavailable.has(member.machine) || moved.outstanding.has(member.machine);
      if (isFree(member) && !(isBroken && costOf(member) === 0)) yield member;
    }
  }
}

function isFree(member: Member): boolean {
  return !member.paused;
}

/** Told to go back, and not Ready there; who does not answer or failed there too is not waited for. */
function onTheirWay({ input: { tally }, rollout }: Standing): Member[] {
  const returning = [...(tally.returning.get(rollout)?.values() ?? [])];
  return returning.filter((member) => !member.unreachable && !member.failed);
}

function leftOf({ moved }: Standing): number {
  let left = 0;
  for (const batch of moved?.batches.values() ?? []) {
    for (const member of batch.members.values()) if (isFree(member)) left += 1;
  }
  return left;
}
