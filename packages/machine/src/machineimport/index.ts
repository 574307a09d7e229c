export { machineImportController } from './controller.ts';
export { importAnnotation, type MachineImportDeps } from './deps.ts';
export { type AgentBinary, hostPaths, type HostPaths, type HostShell } from './host.ts';
export { readFacts, objection } from './inspect.ts';
export { agentUnit, installAgent, startAgent } from './install.ts';
export { localShell } from './local-shell.ts';
export { stepsTo } from './plan.ts';
export { kubeletKubeconfig } from './steps/identity.ts';
export { agentTokenGroups, ensureToken, randomText, type TokenRequest } from './token.ts';
