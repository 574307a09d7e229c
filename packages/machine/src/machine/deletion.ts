import { agentLeft, leaseStaleMs, type Machine } from '@kubenode/api';
import { findCondition, formatDuration } from '@kubenode/runtime';
import { isRemoved } from '../member/health.ts';
import { viewOfMachine } from '../member/view.ts';

/** Where the deletion of a Machine stands. */
export interface Deletion {
  /** Reason of the condition Deleting. */
  readonly reason: 'Released' | 'RemovingComponents' | 'AgentUnreachable' | typeof agentLeaves | 'Paused';
  readonly message: string;
  /** The finalizer may go. */
  readonly release: boolean;
}

/** Reason of the condition Deleting that tells the agent to take itself off the host and to say so (AgentReady, False, Left). */
export const agentLeaves = 'AgentLeaves';

/** What is known of an agent by the clock of this process, in milliseconds. */
export interface AgentSilence {
  /** Since it was heard of; undefined: never. */
  readonly silentMs: number | undefined;
  /** Since it was told to leave; undefined: it was not. */
  readonly toldMs: number | undefined;
}

/** An agent that was told to leave has this time to say so. Milliseconds. */
export const leaveWithinMs = 300_000;

/**
 * What the deletion of a Machine waits for. Retain: for nothing, the host keeps everything, its agent included. Delete: the assigner
 * sets every component to Absent; when the agent has removed them all it is told to leave; when it has left, or falls silent, or has
 * not left in time (nothing of what was brought is there any more), the Machine goes. The removal itself is not given up: whoever
 * does not want to wait for it sets deletionPolicy to Retain.
 */
export function planDeletion(machine: Machine, agentSays: AgentSilence): Deletion {
  const { silentMs, toldMs } = agentSays;
  const { metadata, spec } = machine;
  const conditions = machine.status?.conditions;
  if (spec.deletionPolicy === 'Retain') {
    return { reason: 'Released', message: 'The host keeps what it has.', release: true };
  }
  if (spec.paused) {
    return { reason: 'Paused', message: 'Waits for spec.paused to become false.', release: false };
  }
  const agent = findCondition(conditions, 'AgentReady');
  if (agent === undefined) return { reason: 'Released', message: 'It never had an agent.', release: true };
  if (agent.reason === agentLeft)
    return { reason: 'Released', message: 'The agent has left.', release: true };

  const told = findCondition(conditions, 'Deleting');
  const isTold = told?.reason === agentLeaves;
  const isSilent = silentMs === undefined || silentMs >= leaseStaleMs;
  if (isTold && isSilent) {
    return { reason: 'Released', message: 'The agent was told to leave and is silent.', release: true };
  }
  if (isTold && toldMs !== undefined && toldMs >= leaveWithinMs) {
    const message = `All components are removed; the agent was told to leave and is still there after ${formatDuration(leaveWithinMs)}.`;
    return { reason: 'Released', message, release: true };
  }
  const view = viewOfMachine(machine);
  const left = view.entries.filter((entry) => !isRemoved(view, entry)).map((entry) => entry.name);
  // A time and no count of minutes: the status is written only when something changes.
  const since = metadata.deletionTimestamp ?? '';
  const way = 'To delete the Machine and leave the host as it is, set spec.deletionPolicy to Retain.';
  if (left.length > 0) {
    const what = `${left.slice(0, 5).join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`;
    const message = `Waits since ${since} for the agent to remove ${what}. ${way}`;
    if (!isSilent) return { reason: 'RemovingComponents', message, release: false };
    return {
      reason: 'AgentUnreachable',
      message: `${message} The agent does not report: bring the host back.`,
      release: false,
    };
  }
  const next = `or is silent for ${formatDuration(leaseStaleMs)}, after ${formatDuration(leaveWithinMs)} in any case`;
  return {
    reason: agentLeaves,
    message: `All components are removed. Goes on when the agent has left ${next}.`,
    release: false,
  };
}
