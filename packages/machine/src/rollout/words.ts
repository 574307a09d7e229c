/** How machines are named to people. */
import type { Member } from '../member/member.ts';

/** The longest list of names. */
const mostNamed = 3;

export function machines(count: number): string {
  return count === 1 ? '1 machine' : `${count} machines`;
}

/** Names the first three and where they stand, and how many there are besides. Looks at no more of them than it names. */
export function name(members: Iterable<Member>, count: number): string {
  return list(members, count, (member) => member.stands);
}

export function nameBlocked(members: Iterable<Member>, count: number): string {
  return list(members, count, (member) => member.blocked ?? '');
}

function list(members: Iterable<Member>, count: number, what: (member: Member) => string): string {
  const shown: string[] = [];
  for (const member of members) {
    if (shown.length >= mostNamed) break;
    const why = what(member);
    shown.push(why === '' ? member.machine : `${member.machine} (${why})`);
  }
  return `${shown.join(', ')}${count > shown.length ? ` and ${count - shown.length} more` : ''}`;
}

/** A time for people: to the second, in UTC. @param ms epoch milliseconds */
export function at(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
