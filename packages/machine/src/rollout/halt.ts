import type { HaltedRollout, PromotedRollout } from '@kubenode/api';
import { parseID } from './id.ts';
import type { Member } from '../member/member.ts';
import type { RolloutTally } from './rollout-tally.ts';
import type { SetView } from '../member/view.ts';
import { name } from './words.ts';

/** A person lets the rollout of the set's revision go on without what is left of inspection and observation. */
export function isPromoted(set: SetView): boolean {
  return set.promote !== '' && set.promote === set.revision && !set.deleting;
}

/** When this very rollout was promoted, epoch milliseconds; undefined: it was not yet. */
export function promotedAt(set: SetView, rollout: string): number | undefined {
  const { promoted } = set.status;
  if (promoted === undefined || !isPromoted(set) || promoted.revision !== set.revision) return undefined;
  const at = Date.parse(promoted.at) || 0;
  return at >= parseID(rollout).startedMs ? at : undefined;
}

/** The promotion, where this is the first time that it is seen. @param now epoch milliseconds */
export function promotion(set: SetView, rollout: string, now: number): PromotedRollout | undefined {
  if (!isPromoted(set) || promotedAt(set, rollout) !== undefined) return undefined;
  const at = new Date(Math.max(now, parseID(rollout).startedMs)).toISOString();
  return { revision: set.revision, at, skipped: skippedBy(set, rollout).slice(0, 512) };
}

function skippedBy(set: SetView, rollout: string): string {
  const { batch, halted } = set.status;
  if (halted?.rollout === rollout) {
    return `batch ${halted.batch} had stopped with ${halted.cause}: ${halted.message}`;
  }
  const isLooked = batch?.state === 'Inspecting' || batch?.state === 'Observing';
  if (batch?.rollout === rollout && isLooked) {
    const what = batch.state === 'Inspecting' ? 'inspection' : 'observation';
    return `the ${what} of batch ${batch.number}, under way since ${batch.since ?? '?'}, and those of all batches after it`;
  }
  return 'the inspections and observations of all batches that were not done';
}

/** What has stopped the rollout, as long as no person has said anything to it: another retryToken, or promote. */
export function stillHalted(set: SetView, rollout: string): HaltedRollout | undefined {
  const { halted } = set.status;
  if (halted === undefined || halted.rollout !== rollout) return undefined;
  if ((halted.retryToken ?? '') !== set.retryToken) return undefined;
  if (isPromoted(set) && promotedAt(set, rollout) === undefined) return undefined;
  return halted;
}

/** More machines of one batch failed than may. */
export interface Failure {
  readonly batch: number;
  readonly cause: 'BatchFailed' | 'DeadlineExceeded';
  /** Nothing more will happen by itself. */
  readonly isFinal: boolean;
  /** Those that failed, and where they stand. */
  readonly names: string;
}

/**
 * Looks only at the machines that failed. Those that were moved before a person promoted the rollout are accepted as they are.
 */
export function failureOf(set: SetView, rollout: string, tally: RolloutTally): Failure | undefined {
  const accepted = promotedAt(set, rollout) ?? 0;
  const lost = new Map<number, Member[]>();
  for (const bucket of [tally.failed, tally.late]) {
    for (const member of bucket.values()) {
      if (member.movedAt < accepted) continue;
      const number = member.batch ?? 1;
      const list = lost.get(number);
      if (list === undefined) lost.set(number, [member]);
      else list.push(member);
    }
  }
  for (const [batch, members] of [...lost].sort(([a], [b]) => a - b)) {
    if (members.length <= set.rollout.maxFailed) continue;
    const isLate = members.some((member) => !member.failed);
    return {
      batch,
      cause: isLate ? 'DeadlineExceeded' : 'BatchFailed',
      isFinal: isLate || members.every((member) => member.gaveUp),
      names: name(members, members.length),
    };
  }
  return undefined;
}
