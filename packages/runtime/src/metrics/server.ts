import type { Runnable } from '../controller/manager.ts';
import type { Registry } from './registry.ts';

export interface HealthServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any free one; see `address`. */
  readonly port: number;
  readonly metrics?: Registry;
  /** One line per thing that is wrong; empty is well. @default always well while it answers */
  readonly healthz?: () => readonly string[];
  readonly readyz?: () => readonly string[];
}

/** Serves /metrics, /healthz and /readyz (200, or 503 with what is wrong). */
export interface HealthServer extends Runnable {
  /** Where it listens; rejects when it can't. Resolves only after `run` was called. */
  address(): Promise<{ readonly host: string; readonly port: number }>;
}

export declare function healthServer(options: HealthServerOptions): HealthServer;
