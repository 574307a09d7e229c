import {
  agentLeft,
  agentUnreachable,
  type Condition,
  leaseStaleMs,
  type Machine,
  type MachineStatus,
} from '@kubenode/api';
import {
  canonical,
  type ConditionInput,
  findCondition,
  formatDuration,
  setCondition,
} from '@kubenode/runtime';
import type { Awaited } from '../assigner/fleet.ts';
import { type AgentSilence, planDeletion } from './deletion.ts';
import type { Heard } from './leases.ts';
import type { NodeView } from './node.ts';

/** What a Machine is judged by, besides itself. */
export interface Facts {
  /** The Node of that name, where there is one. */
  readonly node: NodeView | undefined;
  /** Another Machine that the Node belongs to. */
  readonly claimedBy: string | undefined;
  /** What its agent's Lease says; undefined: there is none. */
  readonly heard: Heard | undefined;
  /** What belongs on it and is not in its list; undefined: not known yet. */
  readonly awaited: readonly Awaited[] | undefined;
  /** How long this process has looked on, milliseconds: before that it judges no silence. */
  readonly watchedMs: number;
  /** Since this process saw that the agent was told to leave, milliseconds; undefined: it was not. */
  readonly toldMs?: number;
}

/** The fields of the status that the Machine controller writes. The conditions are its own only. */
export type OwnStatus = Pick<
  MachineStatus,
  'observedGeneration' | 'phase' | 'conditions' | 'nodeRef' | 'kubeletVersion'
>;

type Verdict = Omit<ConditionInput, 'type' | 'observedGeneration'>;
const owned = ['InfrastructureReady', 'NodeReady', 'Ready', 'Paused', 'Deleting'] as const;

/** The status that belongs on a Machine. @param now epoch milliseconds */
export function machineStatus(machine: Machine, facts: Facts, now: number): OwnStatus {
  const present = machine.status?.conditions;
  const verdicts: Record<(typeof owned)[number], Verdict | undefined> = {
    InfrastructureReady: yes('HostExists', ''),
    NodeReady: nodeReady(machine, facts),
    Ready: undefined,
    // These two stand there only while they are so: on 100,000 machines nobody needs to be told that they are not.
    Paused: machine.spec.paused
      ? yes('Paused', 'spec.paused is true: the controllers leave the machine alone.')
      : undefined,
    Deleting: deleting(machine, facts),
  };
  verdicts.Ready = ready(machine, facts, verdicts.NodeReady, verdicts.Deleting);
  const conditions = owned.flatMap((type): Condition[] => {
    const verdict = verdicts[type];
    if (verdict === undefined) return [];
    const before = findCondition(present, type);
    const message = verdict.message.slice(0, 1024);
    const observedGeneration = machine.metadata.generation ?? 0;
    return [
      ...setCondition(
        before === undefined ? [] : [before],
        { type, ...verdict, message, observedGeneration },
        now,
      ),
    ];
  });
  const { node } = facts;
  const isOurs = node !== undefined && facts.claimedBy === undefined;
  return {
    observedGeneration: machine.metadata.generation ?? 0,
    phase: phaseOf([...(present ?? []).filter((c) => !isOwned(c.type)), ...conditions]),
    conditions,
    ...(isOurs ? { nodeRef: { name: node.name, uid: node.uid } } : {}),
    ...(isOurs && node.kubeletVersion !== undefined ? { kubeletVersion: node.kubeletVersion } : {}),
  };
}

function isOwned(type: string): boolean {
  return owned.some((own) => own === type);
}

/** The own fields of the status as it is; comparable with `machineStatus` by `isSameStatus`. */
export function ownStatus(machine: Machine): OwnStatus {
  const { observedGeneration, phase, nodeRef, kubeletVersion, conditions = [] } = machine.status ?? {};
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(phase === undefined ? {} : { phase }),
    conditions: owned.flatMap((type) => conditions.find((condition) => condition.type === type) ?? []),
    ...(nodeRef === undefined ? {} : { nodeRef }),
    ...(kubeletVersion === undefined ? {} : { kubeletVersion }),
  };
}

export function isSameStatus(a: OwnStatus, b: OwnStatus): boolean {
  return canonical(a) === canonical(b);
}

/**
 * The change can wait a moment, since it may be over by then: a component that is replaced in a second would otherwise cost every machine two
 * more writes. Bad news, and good news, never wait.
 */
export function canWait(before: OwnStatus, after: OwnStatus): boolean {
  const isUpdate = before.phase === 'Running' && after.phase === 'Updating';
  return isSameStatus(withoutProgress(before, isUpdate), withoutProgress(after, isUpdate));
}

function withoutProgress(status: OwnStatus, isUpdate: boolean): OwnStatus {
  const { phase, nodeRef, kubeletVersion, conditions = [] } = status;
  return {
    ...(nodeRef === undefined ? {} : { nodeRef }),
    ...(kubeletVersion === undefined ? {} : { kubeletVersion }),
    ...(isUpdate || phase === undefined ? {} : { phase }),
    conditions: conditions
      .filter(({ type }) => !(isUpdate && type === 'Ready'))
      .map(({ type, status, reason, message, lastTransitionTime }) => ({
        type,
        status,
        reason,
        message,
        lastTransitionTime,
      })),
  };
}

/** The agent has not renewed its Lease for too long; or it was so for the process before, and nothing was heard since. */
export function isUnreachable(machine: Machine, { heard, watchedMs }: Facts): boolean {
  const was = findCondition(machine.status?.conditions, 'Ready')?.reason === agentUnreachable;
  if (heard === undefined) return was || watchedMs >= leaseStaleMs;
  return (was && !heard.alive) || heard.silentMs >= leaseStaleMs;
}

