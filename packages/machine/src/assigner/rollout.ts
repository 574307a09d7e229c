import { createHash } from 'node:crypto';
import { intOrPercent } from '@kubenode/runtime';
import type { Member, Targets } from './member.ts';
import type { BatchTally, Tally } from './tally.ts';
import type { SetView } from './view.ts';

/** A machine to be moved now. `rollout` and `batch` are absent for one that joins. */
export interface Move {
  readonly member: Member;
  readonly rollout?: string;
  readonly batch?: number;
}

/** Where the rollout of a set stands. */
export interface RolloutState {
  /** 0 when nothing was ever moved. */
  readonly batch: number;
  readonly size: number;
  readonly state: 'Updating' | 'Waiting' | 'Paused' | 'Done';
  /** Why it stands there, for people; '' when it is done. */
  readonly reason: string;
  /** A machine of the rollout failed, and that is what holds it up. */
  readonly failed: boolean;
}
export interface RolloutPlan {
  readonly moves: readonly Move[];
  readonly outcome: RolloutState;
}

/** Identity of a rollout: when it began, and what it brings. Sorts by time, so that the newest is known from the entries alone. */
interface RolloutID {
  readonly startedMs: number;
  readonly hash: string;
}

function formatID(id: RolloutID): string {
  return `${id.startedMs.toString(36).padStart(9, '0')}-${id.hash}`;
}

function parseID(id: string): RolloutID {
  const [time = '', hash = ''] = id.split('-', 2);
  return { startedMs: Number.parseInt(time, 36) || 0, hash };
}

function hashOf(set: SetView, targets: Targets): string {
  const what = set.deleting ? 'removal' : JSON.stringify([targets.update, set.variables, set.drift]);
  return createHash('sha256').update(what).digest('hex').slice(0, 7);
}

/**
 * Which machines of a set are moved now. Pure: the same tally gives the same moves. Everything it remembers stands in the entries
 * (rollout, batch, movedAt) and in the set's status (a batch that is Done), so another process goes on where this one ended.
 * @param now epoch milliseconds
 */
export function planRollout(set: SetView, tally: Tally, targets: Targets, now: number): RolloutPlan {
  const rollout = rolloutID(set, tally, targets, now);
  const joins = planJoins(set, tally);
  const plan = planBatch(set, tally, rollout, joins.length);
  const isHeld = targets.update === undefined && !set.deleting && plan.outcome.state === 'Done';
  const outcome: RolloutState = isHeld ? { ...plan.outcome, state: 'Waiting' } : plan.outcome;
  return { moves: [...joins, ...plan.moves], outcome };
}

/** The newest rollout in the entries goes on while it brings what the set asks for and was not Done; otherwise this is a new one. */
function rolloutID(set: SetView, tally: Tally, targets: Targets, now: number): string {
  const latest = [...tally.rollouts.keys()].reduce((a, b) => (a > b ? a : b), '');
  const { startedMs, hash } = parseID(latest);
  const doneAt = doneSince(set);
  const goesOn = latest !== '' && hash === hashOf(set, targets) && startedMs > doneAt;
  if (goesOn) return latest;
  return formatID({ startedMs: Math.max(now, startedMs + 1, doneAt + 1), hash: hashOf(set, targets) });
}

