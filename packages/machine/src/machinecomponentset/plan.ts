import type { BatchStatus, Condition, MachineComponentSetStatus } from '@kubenode/api';
import { canonical, setCondition } from '@kubenode/runtime';
import type { Targets } from '../member/wish.ts';
import type { RolloutState } from '../rollout/outcome.ts';
import type { Tally } from '../rollout/tally.ts';
import type { RevisionView, SetView } from '../member/view.ts';
import { at, machines, name, nameBlocked } from '../rollout/words.ts';

export interface SetState {
  readonly set: SetView;
  readonly tally: Tally;
  readonly targets: Targets;
  readonly outcome: RolloutState;
  /** The revision that the set names, where it exists. */
  readonly revision: RevisionView | undefined;
}

/** The longest text that the schema takes. */
const longest = 1024;

/**
 * The status of a set. Returns the very same object when nothing changed, so that `!==` says whether to write.
 * @param now epoch milliseconds
 */
export function setStatus(state: SetState, now: number): MachineComponentSetStatus {
  const { set, tally, targets, outcome } = state;
  const before = set.status;
  const isDone = outcome.state === 'Done';
  const completed = isDone || isCompletedByAllAlive(tally, outcome) ? targets.update?.revision : undefined;
  const currentRevision = (tally.ready > 0 ? completed : undefined) ?? before.currentRevision;
  const failedRevision = outcome.failed
    ? set.revision
    : before.failedRevision === set.revision && !isDone
      ? set.revision
      : undefined;
  const { halted } = outcome;
  const promoted = outcome.promoted ?? before.promoted;
  const batch = batchStatus(outcome, before.batch, now);
  const status: MachineComponentSetStatus = {
    observedGeneration: set.generation,
    ...(currentRevision === undefined ? {} : { currentRevision }),
    updateRevision: set.revision,
    ...(failedRevision === undefined ? {} : { failedRevision }),
    machines: tally.selected,
    updated: tally.updated,
    ready: tally.ready,
    failed: tally.failed.size,
    unreachable: tally.unreachable.size,
    drifted: tally.drifted,
    ...(batch === undefined ? {} : { batch }),
    ...(halted === undefined ? {} : { halted }),
    ...(promoted === undefined ? {} : { promoted }),
    conditions: conditions(state, now),
  };
  return same(status, before) ? before : status;
}

/** All that can be moved is moved and Ready; who does not answer gets it on coming back, and new machines need not get the old one. */
function isCompletedByAllAlive(tally: Tally, outcome: RolloutState): boolean {
  return (
    !outcome.failed &&
    (outcome.batch === 0 || outcome.passedAt !== undefined) &&
    tally.moves.size === 0 &&
    tally.ready > 0 &&
    tally.ready + tally.joining.size + tally.unreachable.size >= tally.selected &&
    [...tally.blocked.values()].every((member) => member.unreachable)
  );
}

function batchStatus(
  outcome: RolloutState,
  before: BatchStatus | undefined,
  now: number,
): BatchStatus | undefined {
  if (
    outcome.batch === 0 &&
    outcome.state !== 'Waiting' &&
    outcome.state !== 'Paused' &&
    before === undefined
  ) {
    return undefined;
  }
  // A rollout that is done stays the one that is told of, until the next begins.
  if (outcome.state === 'Done' && before?.state === 'Done') return before;
  const { rollout, batch: number, size, state, until, begunAt, passedAt, inspections = [] } = outcome;
  const reason = outcome.reason.slice(0, longest);
  const isSame = before?.state === state && before.number === number && before.rollout === rollout;
  const since = outcome.since ?? (isSame ? Date.parse(before.since ?? '') || now : now);
  return {
    rollout,
    number,
    size,
    state,
    since: time(since),
    ...(until === undefined ? {} : { until: time(until) }),
    ...(begunAt === undefined ? {} : { begunAt: time(begunAt) }),
    ...(passedAt === undefined ? {} : { passedAt: time(passedAt) }),
    ...(reason === '' ? {} : { reason }),
    ...(inspections.length === 0 ? {} : { inspections: [...inspections] }),
  };
}

