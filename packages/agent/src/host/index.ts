import type { Host } from '../ports.ts';

export { ArtifactError, HostFileError, PackageError, ServiceError } from './errors.ts';
export type { ArtifactErrorReason } from './errors.ts';

export interface HostOptions {
  /** '' is this machine; a folder makes a local host of the demo in it, with the built-in supervisor. */
  readonly root: string;
  /** Host path of the agent's state, hidden from hooks. Default /var/lib/kubenode. */
  readonly stateDir?: string;
  /** Host path of configuration and credentials, hidden from hooks. Default /etc/kubenode. */
  readonly configDir?: string;
  /** Host path of the credentials, CAs, mirrors and proxies of artifact sources. Default <configDir>/sources.json. */
  readonly sourcesFile?: string;
  /** Lines for the agent's log: notes that nobody's call returns (a supervised process crashed, the bus was reconnected). */
  readonly log?: (message: string) => void;
}

/** A host that holds connections and watches; close lets the process end. Services go on running. */
export interface OpenHost extends Host {
  close(): void;
}

/** Opens the host this process stands on, or a folder that plays one. Touches nothing yet. */
export async function createHost(options: HostOptions): Promise<OpenHost> {
  throw new Error(`createHost for root '${options.root}' is not there yet`);
}
