import type { Client } from '../client/client.ts';
import type { Random } from '../clock/backoff.ts';
import type { Clock } from '../clock/clock.ts';
import type { Runnable } from '../controller/manager.ts';
import type { Logger } from '../log/log.ts';

/** The object an event is about. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
}

export interface RecorderOptions {
  readonly client: Client;
  /** Who tells: `kubenode-machine`. */
  readonly component: string;
  /** Which instance of it. @default the host name */
  readonly instance?: string;
  /** Series are kept together for so long, in milliseconds. @default 600_000 */
  readonly windowMs?: number;
  /** Events per object: so many at once, then one per `refillMs`. @default { burst: 25, refillMs: 300_000 }, as client-go */
  readonly limit?: { readonly burst: number; readonly refillMs: number };
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Events for people. Never waits, never throws: what can't be sent is dropped and logged. The same (object, reason, type) again
 * counts up one event. Runs in a manager; ends by sending what is left.
 */
export interface EventRecorder extends Runnable {
  event(ref: ObjectRef, type: 'Normal' | 'Warning', reason: string, note: string): void;
  /** Sends all that waits. For short-lived programs without a manager. */
  flush(signal?: AbortSignal): Promise<void>;
}

export declare function recorder(options: RecorderOptions): EventRecorder;
