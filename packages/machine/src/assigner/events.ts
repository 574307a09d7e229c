import type { MachineComponentSetStatus } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';

export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

/** What people should hear of when the status of a set changes. */
export function eventsOf(before: MachineComponentSetStatus, after: MachineComponentSetStatus): Told[] {
  const told: Told[] = [];
  const tell = (type: Told['type'], reason: string, note: string): void => {
    told.push({ type, reason, note });
  };
  const { batch } = after;
  if (batch !== undefined && batch.state === 'Updating' && batch.number > 0) {
    const isNew = before.batch?.number !== batch.number || before.batch.state === 'Done';
    if (isNew)
      tell(
        'Normal',
        'BatchStarted',
        `Batch ${batch.number} of ${after.updateRevision}: ${batch.size} at most.`,
      );
  }
  const ready = findCondition(after.conditions, 'Ready');
  const was = findCondition(before.conditions, 'Ready');
  if (ready !== undefined && (ready.status !== was?.status || ready.reason !== was.reason)) {
    if (ready.reason === 'RolledOut') tell('Normal', 'RolledOut', ready.message);
    if (warnings.has(ready.reason)) tell('Warning', ready.reason, ready.message);
  }
  const conflict = findCondition(after.conditions, 'Conflicted');
  if (conflict?.status === 'True' && findCondition(before.conditions, 'Conflicted')?.status !== 'True') {
    tell('Warning', 'Conflicted', conflict.message);
  }
  return told;
}

const warnings: ReadonlySet<string> = new Set([
  'BatchFailed',
  'RevisionNotFound',
  'RevisionDeleted',
  'WrongComponent',
]);