export function silenceOf({ heard, toldMs }: Facts): AgentSilence {
  return { silentMs: heard?.silentMs, toldMs };
}

/** When the judgement of silence could change, in milliseconds from now. */
export function nextLook({ heard, watchedMs }: Facts): number {
  const silent = heard?.silentMs ?? watchedMs;
  // A little later than the limit, so that the look finds it passed.
  return silent >= leaseStaleMs ? leaseStaleMs : leaseStaleMs - silent + 50;
}

function nodeReady(machine: Machine, { node, claimedBy }: Facts): Verdict | undefined {
  const { nodeName } = machine.spec;
  if (nodeName === undefined) return undefined;
  if (node === undefined) {
    return no('NodeNotFound', `Waits for Node ${nodeName}: it appears when the kubelet has registered.`);
  }
  if (claimedBy !== undefined) {
    return no(
      'NodeClaimed',
      `Node ${nodeName} belongs to Machine ${claimedBy}, which names it too. Delete one of the two.`,
    );
  }
  const { ready } = node;
  if (ready?.status === 'True') return yes('NodeReady', '');
  const why = ready === undefined ? 'its kubelet has not reported yet' : `${ready.reason}: ${ready.message}`;
  return {
    status: ready?.status === 'False' ? 'False' : 'Unknown',
    reason: 'NodeNotReady',
    message: `Node ${nodeName}: ${why}`,
  };
}

function deleting(machine: Machine, facts: Facts): Verdict | undefined {
  if (machine.metadata.deletionTimestamp === undefined) return undefined;
  const { reason, message } = planDeletion(machine, silenceOf(facts));
  return yes(reason, message);
}

function ready(
  machine: Machine,
  facts: Facts,
  node: Verdict | undefined,
  deletion: Verdict | undefined,
): Verdict {
  const conditions = machine.status?.conditions;
  const agent = findCondition(conditions, 'AgentReady');
  const components = findCondition(conditions, 'ComponentsReady');
  if (deletion?.status === 'True') return no('Deleting', deletion.message);
  if (agent === undefined) {
    return no(
      'AgentPending',
      'Waits for the first report of its agent; `kubectl get csr` shows whether it asked for its identity.',
    );
  }
  if (agent.reason === agentLeft) return no('AgentLeft', 'Its agent was taken off the host.');
  if (isUnreachable(machine, facts)) return { status: 'Unknown', ...unreachable(facts) };
  if (agent.status !== 'True') return no('AgentNotReady', agent.message);
  if (facts.awaited === undefined || components === undefined) {
    return no('ComponentsPending', 'Waits for its components to be told.');
  }
  if (facts.awaited.length > 0) {
    const waits = facts.awaited
      .slice(0, 3)
      .map(({ component, set, why }) => `${component} (set ${set}: ${why})`);
    return no('ComponentsPending', `Not brought yet: ${waits.join('; ')}${more(facts.awaited.length)}.`);
  }
  if (components.status !== 'True') return no('ComponentsNotReady', components.message);
  if (node !== undefined && node.status !== 'True') return no(node.reason, node.message);
  return yes('Ready', '');
}

function more(count: number): string {
  return count > 3 ? ` and ${count - 3} more` : '';
}

/** The time is that of the last word and not a count of minutes, so that the status is not written anew as time passes. */
function unreachable({ heard }: Facts): Pick<Verdict, 'reason' | 'message'> {
  const last = heard === undefined ? 'It has no Lease' : `Its last word is of ${heard.renewTime}`;
  return {
    reason: agentUnreachable,
    message: `Its agent has not reported for ${formatDuration(leaseStaleMs)} and more. ${last}. The host is off or cut off, or the agent stopped; what runs there is left alone. Nothing new is brought until it reports.`,
  };
}

/** A summary of the conditions, for people; nothing is driven by it. */
export function phaseOf(conditions: readonly Condition[]): NonNullable<MachineStatus['phase']> {
  const is = (type: string, status: string): boolean => findCondition(conditions, type)?.status === status;
  const ready = findCondition(conditions, 'Ready');
  if (is('Deleting', 'True')) return 'Deleting';
  if (ready?.reason === agentUnreachable) return 'Unreachable';
  if (ready?.status === 'True') return 'Running';
  if (findCondition(conditions, 'AgentReady') === undefined || ready?.reason === 'AgentLeft')
    return 'Pending';
  if (ready?.reason === 'NodeNotFound') return 'Provisioning';
  if (ready?.reason === 'ComponentsPending') return 'Updating';
  return isChanging(conditions) ? 'Updating' : 'Repairing';
}

/** Its components are being changed as they should be, and none has failed. */
export function isChanging(conditions: readonly Condition[]): boolean {
  const components = findCondition(conditions, 'ComponentsReady');
  return /^Component(Installing|Waiting|Removing)$/.test(components?.reason ?? '');
}

/** The taint that keeps pods away may go: everything that belongs on the machine is there and works. */
export function isInitialized(machine: Machine, facts: Facts): boolean {
  return (
    facts.awaited?.length === 0 &&
    findCondition(machine.status?.conditions, 'ComponentsReady')?.status === 'True' &&
    !isUnreachable(machine, facts)
  );
}

function yes(reason: string, message: string): Verdict {
  return { status: 'True', reason, message };
}

function no(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}
