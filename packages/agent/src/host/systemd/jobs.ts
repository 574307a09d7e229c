import { setTimeout as delay } from 'node:timers/promises';

import type { SystemdBus } from './bus.ts';
import { DisconnectedError } from './connection.ts';
import { list, text } from './message.ts';
import type { DBusValue } from './signature.ts';

/** systemd's word for how a job ended (done, failed, timeout, dependency, canceled, skipped), or ours: late, it is still under way. */
export type JobResult = string;

/** Looked at again this often where signals may have been missed. */
const pollMs = 250;

/**
 * Queues a job by a manager's method that answers a job, and waits for its end. Where the connection breaks meanwhile (daemon-reexec),
 * the unit itself is asked. Rejects with what the method rejects with.
 */
export async function runJob(
  bus: SystemdBus,
  unit: string,
  request: { readonly method: string; readonly signature: string; readonly body: readonly DBusValue[] },
  timeoutMs: number,
): Promise<JobResult> {
  const results = new Map<string, string>();
  let wake = (): void => undefined;
  let reconnected = false;
  using _signals = bus.onSignal((message) => {
    if (message.member !== 'JobRemoved') return;
    const [, job, , result] = message.body();
    results.set(text(job), text(result));
    wake();
  });
  using _reconnects = bus.onReconnect(() => {
    reconnected = true;
    wake();
  });
  const deadline = Date.now() + timeoutMs;
  const [job] = await bus.manager(request.method, request.signature, request.body);
  for (;;) {
    const result = results.get(text(job)) ?? (reconnected ? await judge(bus, unit) : undefined);
    if (result !== undefined) return result;
    const left = deadline - Date.now();
    if (left <= 0) return 'late';
    const abort = new AbortController();
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    // A signal that came during judge() is in `results` already, so the wait is never longer than one poll after a reconnect.
    const wait = reconnected ? Math.min(pollMs, left) : left;
    // Nobody waits for a job once the bus is closed: so an agent that has asked for its own restart ends at once, and not at the deadline.
    const signal = AbortSignal.any([abort.signal, bus.closed]);
    if (!results.has(text(job)))
      await Promise.race([woken, delay(wait, undefined, { signal })]).catch(giveUp);
    abort.abort();
  }
}

function giveUp(): never {
  throw new DisconnectedError('this process has closed its connection to systemd');
}

/** What became of a job whose end nobody saw; undefined while it goes on or nobody can tell. */
async function judge(bus: SystemdBus, unit: string): Promise<JobResult | undefined> {
  try {
    const [id] = list(await bus.property(unit, 'Unit', 'Job'));
    if (id !== 0) return undefined;
    return text(await bus.property(unit, 'Unit', 'ActiveState')) === 'failed' ? 'failed' : 'done';
  } catch (error) {
    if (error instanceof DisconnectedError) return undefined;
    throw error;
  }
}
