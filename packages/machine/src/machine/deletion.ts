import { leaseStaleMs, type Machine } from '@kubenode/api';
import { findCondition, formatDuration } from '@kubenode/runtime';
import { isRemoved } from '../assigner/member.ts';
import { agentLeft, viewOfMachine } from '../assigner/view.ts';

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

/**
 * What the deletion of a Machine waits for. Retain: for nothing, the host keeps everything, its agent included. Delete: the assigner
 * sets every component to Absent; when the agent has removed them all it is told to leave; when it has left, or is silent after it
 * was told, the Machine goes. Nothing is given up by itself: whoever does not want to wait sets deletionPolicy to Retain.
 * @param silentMs since the agent was heard of, undefined: never
 * @param now epoch milliseconds
 */
export function planDeletion(machine: Machine, silentMs: number | undefined, now: number): Deletion {
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
  const view = viewOfMachine(machine);
  const left = view.entries.filter((entry) => !isRemoved(view, entry)).map((entry) => entry.name);
  const waiting = formatDuration(now - Date.parse(metadata.deletionTimestamp ?? new Date(now).toISOString()));
  const way = 'To delete the Machine and leave the host as it is, set spec.deletionPolicy to Retain.';
  if (left.length > 0) {
    const what = `${left.slice(0, 5).join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`;
    const message = `Waits for the agent to remove ${what}, for ${waiting}. ${way}`;
    if (!isSilent) return { reason: 'RemovingComponents', message, release: false };
    return {
      reason: 'AgentUnreachable',
      message: `${message} The agent does not report: bring the host back.`,
      release: false,
    };
  }
  const next = `or is silent for ${formatDuration(leaseStaleMs)}`;
  return {
    reason: agentLeaves,
    message: `All components are removed. Goes on when the agent has left ${next}.`,
    release: false,
  };
}
