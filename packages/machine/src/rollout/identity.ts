import { createHash } from 'node:crypto';
import { stillHalted } from './halt.ts';
import { formatID, parseID } from './id.ts';
import type { Targets } from '../member/wish.ts';
import type { Tally } from './tally.ts';
import type { SetView } from '../member/view.ts';

/**
 * The newest rollout, in the entries or in the status, goes on while it brings what the set asks for and was not Done; otherwise this is a
 * new one. The status is asked too: where another revision came in between, the entries of the first one are still there, and
 * coming back to it begins anew. @param now epoch milliseconds
 */
export function rolloutID(set: SetView, tally: Tally, targets: Targets, now: number): string {
  let latest = set.status.batch?.rollout ?? '';
  for (const rollout of tally.rollouts.keys()) if (rollout > latest) latest = rollout;
  const { startedMs, hash } = parseID(latest);
  const doneAt = doneSince(set);
  const wanted = hashOf(set, targets);
  // Its machines went back, and a person lets it be tried again: from the first batch.
  const isReturned = set.status.halted?.rollout === latest && !tally.rollouts.has(latest);
  const beginsAnew = isReturned && stillHalted(set, latest) === undefined;
  if (!beginsAnew && latest !== '' && hash === wanted && startedMs > doneAt) return latest;
  return formatID({ startedMs: Math.max(now, startedMs + 1, doneAt + 1), hash: wanted });
}

/** When the rollout was Done, as the status says, epoch milliseconds; 0: it is not. */
export function doneSince(set: SetView): number {
  const { batch } = set.status;
  return batch?.state === 'Done' ? Date.parse(batch.since ?? '') || 0 : 0;
}

function hashOf(set: SetView, targets: Targets): string {
  const what = set.deleting ? 'removal' : JSON.stringify([targets.update, set.variables, set.drift]);
  return createHash('sha256').update(what).digest('hex').slice(0, 7);
}
