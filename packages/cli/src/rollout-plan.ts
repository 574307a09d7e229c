import type { Machine, MachineComponentSet } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';

/** Where a set's rollout stands, for people. */
export interface Rollout {
  readonly set: string;
  readonly from: string;
  readonly to: string;
  readonly updated: number;
  readonly machines: number;
  readonly batch: string;
  /** What happens next, and when where that is known. */
  readonly next: string;
  readonly isDone: boolean;
}

export function rolloutOf({ metadata, spec, status }: MachineComponentSet): Rollout {
  const ready = findCondition(status?.conditions, 'Ready');
  const isCurrent = (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0);
  const isDone = ready?.status === 'True' && isCurrent;
  const { batch } = status ?? {};
  const batchText = batch === undefined ? '' : `${batch.number} (${batch.size}) ${batch.state}`;
  return {
    set: metadata.name,
    from: status?.currentRevision ?? '',
    to: status?.updateRevision ?? spec.revision ?? '',
    updated: status?.updated ?? 0,
    machines: status?.machines ?? 0,
    batch: batchText,
    next: nextOf(spec.paused, isDone, isCurrent, batch, ready?.message),
    isDone,
  };
}

function nextOf(
  paused: boolean,
  isDone: boolean,
  isCurrent: boolean,
  batch: NonNullable<MachineComponentSet['status']>['batch'],
  message: string | undefined,
): string {
  if (isDone) return 'done';
  if (paused) return 'paused; kubenode resume goes on';
  if (!isCurrent) return 'the operator has not looked at the present spec yet; does it run?';
  const reason = batch?.reason ?? message ?? '';
  const until = batch?.until === undefined || reason.includes(' until ') ? '' : ` until ${batch.until}`;
  return `${reason === '' ? 'waits' : reason}${until}`;
}

/** A machine that is not where its set wants it. */
export interface PendingMove {
  readonly machine: string;
  readonly from: string;
  readonly to: string;
  readonly stands: string;
}

/** The machines of a set that do not run its revision, or not well; those that the set has reached first. */
export function pendingMoves(set: MachineComponentSet, machines: readonly Machine[]): readonly PendingMove[] {
  const to = set.status?.updateRevision ?? set.spec.revision ?? '';
  return machines
    .flatMap(({ metadata, spec, status }) => {
      const entry = spec.components?.find(
        ({ name, set: owner }) => name === set.spec.component && owner === set.metadata.name,
      );
      if (entry === undefined) return [];
      const is = status?.components?.find(({ name }) => name === entry.name);
      const isThere = entry.revision === to && is?.running === to && is.state === 'Ready';
      if (isThere) return [];
      const told = entry.revision === to;
      const stands = told
        ? `${is?.state ?? 'told'}${is?.message === undefined || is.message === '' ? '' : `: ${is.message}`}`
        : 'its turn has not come';
      return [{ machine: metadata.name, from: is?.running ?? '', to, stands, told }];
    })
    .sort((a, b) => Number(b.told) - Number(a.told) || (a.machine < b.machine ? -1 : 1))
    .map(({ machine, from, to, stands }) => ({ machine, from, to, stands }));
}
