/** What is done to a component, one after the other: the end of each is the start of the next, and of the last that of the first. */
import type { MachineComponentEntry, MachineComponentStatus } from '@kubenode/api';
import type { OperationKind } from '../../../packages/agent/src/plan/operation.ts';
import { type ArtifactKind, badVersion, componentName, revisionName, type Version } from './components.ts';

export const actNames = [
  'install',
  'upgrade',
  'rollback',
  'removal',
  'adoption',
  'self-upgrade',
  'self-rollback',
] as const;
export type ActName = (typeof actNames)[number];

export interface Act {
  /** Left out: it only leads back to the start, and is not disturbed. */
  readonly name?: ActName;
  /** Of the operation whose steps are disturbed. */
  readonly kind: OperationKind;
  /** The revision that is asked for. */
  readonly wants: Version;
  /** The revision that is there in the end; left out: none. */
  readonly leaves?: Version;
}

const acts: readonly Act[] = [
  { name: 'install', kind: 'Install', wants: '1', leaves: '1' },
  { name: 'upgrade', kind: 'Install', wants: '2', leaves: '2' },
  { name: 'rollback', kind: 'Rollback', wants: badVersion, leaves: '2' },
  { name: 'removal', kind: 'Remove', wants: '2' },
];
/** The agent is there before it is a component, and afterwards. Its watchdog brings it back, in place of an operation. */
const agentActs: readonly Act[] = [
  { name: 'adoption', kind: 'Install', wants: '1', leaves: '1' },
  { name: 'self-upgrade', kind: 'Install', wants: '2', leaves: '2' },
  { name: 'self-rollback', kind: 'Install', wants: badVersion, leaves: '2' },
  { kind: 'Install', wants: '1', leaves: '1' },
  { name: 'removal', kind: 'Remove', wants: '1' },
];

export function actsOf(artifact: ArtifactKind): readonly Act[] {
  return artifact === 'agent' ? agentActs : acts;
}

/** Leads to where the first act begins, from anywhere. */
export function wayBack(artifact: ArtifactKind): readonly Act[] {
  return actsOf(artifact).slice(artifact === 'agent' ? -2 : -1);
}

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
  return act.wants !== act.leaves
    ? status.state === 'Failed' && status.failed?.revision === revisionName(artifact, act.wants)
    : status.state === 'Ready';
}
