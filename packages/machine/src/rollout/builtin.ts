import type { Member } from '../member/member.ts';
import type { BatchTally } from './rollout-tally.ts';

/** What the built-in inspection sees. */
export interface Look {
  readonly result: 'Passed' | 'Failed' | 'Inconclusive';
  readonly message: string;
}

/** The longest list of machines. */
const mostNamed = 3;

/**
 * The component and all others Ready, the Nodes too, and no problem since the batch began. Pure: what the machines report is kept by the
 * tally, so only machines with something to say are looked at. What is older than the batch is named and does not fail it; what
 * can't be told (a silent machine, a component on its way) is Inconclusive. @param begunAt epoch milliseconds
 */
export function lookAt(batch: BatchTally, begunAt: number): Look {
  const failed: string[] = [];
  const unclear: string[] = [];
  const older: string[] = [];
  for (const member of batch.outstanding.values()) {
    if (batch.lost.has(member.machine)) continue;
    (member.wrong ? failed : unclear).push(`${member.machine}: ${member.component}: ${member.stands}`);
  }
  for (const member of batch.troubled.values()) {
    if (batch.lost.has(member.machine)) continue;
    sort(member, begunAt, { failed, unclear, older });
  }
  const known = older.length === 0 ? '' : `; older than the batch, and not held against it: ${some(older)}`;
  if (failed.length > 0) return { result: 'Failed', message: some(failed) + known };
  if (unclear.length > 0) return { result: 'Inconclusive', message: some(unclear) + known };
  return { result: 'Passed', message: `components and Nodes are Ready, nothing new is wrong${known}` };
}

function sort(
  member: Member,
  begunAt: number,
  into: { failed: string[]; unclear: string[]; older: string[] },
): void {
  for (const { what, since, certain } of member.troubles) {
    const list = since < begunAt ? into.older : certain ? into.failed : into.unclear;
    list.push(`${member.machine}: ${what}`);
  }
}

function some(list: readonly string[]): string {
  const more = list.length > mostNamed ? ` and ${list.length - mostNamed} more` : '';
  return list.slice(0, mostNamed).join(', ') + more;
}