/** When the rollout was Done, as the status says, epoch milliseconds; 0: it is not. */
function doneSince(set: SetView): number {
  const { batch } = set.status;
  return batch?.state === 'Done' ? Date.parse(batch.since ?? '') || 0 : 0;
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

function planBatch(set: SetView, tally: Tally, rollout: string, joining: number): RolloutPlan {
  const batches = tally.rollouts.get(rollout) ?? new Map<number, BatchTally>();
  const waiting = tally.moves.size + tally.blocked.size;
  let batch = Math.max(0, ...batches.keys());
  const stands = (
    state: RolloutState['state'],
    reason: string,
    moves: readonly Move[] = [],
    failed = false,
  ): RolloutPlan => {
    const size = batch === 0 ? 0 : batchSize(set, tally, batch);
    return { moves, outcome: { batch, size, state, reason, failed } };
  };
  if (set.paused && waiting > 0) {
    const left = `${machines(waiting)} still to be moved`;
    return stands('Paused', `paused with ${left}: set spec.paused to false to go on`);
  }
  const failed = [...tally.failed.values()].filter((m) => m.rollout === rollout && m.need === 'None');
  if (failed.length > 0) {
    const next = waiting === 0 ? 'it' : 'no more machines are moved until it';
    return stands(
      'Waiting',
      `${name(failed)}: ${next} is Ready, the revision changes, or retryToken is changed`,
      [],
      true,
    );
  }
  const present = batches.get(batch);
  const outstanding = [...(present?.outstanding.values() ?? [])];
  const isFull = present !== undefined && present.moved >= batchSize(set, tally, batch);
  if (outstanding.length > 0 && (isFull || tally.moves.size === 0)) {
    return stands('Updating', `waits for ${name(outstanding)}`);
  }
  if (tally.moves.size === 0) {
    if (doneSince(set) > 0 && [...tally.blocked.values()].every((m) => m.need === 'Join'))
      return stands('Done', '');
    return rest(tally, batches, joining, stands);
  }
  if (present === undefined || isFull) batch += 1;
  const room = batchSize(set, tally, batch) - (batches.get(batch)?.moved ?? 0);
  const picked = pick(tally, room, capacity(set, tally));
  if (picked.length === 0 && outstanding.length === 0) {
    const cap = `maxUnavailable ${set.rollout.maxUnavailable} of ${machines(total(tally))}`;
    return stands('Waiting', `${cap} is used up by ${name([...tally.unavailable.values()])}`);
  }
  return stands(
    'Updating',
    `waits for ${name([...outstanding, ...picked])}`,
    picked.map((member) => ({ member, rollout, batch })),
  );
}

/** Nothing can be moved any more: what is still waited for. */
function rest(
  tally: Tally,
  batches: ReadonlyMap<number, BatchTally>,
  joining: number,
  stands: (state: RolloutState['state'], reason: string) => RolloutPlan,
): RolloutPlan {
  if (tally.blocked.size > 0) {
    const why = nameBlocked([...tally.blocked.values()]);
    return stands('Waiting', `${machines(tally.blocked.size)} cannot be moved now: ${why}`);
  }
  const late = [
    ...tally.joining.values(),
    ...[...batches.values()].flatMap((b) => [...b.outstanding.values()]),
  ];
  if (late.length > 0) return stands('Updating', `waits for ${name(late)}`);
  if (joining + tally.joins.size > 0)
    return stands('Updating', `waits for ${machines(joining + tally.joins.size)} to join`);
  return stands('Done', '');
}

/** The next machines, as far as the batch has room and maxUnavailable allows. */
function pick(tally: Tally, room: number, capacity: number): Member[] {
  const picked: Member[] = [];
  let left = capacity;
  if (room <= 0) return picked;
  for (const member of tally.turns()) {
    const cost = member.unavailable || member.fresh ? 0 : 1;
    if (cost > left) break;
    left -= cost;
    picked.push(member);
    if (picked.length >= room) break;
  }
  return picked;
}

/** How many more machines may be taken from work. */
function capacity(set: SetView, tally: Tally): number {
  return Math.max(1, intOrPercent(set.rollout.maxUnavailable, total(tally))) - tally.unavailable.size;
}

/** Size of a batch, counted from 1; the last repeats. */
function batchSize(set: SetView, tally: Tally, batch: number): number {
  const { batches } = set.rollout;
  return Math.max(1, intOrPercent(batches[Math.min(batch, batches.length) - 1] ?? 1, total(tally)));
}

function total(tally: Tally): number {
  return tally.selected + tally.leaving;
}

export function machines(count: number): string {
  return count === 1 ? '1 machine' : `${count} machines`;
}

/** Names the first three, and how many there are besides. */
export function name(members: readonly Member[]): string {
  return list(members, (member) => member.stands);
}

export function nameBlocked(members: readonly Member[]): string {
  return list(members, (member) => member.blocked ?? '');
}

function list(members: readonly Member[], what: (member: Member) => string): string {
  const shown = members.slice(0, 3).map((m) => (what(m) === '' ? m.machine : `${m.machine} (${what(m)})`));
  return `${shown.join(', ')}${members.length > 3 ? ` and ${members.length - 3} more` : ''}`;
}
