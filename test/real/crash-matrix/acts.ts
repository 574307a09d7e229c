/** What is done to a component, one after the other: the end of each is the start of the next, and of the last that of the first. */
import type { MachineComponentEntry, MachineComponentStatus } from '@kubenode/api';
import type { OperationKind } from '../../../packages/agent/src/plan/operation.ts';
import { type ArtifactKind, badVersion, componentName, revisionName, type Version } from './components.ts';

export const actNames = ['install', 'upgrade', 'rollback', 'removal'] as const;
export type ActName = (typeof actNames)[number];

export interface Act {
  readonly name: ActName;
  /** Of the operation whose steps are disturbed. */
  readonly kind: OperationKind;
  /** The revision that is asked for. */
  readonly wants: Version;
  /** The revision that is there in the end; left out: none. */
  readonly leaves?: Version;
}

export const acts: readonly Act[] = [
  { name: 'install', kind: 'Install', wants: '1', leaves: '1' },
  { name: 'upgrade', kind: 'Install', wants: '2', leaves: '2' },
  { name: 'rollback', kind: 'Rollback', wants: badVersion, leaves: '2' },
  { name: 'removal', kind: 'Remove', wants: '2' },
];

/** The entry of a Machine that asks for it. */
export function entryOf(
  act: Act,
  artifact: ArtifactKind,
  uids: ReadonlyMap<string, string>,
): MachineComponentEntry {
  const revision = revisionName(artifact, act.wants);
  const revisionUID = uids.get(revision);
  return {
    name: componentName(artifact),
    revision,
    ...(revisionUID === undefined ? {} : { revisionUID }),
    drift: 'Repair',
    state: act.leaves === undefined ? 'Absent' : 'Present',
  };
}

/** Whether the agent says that it is done. */
export function isEnded(
  act: Act,
  artifact: ArtifactKind,
  status: MachineComponentStatus | undefined,
): boolean {
  if (act.leaves === undefined) return status?.running === undefined && status?.state !== 'Removing';
  if (status?.running !== revisionName(artifact, act.leaves)) return false;
  return act.kind === 'Rollback'
    ? status.state === 'Failed' && status.failed?.revision === revisionName(artifact, act.wants)
    : status.state === 'Ready';
}
