import type { Logger as RuntimeLogger } from '@kubenode/runtime';

/** The whole logger, as the runtime takes it. */
export type AgentLogger = RuntimeLogger;
/** Where the agent tells what it does. Fields are data, never put into the text. */
export type Logger = Pick<RuntimeLogger, 'info' | 'warn' | 'error'>;
