import { hostname } from 'node:os';
import type { Client } from '../client/client.ts';
import { isNotFound } from '../client/errors.ts';
import { Event } from '../client/kinds.ts';
import type { Random } from '../clock/backoff.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Runnable } from '../controller/manager.ts';
import { type Logger, silentLogger } from '../log/log.ts';
import { redact } from '../log/redact.ts';
import { timestamp } from '../object/conditions.ts';
import type { ObjectRef } from './ref.ts';
import { tokenBuckets } from './token-bucket.ts';

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
 * Events for people. Never waits, never throws: what can't be sent is dropped and logged. The same (object, part of it, reason,
 * type) again counts up one event. Runs in a manager; ends by sending what is left.
 */
export interface EventRecorder extends Runnable {
  event(ref: ObjectRef, type: 'Normal' | 'Warning', reason: string, note: string): void;
  /** Sends all that waits. For short-lived programs without a manager. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** Objects and series remembered at most; the oldest are forgotten first. */
const remembered = 4096;
/** Repeats of a series are sent together, at most this often. */
const repeatMs = 10_000;
/** For what is left at the end. */
const lastFlushMs = 5000;
/** The API server refuses longer notes. */
const longestNote = 1024;
const defaultLimit = { burst: 25, refillMs: 300_000 };

/** One event object that counts up. */
interface Series {
  readonly ref: ObjectRef;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly namespace: string;
  /** Of the event object; a new one when the server dropped the old. */
  name: string;
  note: string;
  count: number;
  readonly first: number;
  last: number;
  stored: boolean;
  sentAt: number;
}

export function recorder(options: RecorderOptions): EventRecorder {
  const { client, component } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const log = (options.log ?? silentLogger).with({ recorder: component });
  const instance = options.instance ?? hostname();
  const windowMs = options.windowMs ?? 600_000;
  const buckets = tokenBuckets({ ...(options.limit ?? defaultLimit), keys: remembered, clock });
  const known = new Map<string, Series>();
  /** What changed since it was sent. */
  const changed = new Set<Series>();
  let wake = (): void => undefined;

  /** Of this recorder alone: the time it began and a random part. */
  const suffix = `${clock.now().toString(16)}${Math.floor(random() * 0x1000000)
    .toString(16)
    .padStart(6, '0')}`;
  let named = 0;
  const nameFor = (ref: ObjectRef): string => `${ref.name.slice(0, 220)}.${suffix}${(named++).toString(16)}`;

  const record = (ref: ObjectRef, type: Series['type'], reason: string, note: string): void => {
    const { kind, namespace = '', name, uid = '', fieldPath = '' } = ref;
    const key = [kind, namespace, name, uid, fieldPath, type, reason].join('|');
    const now = clock.monotonic();
    const old = known.get(key);
    if (old !== undefined && now - old.last < windowMs) {
      old.count++;
      old.note = note;
      old.last = now;
      changed.add(old);
    } else if (
      changed.size < remembered &&
      buckets.take([ref.kind, ref.namespace ?? '', ref.name].join('|'))
    ) {
      const series: Series = {
        ref,
        type,
        reason,
        // Events of cluster-scoped objects live in `default`: the API server insists on it.
        namespace: ref.namespace ?? 'default',
        name: nameFor(ref),
        note,
        count: 1,
        first: now,
        last: now,
        stored: false,
        sentAt: -Infinity,
      };
      known.delete(key);
      known.set(key, series);
      changed.add(series);
      if (known.size > remembered) for (const oldest of known.keys()) return void known.delete(oldest);
    } else {
      log.debug('too many events of one object; dropped', { kind: ref.kind, name: ref.name, reason });
      return;
    }
    wake();
  };

  /** Monotonic to wall clock. */
  const wall = (at: number): string => timestamp(clock.now() - (clock.monotonic() - at));

  const create = async (series: Series, signal: AbortSignal | undefined): Promise<void> => {
    await client.create(
      Event,
      {
        metadata: { name: series.name, namespace: series.namespace },
        involvedObject: { ...series.ref },
        type: series.type,
        reason: series.reason,
        message: series.note,
        count: series.count,
        firstTimestamp: wall(series.first),
        lastTimestamp: wall(series.last),
        source: { component, host: instance },
        reportingComponent: component,
        reportingInstance: instance,
      },
      signal === undefined ? {} : { signal },
    );
    series.stored = true;
  };

  const send = async (series: Series, signal: AbortSignal | undefined): Promise<void> => {
    if (!series.stored) return create(series, signal);
    const body = { count: series.count, message: series.note, lastTimestamp: wall(series.last) };
    try {
      const key = { namespace: series.namespace, name: series.name };
      await client.patch(Event, key, { type: 'merge', body }, signal === undefined ? {} : { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // Events live for an hour or so.
      series.name = nameFor(series.ref);
      await create(series, signal);
    }
    return undefined;
  };

  const sendAll = async (due: (series: Series) => boolean, signal?: AbortSignal): Promise<void> => {
    for (const series of changed) {
      if (!due(series)) continue;
      changed.delete(series);
      series.sentAt = clock.monotonic();
      try {
        await send(series, signal);
      } catch (error) {
        if (signal?.aborted === true) {
          changed.add(series);
          return;
        }
        log.warn('an event could not be sent', {
          kind: series.ref.kind,
          name: series.ref.name,
          reason: series.reason,
          error,
        });
      }
    }
  };

  return {
    name: `events/${component}`,
    event(ref, type, reason, note) {
      try {
        record(ref, type, reason, String(redact('note', note)).slice(0, longestNote));
      } catch (error) {
        log.error('an event could not be noted', { error });
      }
    },
    flush: (signal) => sendAll(() => true, signal),
    async run(signal) {
      while (!signal.aborted) {
        const now = clock.monotonic();
        await sendAll((series) => now - series.sentAt >= repeatMs, signal);
        if (signal.aborted) break;
        const next = Math.min(...[...changed].map((series) => series.sentAt + repeatMs - clock.monotonic()));
        if (next <= 0) continue;
        await untilWoken(next, signal);
      }
      await sendAll(() => true, AbortSignal.timeout(lastFlushMs));
    },
  };

  /** Until something was noted, the time passed (Infinity: never), or the end. */
  function untilWoken(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? clock.after(ms, () => go()) : undefined;
      const go = (): void => {
        timer?.[Symbol.dispose]();
        signal.removeEventListener('abort', go);
        wake = () => undefined;
        resolve();
      };
      signal.addEventListener('abort', go, { once: true });
      wake = go;
    });
  }
}
