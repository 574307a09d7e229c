export { main } from './main.ts';
export { agentVersion } from './version.ts';
export type { AgentConfig } from './config.ts';
export { type PlanRequest, planHost } from './commands/plan.ts';
export { revertHost } from './commands/revert.ts';
export { stopLocalHost } from './host/index.ts';
