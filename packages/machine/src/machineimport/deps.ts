import type {
  Machine,
  MachineComponent,
  MachineComponentEntry,
  MachineImport,
  NotReverted,
  PlannedChange,
} from '@kubenode/api';
import type { Client, Clock, EventRecorder, Informer, Logger, Registry } from '@kubenode/runtime';
import type { Connect, SshSession } from '../ssh/index.ts';
import type { AgentBinary, HostPaths } from './host.ts';
import type { HostFacts } from './inspect.ts';
import type { Download } from './install.ts';
import type { Outcome } from './plan.ts';

/** What the import controller needs of the operator. */
export interface MachineImportDeps {
  readonly client: Client;
  /** Any projection of Machines: a change of one wakes the import that made it. */
  readonly machines: Informer<unknown>;
  /** The agents that hosts can pull, by architecture in Go's words (amd64, arm64). */
  readonly agents: Readonly<Record<string, AgentBinary>>;
  /** The API server as hosts reach it, and the authority (PEM) that its certificate is signed by. */
  readonly server: { readonly url: string; readonly ca: string };
  readonly events: Pick<EventRecorder, 'event'>;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly metrics?: Registry;
  /** Imports at once. Default 10. */
  readonly workers?: number;
  /** Default: ssh2. */
  readonly connect?: Connect;
  /** Default: Node's http and https. */
  readonly download?: Download;
  /** Default: as on every host. */
  readonly paths?: HostPaths;
}

/** What would belong on a machine. */
export interface Desired {
  readonly components: readonly MachineComponentEntry[];
  readonly revisions: readonly MachineComponent[];
}

/** One import while it is worked on. What was asked of the host is kept until the reconcile ends. */
export interface Work {
  readonly object: MachineImport;
  readonly client: Client;
  readonly agents: MachineImportDeps['agents'];
  readonly server: MachineImportDeps['server'];
  readonly paths: HostPaths;
  readonly push: Download;
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  now(): number;
  /** Since when the step is under way, epoch milliseconds. */
  since(): number;
  /** Connects at the first call. @throws SshError */
  host(): Promise<SshSession>;
  facts(): Promise<HostFacts>;
  /** The Machine that the import makes, as it is now; undefined: there is none. */
  machine(): Promise<Machine | undefined>;
  /** What goes into the status besides the steps. */
  found: { plan?: PlannedChange[]; notReverted?: NotReverted[] };
}

/**
 * One step. Whatever it does can be done again: it may have been interrupted at any point. What it throws becomes a failure of the step with
 * the error's message, so that says what happened, to what, and what to do.
 */
export type Step = (work: Work) => Promise<Outcome>;

/** Annotation of a Machine: the MachineImport that made it. */
export const importAnnotation = 'kubenode.io/import';
