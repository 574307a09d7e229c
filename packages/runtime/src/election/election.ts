import type { Client } from '../client/client.ts';
import type { Key } from '../client/object.ts';
import type { Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';

export interface ElectionOptions {
  readonly client: Client;
  /** Namespace and name of the Lease. */
  readonly lease: Required<Key>;
  /** Unique per process, also across restarts: host name and a random part. */
  readonly identity: string;
  /** How long a lease holds that isn't renewed, in milliseconds. @default 15_000 */
  readonly leaseMs?: number;
  /** The leader gives up when it couldn't renew for so long; well below leaseMs. @default 10_000 */
  readonly renewDeadlineMs?: number;
  /** Between tries. @default 2_000 */
  readonly retryMs?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** One process of several leads, by a Lease of coordination.k8s.io. */
export interface Election {
  readonly isLeader: boolean;
  /** Who leads, as far as is known. */
  readonly holder: string | undefined;
  /**
   * Waits for leadership, runs `lead`, and releases the lease. The signal of `lead` is aborted when `signal` is, or when the lease is
   * lost. Rejects with LeaseLost then, after `lead` ended; otherwise as `lead` ends. Resolves when stopped before it ever led.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** The lease went to somebody else, or could not be renewed in time. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export declare function leaderElection(options: ElectionOptions): Election;