/** RFC 3339, to the millisecond: what was found in the same second as a batch began may be older than it. */
function time(ms: number): string {
  return new Date(ms).toISOString();
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

function conditions(state: SetState, now: number): Condition[] {
  const { set, tally } = state;
  const verdicts: Record<string, Verdict> = {
    Ready: ready(state),
    Progressing: progressing(state),
    Degraded: degraded(state),
    Paused: paused(state),
    Conflicted: conflicted(set, tally),
  };
  let list: readonly Condition[] | undefined = set.status.conditions;
  for (const [type, verdict] of Object.entries(verdicts)) {
    const message = verdict.message.slice(0, longest);
    list = setCondition(list, { type, ...verdict, message, observedGeneration: set.generation }, now);
  }
  return [...(list ?? [])];
}

function ready(state: SetState): Verdict {
  const { set, tally, outcome } = state;
  const trouble = unusable(state);
  if (trouble !== undefined) return trouble;
  if (set.deleting) {
    const left = `${machines(tally.leaving)} still to be cleaned`;
    return no('Removing', `The set is being deleted with removal: Remove; ${left}. ${outcome.reason}`);
  }
  if (tally.tied.size > 0) return { ...conflicted(set, tally), status: 'False' };
  if (outcome.state === 'Done') {
    if (tally.selected === 0) {
      return yes('NoMachines', `The selector selects no machine: there is nothing to do.${unlikely(set)}`);
    }
    const all = tally.selected === 1 ? 'the only machine' : `all ${machines(tally.selected)}`;
    return yes('RolledOut', `${set.revision} is on ${all}.`);
  }
  const share = `${tally.ready} of ${machines(tally.selected)} run ${set.revision}`;
  return no(reasonOf(outcome), `${share}. ${told(outcome)}`);
}

/** Where it stands and why. What has stopped it names its batch by itself. */
function told({ batch, halted, reason }: RolloutState): string {
  const which = halted !== undefined ? '' : batch === 0 ? 'No batch has begun: ' : `Batch ${batch}: `;
  return `${which}${reason}.`;
}

/** What holds the rollout up, in one word. */
function reasonOf({ state, halted, failed }: RolloutState): string {
  if (state === 'RollingBack') return state;
  if (halted !== undefined) return halted.cause;
  if (failed) return 'BatchFailed';
  return state === 'Updating' ? 'RollingOut' : state;
}

/** Says where a person may look when nothing is selected. */
function unlikely(set: SetView): string {
  const labels = Object.entries(set.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return labels.length === 0 ? '' : ` Looked for machines with ${labels.join(', ')}.`;
}

/** The set names no revision that machines could be moved to. Whatever runs goes on running. */
function unusable({ set, revision, targets }: SetState): Verdict | undefined {
  if (targets.update !== undefined || set.deleting) return undefined;
  const field = set.fromTemplate ? 'spec.template' : 'spec.revision';
  const hold = 'Machines keep what they have.';
  if (revision === undefined) {
    const next = set.fromTemplate ? 'it is being made from the template' : 'apply it, or correct the name';
    return no('RevisionNotFound', `${field}: there is no MachineComponent ${set.revision}: ${next}. ${hold}`);
  }
  if (revision.component !== set.component) {
    const what = `${set.revision} is a revision of ${revision.component}, not of ${set.component}`;
    return no('WrongComponent', `${field}: ${what}: name a revision of ${set.component}. ${hold}`);
  }
  if (!revision.deleting) {
    return no('RevisionNotKept', `MachineComponent ${set.revision} is about to get its finalizer. ${hold}`);
  }
  const next = 'make a new one under another name and name it here';
  return no(
    'RevisionDeleted',
    `${field}: MachineComponent ${set.revision} is being deleted: ${next}. ${hold}`,
  );
}

function progressing(state: SetState): Verdict {
  const { outcome } = state;
  const trouble = unusable(state);
  if (trouble !== undefined) return trouble;
  if (outcome.state === 'Done') return no('Done', '');
  const verdict = goesOn.has(outcome.state) ? yes : no;
  return verdict(reasonOf(outcome), told(outcome));
}

/** States in which something is under way. */
const goesOn: ReadonlySet<RolloutState['state']> = new Set([
  'Updating',
  'Inspecting',
  'Observing',
  'RollingBack',
]);

function degraded({ tally, outcome: { halted } }: SetState): Verdict {
  if (halted !== undefined) return yes(halted.cause, `Batch ${halted.batch}: ${halted.message}.`);
  if (tally.failed.size > 0) {
    return yes('Failed', `Failed: ${name(tally.failed.values(), tally.failed.size)}.`);
  }
  if (tally.unavailable.size > 0) {
    const names = name(tally.unavailable.values(), tally.unavailable.size);
    return yes('Unavailable', `Not working: ${names}.`);
  }
  const blocked = [...tally.blocked.values()].filter((member) => !member.unreachable);
  if (blocked.length > 0) return yes('Blocked', `Cannot be moved: ${nameBlocked(blocked, blocked.length)}.`);
  return no('AllWell', '');
}

function paused({ set, outcome }: SetState): Verdict {
  const { halted } = outcome;
  if (halted !== undefined) {
    const what = `since ${at(Date.parse(halted.at))}: batch ${halted.batch}: ${halted.message}`;
    return yes(halted.cause, `Stopped by a failure ${what}.`);
  }
  if (set.paused) return yes('Paused', 'spec.paused is true: no machine is moved.');
  if (outcome.failed && outcome.state === 'Paused')
    return yes('BatchFailed', `Batch ${outcome.batch}: ${outcome.reason}.`);
  return no('NotPaused', '');
}

function conflicted(set: SetView, tally: Tally): Verdict {
  const [first] = tally.tied;
  if (first === undefined) return no('NoConflict', '');
  const [machine, others] = first;
  const which = `${machines(tally.tied.size)} (such as ${machine})`;
  return yes(
    'SamePriority',
    `${which} are selected by ${others.join(', ')} too, with the same priority ${set.priority}: they keep what they have. Change a selector or spec.priority.`,
  );
}

function yes(reason: string, message: string): Verdict {
  return { status: 'True', reason, message };
}

function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}

function same(a: MachineComponentSetStatus, b: MachineComponentSetStatus): boolean {
  return canonical(a) === canonical(b);
}
