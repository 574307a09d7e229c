import type { Connection } from './credentials.ts';

/** The connection of a pod's ServiceAccount, undefined where this is no pod. The token is read again as it is renewed. */
export declare function inCluster(env?: NodeJS.ProcessEnv): Promise<Connection | undefined>;
