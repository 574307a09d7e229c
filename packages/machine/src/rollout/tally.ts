import type { Member } from '../member/member.ts';
import { RolloutTally } from './rollout-tally.ts';

/**
 * What a set needs to know of its machines, kept up to date machine by machine: what changes on one costs the same in a set of ten and
 * of ten thousand.
 */
export class Tally {
  /** Machines that the set selects, and those that it is leaving. */
  readonly members = new Map<string, Member>();
  /** Joins that can be made now. */
  readonly joins = new Map<string, Member>();
  /** Moves and removals that the rollout may make now. */
  readonly moves = new Map<string, Member>();
  /** Joins, moves and removals that can't be made now, whatever the rollout says. */
  readonly blocked = new Map<string, Member>();
  readonly failed = new Map<string, Member>();
  readonly unavailable = new Map<string, Member>();
  readonly unreachable = new Map<string, Member>();
  /** Joined, and not yet Ready. */
  readonly joining = new Map<string, Member>();
  /** Machines that this set and another one of the same priority select, and the names of the others. */
  readonly tied = new Map<string, readonly string[]>();
  /** By rollout: the machines that it moved and that need no more. */
  readonly rollouts = new Map<string, RolloutTally>();
  /** By rollout: machines whose entry it wrote and that are to be moved again, and are not Ready: those that go back are among them. */
  readonly returning = new Map<string, Map<string, Member>>();
  #ranking: { readonly names: readonly string[]; next: number } | undefined;
  selected = 0;
  updated = 0;
  ready = 0;
  drifted = 0;
  leaving = 0;

  put(member: Member): void {
    if (this.#changesTurns(member)) this.#ranking = undefined;
    this.remove(member.machine);
    this.members.set(member.machine, member);
    this.#count(member, 1);
    const { machine } = member;
    if (isToMove(member)) this.moves.set(machine, member);
    else if (member.need !== 'None') {
      (member.blocked === undefined ? this.joins : this.blocked).set(machine, member);
    }
    if (member.failed) this.failed.set(machine, member);
    if (member.unavailable) this.unavailable.set(machine, member);
    if (member.unreachable) this.unreachable.set(machine, member);
    const { assigned, selected, ready } = member;
    if (assigned && selected && !ready && member.rollout === undefined) this.joining.set(machine, member);
    if (member.rollout === undefined) return;
    if (member.need === 'None') this.#rollout(member.rollout).put(member);
    else if (!ready) {
      const returning = this.returning.get(member.rollout);
      if (returning === undefined) this.returning.set(member.rollout, new Map([[machine, member]]));
      else returning.set(machine, member);
    }
  }

  remove(machine: string): void {
    const member = this.members.get(machine);
    if (member === undefined) return;
    this.members.delete(machine);
    this.#count(member, -1);
    for (const bucket of [
      this.joins,
      this.moves,
      this.blocked,
      this.failed,
      this.unavailable,
      this.unreachable,
      this.joining,
    ]) {
      bucket.delete(machine);
    }
    if (member.rollout === undefined) return;
    const returning = this.returning.get(member.rollout);
    if (returning?.delete(machine) === true && returning.size === 0) this.returning.delete(member.rollout);
    const rollout = this.rollouts.get(member.rollout);
    if (rollout === undefined) return;
    rollout.remove(member);
    if (rollout.batches.size === 0) this.rollouts.delete(member.rollout);
  }

  /** It was not Ready by its deadline, when that was looked at last. */
  isLate(member: Member): boolean {
    return this.rollouts.get(member.rollout ?? '')?.late.has(member.machine) ?? false;
  }

  /**
   * The machines to be moved, in the order of their turn: those that don't work first (a fix should reach them first, and they cost
   * nothing more), then those that never had the component, then all others; each spread over the values of the set's label, in an
   * order that is the same for all sets: a component meets those that it depends on, and one machine bears the first tries of all. Ordered
   * once, and then only walked on: moving a machine must not cost a look at all others.
   */
  *turns(): Generator<Member> {
    this.#ranking ??= { names: order([...this.moves.values()]), next: 0 };
    const ranking = this.#ranking;
    while (ranking.next < ranking.names.length && !this.moves.has(ranking.names[ranking.next] ?? '')) {
      ranking.next += 1;
    }
    for (let i = ranking.next; i < ranking.names.length; i += 1) {
      const member = this.moves.get(ranking.names[i] ?? '');
      if (member !== undefined) yield member;
    }
  }

  /** One that needs no move, or none any more, is passed over in the order that there is: reports of a batch must not cost a new one. */
  #changesTurns(member: Member): boolean {
    if (!isToMove(member)) return false;
    const before = this.moves.get(member.machine);
    return before === undefined || rank(before) !== rank(member) || before.spread !== member.spread;
  }

  #rollout(id: string): RolloutTally {
    let rollout = this.rollouts.get(id);
    if (rollout === undefined) this.rollouts.set(id, (rollout = new RolloutTally()));
    return rollout;
  }

  #count(member: Member, by: 1 | -1): void {
    if (!member.selected) {
      this.leaving += by;
      return;
    }
    this.selected += by;
    if (member.updated) this.updated += by;
    if (member.updated && member.ready) this.ready += by;
    if (member.drifted) this.drifted += by;
  }
}

function isToMove({ need, blocked }: Member): boolean {
  return (need === 'Move' || need === 'Remove') && blocked === undefined;
}

function rank(member: Member): number {
  if (member.unavailable) return 0;
  return member.fresh ? 1 : 2;
}

function order(members: readonly Member[]): string[] {
  const items = members.map((member) => ({
    name: member.machine,
    spread: member.spread,
    rank: rank(member),
    hash: hash(member.machine),
    round: 0,
  }));
  items.sort((a, b) => a.rank - b.rank || a.hash - b.hash || (a.name < b.name ? -1 : 1));
  const rounds = new Map<string, number>();
  for (const item of items) {
    const group = `${item.rank} ${item.spread}`;
    item.round = rounds.get(group) ?? 0;
    rounds.set(group, item.round + 1);
  }
  items.sort((a, b) => a.rank - b.rank || a.round - b.round || a.hash - b.hash || (a.name < b.name ? -1 : 1));
  return items.map((item) => item.name);
}

/** FNV-1a: spreads names evenly, needs no secret. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
