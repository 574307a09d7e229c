import type { Connection } from '../auth/credentials.ts';
import type { Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Client } from './client.ts';

export interface ClientOptions extends Connection {
  /** @default 'kubenode' */
  readonly userAgent?: string;
  /** Requests at once, watches apart; more wait. @default 32 */
  readonly maxConnections?: number;
  readonly log?: Logger;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly random?: Random;
}

export declare function createClient(options: ClientOptions): Client;
