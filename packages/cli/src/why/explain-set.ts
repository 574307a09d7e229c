/** Why the rollout of a set is not done, and what happens next, and when: a pure function of what the API knows. */
import type { Machine, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/api';
import { findCondition } from '@kubenode/runtime';
import { batchOf, haltOf, isThere, machinesOf, type SetMachine, standing } from '../rollout-state.ts';
import { budgetFinding, denialFinding, disruptionFindings } from './disruption.ts';
import type { Finding, KnownEvent } from './finding.ts';
import { recentWarnings } from './events.ts';

export interface KnownSet {
  readonly name: string;
  readonly set: MachineComponentSet | undefined;
  readonly machines: readonly Machine[];
  /** The budget named default. */
  readonly budget: NodeDisruptionBudget | undefined;
  /** The newest last. */
  readonly events: readonly KnownEvent[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface SetExplanation {
  readonly set: string;
  readonly isWell: boolean;
  readonly summary: string;
  readonly findings: readonly Finding[];
  /** Warnings of the last hour, newest last. */
  readonly events: readonly KnownEvent[];
}

/** More machines than this are counted and not told of one by one. */
const mostMachines = 8;

export function explainSet(known: KnownSet): SetExplanation {
  const { name, set } = known;
  const findings = set === undefined ? [missing(name)] : findingsOf(set, known);
  return {
    set: name,
    isWell: findings.length === 0,
    summary: summaryOf(name, set, findings),
    findings,
    events: recentWarnings(known.events, known.now),
  };
}

function missing(name: string): Finding {
  return {
    what: `set ${name}`,
    why: 'there is no MachineComponentSet of that name',
    next: 'nothing',
    help: 'kubenode get sets lists what there is',
  };
}

function summaryOf(name: string, set: MachineComponentSet | undefined, findings: readonly Finding[]): string {
  const { machines = 0, updated = 0, ready = 0, updateRevision = '', currentRevision } = set?.status ?? {};
  if (findings.length === 0) return `Set ${name} is done: ${updateRevision} is on all ${machines} machines.`;
  if (set === undefined) return `Set ${name} does not exist.`;
  const from =
    currentRevision === undefined || currentRevision === updateRevision ? '' : ` from ${currentRevision}`;
  const where = `${updated} of ${machines} machines moved, ${ready} Ready`;
  return `Set ${name} is on its way${from} to ${updateRevision || (set.spec.revision ?? '')}: ${where}.`;
}

function findingsOf(set: MachineComponentSet, known: KnownSet): Finding[] {
  const { metadata, spec, status } = set;
  const what = `set ${metadata.name}`;
  if ((status?.observedGeneration ?? -1) < (metadata.generation ?? 0)) {
    return [
      {
        what,
        why: 'the operator has not looked at its present spec yet',
        next: 'it begins as soon as an operator runs',
        help: 'kubenode operator runs one; kubectl -n kubenode-system get leases shows whether one does',
      },
    ];
  }
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready?.status === 'True' && metadata.deletionTimestamp === undefined) return [];
  const members = machinesOf(set, known.machines);
  const halt = haltFinding(set);
  const findings = [
    ...(spec.paused ? [pausedFinding(metadata.name)] : []),
    ...(halt === undefined ? [] : [halt]),
    ...conflictFinding(set),
    ...(halt === undefined && !spec.paused ? batchFinding(set) : []),
    ...inspectionFindings(set),
    ...(halt === undefined && !spec.paused ? budgetFindings(known) : []),
    ...machineFindings(batchOf(set, members), known.budget),
  ];
  if (findings.length > 0) return findings;
  return [
    {
      what,
      why: ready?.message || 'it is not judged yet',
      ...(ready === undefined ? {} : { since: ready.lastTransitionTime }),
      next: 'it is looked at again as soon as something changes',
    },
  ];
}

function pausedFinding(name: string): Finding {
  return {
    what: `set ${name}`,
    why: 'spec.paused is true: no machine is moved',
    next: 'nothing, until it is resumed',
    help: `kubenode resume set/${name}`,
  };
}

function haltFinding(set: MachineComponentSet): Finding | undefined {
  const halt = haltOf(set);
  if (halt === undefined) return undefined;
  const { name } = set.metadata;
  const { currentRevision, updateRevision, batch } = set.status ?? {};
  const back =
    currentRevision === undefined || currentRevision === updateRevision
      ? ''
      : `; kubenode rollback set/${name} goes back to ${currentRevision}`;
  const next =
    batch?.state === 'RollingBack'
      ? `the machines of the rollout are brought back to ${currentRevision ?? 'what they had'}; then it stays stopped`
      : 'nothing: no more machines are moved until a person acts';
  return {
    what: `batch ${halt.batch} of ${updateRevision ?? ''}`,
    why: `stopped (${halt.cause}): ${halt.message}`,
    since: halt.at,
    next,
    help: `give it a mended revision (spec.revision); or mend the cause, then kubenode retry set/${name}${back}`,
  };
}

function conflictFinding({ metadata, status }: MachineComponentSet): Finding[] {
  const conflict = findCondition(status?.conditions, 'Conflicted');
  if (conflict?.status !== 'True') return [];
  return [
    {
      what: `set ${metadata.name}`,
      why: conflict.message,
      since: conflict.lastTransitionTime,
      next: 'the machines keep what they have',
      help: 'give one of the sets another spec.priority, or another selector',
    },
  ];
}

function batchFinding({ metadata, spec, status }: MachineComponentSet): Finding[] {
  const { batch } = status ?? {};
  if (batch === undefined || batch.state === 'Done') return [];
  const { machines = 0, updated = 0 } = status ?? {};
  const left = Math.max(0, machines - updated);
  const next =
    left === 0
      ? 'the rollout is done'
      : `the next batch begins; ${left} machine${left === 1 ? '' : 's'} left`;
  const nexts: Record<Exclude<typeof batch.state, 'Done'>, string> = {
    Updating: spec.rollout.inspections.length > 0 ? 'when they are Ready, its inspections begin' : next,
    Inspecting: spec.rollout.observation === '0s' ? next : `it is watched for ${spec.rollout.observation}`,
    Observing: next,
    Waiting: 'it goes on by itself as soon as that is over',
    Paused:
      status?.halted === undefined && !spec.paused
        ? 'it goes on by itself where the next try on those machines succeeds'
        : 'nothing, until a person acts',
    RollingBack: 'when they are back, the rollout stays stopped',
  };
  return [
    {
      what: `batch ${batch.number} (${batch.size === 1 ? '1 machine' : `${batch.size} machines`})`,
      why: `${batch.state}: ${batch.reason ?? findCondition(status?.conditions, 'Ready')?.message ?? ''}`,
      ...(batch.since === undefined ? {} : { since: batch.since }),
      next: nexts[batch.state],
      ...(batch.until === undefined ? {} : { at: batch.until }),
      help: `kubenode tree set/${metadata.name} shows its machines`,
    },
  ];
}

function inspectionFindings({ spec, status }: MachineComponentSet): Finding[] {
  return (status?.batch?.inspections ?? []).flatMap(({ name, result, at, message }): Finding[] => {
    if (result === 'Passed' || result === 'Pending') return [];
    const deadline = spec.rollout.inspections.find((one) => one.name === name)?.deadline;
    return [
      {
        what: `inspection ${name}`,
        why: `${result}${message === undefined ? '' : `: ${message}`}`,
        ...(at === undefined ? {} : { since: at }),
        next:
          result === 'Failed'
            ? 'the rollout stops'
            : `it is asked again; the rollout pauses when that says nothing for ${deadline ?? 'its deadline'}`,
      },
    ];
  });
}

function budgetFindings({ name, budget }: KnownSet): Finding[] {
  const all = budgetFinding(budget);
  if (all !== undefined) return [all];
  const denied = denialFinding(`set/${name}`, budget, `leave for set ${name} to restart`);
  return denied === undefined ? [] : [denied];
}

/** The machines of the batch that are not there yet. */
function machineFindings(
  members: readonly SetMachine[],
  budget: NodeDisruptionBudget | undefined,
): Finding[] {
  const late = members.filter((member) => !isThere(member));
  const told = late.slice(0, mostMachines).flatMap((member): Finding[] => {
    const { machine, is } = member;
    const own: Finding = {
      what: `machine ${machine.metadata.name}`,
      why: standing(member),
      ...(is?.since === undefined ? {} : { since: is.since }),
      next: is?.state === 'Failed' ? 'it counts as failed' : 'it goes on',
      help: `kubenode why ${machine.metadata.name} says more`,
    };
    const leave = disruptionFindings(machine, budget).map((finding) => ({
      ...finding,
      what: `machine ${machine.metadata.name}, ${finding.what}`,
    }));
    return [own, ...leave];
  });
  const rest = late.length - mostMachines;
  if (rest <= 0) return told;
  return [
    ...told,
    { what: `${rest} more machines of the batch`, why: 'not Ready either', next: 'they go on' },
  ];
}
