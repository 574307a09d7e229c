import type { Condition, ImportStep, MachineImport, MachineImportStatus } from '@kubenode/api';
import { setCondition } from '@kubenode/runtime';

/** Conditions and phase follow from the steps alone. */
export function statusOf(
  object: MachineImport,
  list: readonly ImportStep[],
  found: Pick<MachineImportStatus, 'plan' | 'notReverted'>,
  now: number,
): MachineImportStatus {
  const observedGeneration = object.metadata.generation ?? 0;
  // Each belongs to one state: a plan of what was done since would mislead.
  const { state } = object.spec;
  const plan = state === 'Planned' ? (found.plan ?? object.status?.plan) : undefined;
  const notReverted = state === 'Reverted' ? (found.notReverted ?? object.status?.notReverted) : undefined;
  let conditions: readonly Condition[] = object.status?.conditions ?? [];
  for (const condition of [connected(list), ready(object, list, notReverted?.length ?? 0)]) {
    if (condition !== undefined)
      conditions = setCondition(conditions, { ...condition, observedGeneration }, now);
  }
  return {
    observedGeneration,
    phase: phaseOf(object, list),
    conditions: [...conditions],
    ...(plan === undefined ? {} : { plan }),
    ...(notReverted === undefined ? {} : { notReverted }),
    steps: [...list],
  };
}

type Judged = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function connected(list: readonly ImportStep[]): Judged | undefined {
  const step = list.find(({ name }) => name === 'Connect');
  if (step?.state === 'Done') {
    return { type: 'Connected', status: 'True', reason: 'Connected', message: step.message ?? '' };
  }
  if (step?.state === 'Failed') {
    return { type: 'Connected', status: 'False', reason: 'ConnectFailed', message: step.message ?? '' };
  }
  return undefined;
}

function ready(object: MachineImport, list: readonly ImportStep[], left: number): Judged {
  const { state } = object.spec;
  const failed = list.find((step) => step.state === 'Failed');
  if (failed !== undefined) {
    const message = `step ${failed.name}: ${failed.message ?? ''}`.slice(0, 1024);
    return { type: 'Ready', status: 'False', reason: `${failed.name}Failed`, message };
  }
  if (isFinished(list))
    return { type: 'Ready', status: 'True', reason: state, message: finishedMessage(object, left) };
  const open = list.filter((step) => step.state === 'Running');
  const message = open
    .map((step) => `step ${step.name}${step.message === undefined ? '' : `: ${step.message}`}`)
    .join('; ');
  return { type: 'Ready', status: 'False', reason: workingWord[state], message: message.slice(0, 1024) };
}

function finishedMessage({ spec }: MachineImport, left: number): string {
  const messages = {
    Planned: 'nothing was changed on the host; status.plan lists what an import would change',
    Imported: `the host is Machine ${spec.machine.name}`,
    Reverted: `the host is no longer managed; ${left === 0 ? 'everything is as it was' : 'status.notReverted lists what was left as it is'}`,
  };
  return messages[spec.state];
}

const workingWord = { Planned: 'Planning', Imported: 'Importing', Reverted: 'Reverting' } as const;

/** A summary for people. */
export function phaseOf(
  object: MachineImport,
  list: readonly ImportStep[],
): NonNullable<MachineImportStatus['phase']> {
  if (list.some((step) => step.state === 'Failed')) return 'Failed';
  if (isFinished(list)) return object.spec.state;
  return list.every((step) => step.state === 'Waiting') ? 'Pending' : workingWord[object.spec.state];
}

export function isFinished(list: readonly ImportStep[]): boolean {
  return list.length > 0 && list.every((step) => step.state === 'Done' || step.state === 'Skipped');
}
