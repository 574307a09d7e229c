import type { BatchStatus, MachineComponentSetStatus } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';

export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

type Tell = (type: Told['type'], reason: string, note: string) => void;

/** What people should hear of when the status of a set changes: the story of its rollout, and what holds it up. */
export function eventsOf(before: MachineComponentSetStatus, after: MachineComponentSetStatus): Told[] {
  const told: Told[] = [];
  const tell: Tell = (type, reason, note) => told.push({ type, reason, note });
  tellPerson(before, after, tell);
  // What a promotion skips has not passed.
  if (before.promoted?.at === after.promoted?.at) tellGates(before.batch, after.batch, tell);
  tellHalt(before, after, tell);
  tellBatch(before, after, tell);
  tellConditions(before, after, tell);
  return told;
}

/** What a person has said. */
function tellPerson(before: MachineComponentSetStatus, after: MachineComponentSetStatus, tell: Tell): void {
  const { promoted, halted } = after;
  if (promoted !== undefined && promoted.at !== before.promoted?.at) {
    tell('Normal', 'Promoted', `${promoted.revision} was promoted; skipped: ${promoted.skipped ?? ''}.`);
  } else if (before.halted !== undefined && halted === undefined) {
    const isOther = after.updateRevision !== before.updateRevision;
    const why = isOther
      ? `another revision was given, ${after.updateRevision ?? ''}`
      : 'retryToken was changed';
    tell('Normal', 'Resumed', `No longer stopped by ${before.halted.cause}: ${why}.`);
  }
  const [was, is] = [pausedBy(before), pausedBy(after)];
  if (is && !was) tell('Normal', 'Paused', 'spec.paused is true: no machine is moved.');
  if (was && !is) tell('Normal', 'Resumed', 'spec.paused is false.');
}

function pausedBy(status: MachineComponentSetStatus): boolean {
  const paused = findCondition(status.conditions, 'Paused');
  return paused?.status === 'True' && paused.reason === 'Paused';
}

function tellGates(before: BatchStatus | undefined, after: BatchStatus | undefined, tell: Tell): void {
  if (before === undefined || after === undefined || before.rollout !== after.rollout) return;
  const isSame = after.number === before.number;
  const found = (after.inspections ?? []).map(({ name, message = '' }) => `${name} (${message})`).join(', ');
  if (isSame && after.state === 'Observing' && before.state !== 'Observing') {
    const inspected = found === '' ? '' : `: ${found}`;
    tell(
      'Normal',
      'BatchInspected',
      `Batch ${after.number} is Ready${inspected}; observed until ${(after.until ?? '?').slice(0, 19)}Z.`,
    );
  }
  const wasLooked = before.state === 'Inspecting' || before.state === 'Observing';
  const hasPassed = isSame ? before.passedAt === undefined && after.passedAt !== undefined : true;
  if (wasLooked && hasPassed && after.state !== 'RollingBack') {
    const what = before.state === 'Observing' ? 'was observed and is well' : 'was inspected and is well';
    tell('Normal', 'BatchPassed', `Batch ${before.number} ${what}.`);
  }
}

function tellHalt(before: MachineComponentSetStatus, after: MachineComponentSetStatus, tell: Tell): void {
  const { halted, batch } = after;
  if (halted !== undefined && halted.at !== before.halted?.at) {
    tell('Warning', halted.cause, `Batch ${halted.batch}: ${halted.message}.`);
  }
  const [was, is] = [before.batch?.state, batch?.state];
  if (is === 'RollingBack' && was !== is) tell('Warning', 'RollingBack', `${batch?.reason ?? ''}.`);
  if (was === 'RollingBack' && is === 'Paused') tell('Normal', 'RolledBack', `${batch?.reason ?? ''}.`);
}

function tellBatch(before: MachineComponentSetStatus, after: MachineComponentSetStatus, tell: Tell): void {
  const { batch } = after;
  if (batch?.begunAt === undefined || batch.number === 0 || batch.state === 'Done') return;
  const was = before.batch;
  if (was?.rollout === batch.rollout && was?.number === batch.number) return;
  tell(
    'Normal',
    'BatchStarted',
    `Batch ${batch.number} of ${after.updateRevision ?? '?'}: ${batch.size} at most.`,
  );
}

function tellConditions(
  before: MachineComponentSetStatus,
  after: MachineComponentSetStatus,
  tell: Tell,
): void {
  const ready = findCondition(after.conditions, 'Ready');
  const was = findCondition(before.conditions, 'Ready');
  if (ready !== undefined && (ready.status !== was?.status || ready.reason !== was.reason)) {
    if (ready.reason === 'RolledOut') tell('Normal', 'RolledOut', ready.message);
    if (ready.reason === 'Waiting') tell('Normal', 'Waiting', ready.message);
    if (warnings.has(ready.reason) && after.halted === undefined)
      tell('Warning', ready.reason, ready.message);
  }
  const conflict = findCondition(after.conditions, 'Conflicted');
  if (conflict?.status === 'True' && findCondition(before.conditions, 'Conflicted')?.status !== 'True') {
    tell('Warning', 'Conflicted', conflict.message);
  }
}

const warnings: ReadonlySet<string> = new Set([
  'BatchFailed',
  'RevisionNotFound',
  'RevisionDeleted',
  'WrongComponent',
]);
