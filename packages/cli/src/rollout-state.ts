/** What a set's status says of its rollout, as far as it is still about the present spec. Pure. */
import type {
  Machine,
  MachineComponentEntry,
  MachineComponentSet,
  MachineComponentStatus,
} from '@kubenode/api';

/** The failure that stops the rollout now; undefined where there is none, or where the spec has moved on since. */
export function haltOf({
  metadata,
  spec,
  status,
}: MachineComponentSet): NonNullable<NonNullable<MachineComponentSet['status']>['halted']> | undefined {
  const { halted } = status ?? {};
  if (halted === undefined || (status?.observedGeneration ?? -1) < (metadata.generation ?? 0))
    return undefined;
  return (halted.retryToken ?? '') === spec.retryToken ? halted : undefined;
}

/** A machine of the set, with what it is told and what it says. */
export interface SetMachine {
  readonly machine: Machine;
  readonly entry: MachineComponentEntry;
  readonly is: MachineComponentStatus | undefined;
}

/** The machines that the set decides for, by name. */
export function machinesOf(set: MachineComponentSet, machines: readonly Machine[]): readonly SetMachine[] {
  return machines
    .flatMap((machine): SetMachine[] => {
      const entry = machine.spec.components?.find(
        ({ name, set: owner }) => name === set.spec.component && owner === set.metadata.name,
      );
      if (entry === undefined) return [];
      return [{ machine, entry, is: machine.status?.components?.find(({ name }) => name === entry.name) }];
    })
    .sort((a, b) => (a.machine.metadata.name < b.machine.metadata.name ? -1 : 1));
}

/** Those of the batch that the status tells of. */
export function batchOf(set: MachineComponentSet, members: readonly SetMachine[]): readonly SetMachine[] {
  const { batch } = set.status ?? {};
  if (batch === undefined || batch.number === 0) return [];
  const rollout =
    batch.rollout ??
    members.reduce(
      (newest, { entry }) => ((entry.rollout ?? '') > newest ? (entry.rollout ?? '') : newest),
      '',
    );
  return members.filter(({ entry }) => entry.rollout === rollout && entry.batch === batch.number);
}

/** It runs what it is told, and well. */
export function isThere({ entry, is }: SetMachine): boolean {
  return is?.state === 'Ready' && is.running === entry.revision;
}

/** Where a machine stands with one component, in a few words: `Installing (start): waits for probe socket`. */
export function standing({ entry, is }: SetMachine): string {
  if (is === undefined) return 'told, and its agent has not said anything yet';
  const step = is.step === undefined || is.step === '' ? '' : ` (${is.step})`;
  const message = is.state === 'Ready' ? '' : (is.message ?? '');
  const behind =
    is.state === 'Ready' && is.running !== entry.revision ? `, still with ${is.running ?? 'nothing'}` : '';
  return `${is.state}${step}${behind}${message === '' ? '' : `: ${message}`}`;
}
