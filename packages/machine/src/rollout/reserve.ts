import type { Denial, Reservation } from '../budget/budget.ts';
import { costOf } from './capacity.ts';
import type { Member } from '../member/member.ts';
import type { RolloutInput } from './outcome.ts';

/** Who holds the grants of a set's rollout. */
export function holderOf(set: string): string {
  return `set/${set}`;
}

/**
 * Of the picked machines those that may be moved now. Only where a process that works is restarted the budget is asked.
 * @param restarts what the machines get restarts a process that works
 */
export function reserve(
  { set, budget, now }: RolloutInput,
  picked: readonly Member[],
  restarts: boolean,
): { members: readonly Member[]; reservation: Reservation | undefined; denied: Denial | undefined } {
  const asking = restarts ? picked.filter((member) => costOf(member) === 1) : [];
  if (asking.length === 0) return { members: picked, reservation: undefined, denied: undefined };
  const holder = holderOf(set.name);
  const wants = asking.map(({ machine }) => ({ holder, machine, kind: 'Restart' as const }));
  const reservation = budget.reserve(wants, now);
  const granted = new Set(reservation.granted);
  const members = picked.filter((member) => costOf(member) === 0 || granted.has(member.machine));
  return { members, reservation, denied: reservation.denied };
}
