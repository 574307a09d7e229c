import { statSync } from 'node:fs';

import type { Host } from '../ports.ts';
import { HttpFetcher } from './artifacts/fetcher.ts';
import { goArchitecture, readFacts } from './facts.ts';
import { DigestCache } from './files/digests.ts';
import { LocalFiles } from './files/host-files.ts';
import { rootedPaths } from './files/rooted-paths.ts';
import { HostProbes } from './probes/probes.ts';
import { executableDigest, processStat } from './process.ts';
import { openServices } from './services.ts';

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
  close(): Promise<void>;
}

/**
 * Opens the host this process stands on, or a folder that plays one. systemd where it runs, otherwise the built-in supervisor, which
 * takes up what it ran before. Rejects where systemd runs and neither of its sockets nor systemctl can be used.
 */
export async function createHost(options: HostOptions): Promise<OpenHost> {
  const paths = rootedPaths(options.root);
  const configDir = options.configDir ?? '/etc/kubenode';
  const log = options.log ?? (() => undefined);
  const digests = new DigestCache();
  const { services, packages, close } = await openServices({
    paths,
    hidden: [configDir, options.stateDir ?? '/var/lib/kubenode'],
    hasSystemd:
      options.root === '' && statSync('/run/systemd/system', { throwIfNoEntry: false }) !== undefined,
    sourcesFile: options.sourcesFile ?? `${configDir}/sources.json`,
    log,
  });
  return {
    root: paths.root,
    services,
    packages,
    files: new LocalFiles(paths, digests),
    fetcher: new HttpFetcher({
      paths,
      sourcesFile: options.sourcesFile ?? `${configDir}/sources.json`,
      architecture: goArchitecture(),
    }),
    probes: new HostProbes(services),
    facts: () => readFacts(paths),
    executableDigest: (pid) => executableDigest(pid, digests),
    processState: async (pid) => (await processStat(pid))?.state,
    close,
  };
}

/** Stops everything that the built-in supervisor runs below a folder, for taking a local host down. Rejects with ServiceError. */
export async function stopLocalHost(root: string, timeoutMs: number): Promise<void> {
  const { Supervisor } = await import('./supervisor/supervisor.ts');
  const supervisor = await Supervisor.open(rootedPaths(root));
  try {
    await supervisor.stopAll(timeoutMs);
  } finally {
    await supervisor.close();
  }
}
