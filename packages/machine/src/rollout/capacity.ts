import { intOrPercent } from '@kubenode/runtime';
import type { Member } from '../member/member.ts';
import type { Tally } from './tally.ts';
import type { SetView } from '../member/view.ts';

/** Machines that the percentages are of. */
export function total(tally: Tally): number {
  return tally.selected + tally.leaving;
}

/** Size of a batch, counted from 1; the last repeats. */
export function batchSize(set: SetView, tally: Tally, batch: number): number {
  const { batches } = set.rollout;
  return Math.max(1, intOrPercent(batches[Math.min(batch, batches.length) - 1] ?? 1, total(tally)));
}

/** How many more machines may be taken from work. */
export function capacity(set: SetView, tally: Tally): number {
  return Math.max(1, intOrPercent(set.rollout.maxUnavailable, total(tally))) - tally.unavailable.size;
}

/** What moving a machine takes from maxUnavailable: one that does not work already, or never ran the component, costs nothing. */
export function costOf(member: Member): 0 | 1 {
  return member.unavailable || member.fresh ? 0 : 1;
}

/** The next machines in their order, as far as there is room, and capacity for what they cost. */
export function pick(turns: Iterable<Member>, room: number, free: number): Member[] {
  const picked: Member[] = [];
  let left = free;
  if (room <= 0) return picked;
  for (const member of turns) {
    const cost = costOf(member);
    // More may be down already than may be: those cost nothing, and a fix has to reach them.
    if (cost > Math.max(0, left)) break;
    left -= cost;
    picked.push(member);
    if (picked.length >= room) break;
  }
  return picked;
}
