import { agentBinaryFolder, agentUnit } from '../config.ts';
import type { Goal } from '../plan/goal.ts';

/** The agent's executable, as its unit names it. */
export const agentExecutable = `${agentBinaryFolder}/current/kubenode-agent`;
/** Copies of what an upgrade of the agent replaces, and the executable that the watchdog runs. */
export const previousFolder = `${agentBinaryFolder}/previous`;
export const previousExecutable = `${previousFolder}/kubenode-agent`;
export const watchdogUnit = 'kubenode-agent-watchdog.service';

/** Whether a component is the agent itself. Its unit tells, whatever the component is called: who restarts that ends this process. */
export function isAgent(goal: Pick<Goal, 'unit'>): boolean {
  return goal.unit?.name === agentUnit;
}
