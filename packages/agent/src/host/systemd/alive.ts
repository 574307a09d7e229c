import type { Clock } from '@kubenode/runtime';
import type { RunResult } from '../../ports.ts';
import type { CommandRequest } from '../command.ts';

/** An agent that hangs is killed and started anew after so long, unless its unit says another WatchdogSec. Milliseconds. */
const hungMs = 180_000;
const notifyMs = 10_000;

export interface AliveOptions {
  /** Of this process, as systemd has made it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: (request: CommandRequest) => Promise<RunResult>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Tells systemd again and again that this process does something, and before that to kill it when it no longer says so: sd_notify(3), by
 * systemd-notify, since Node has no Unix datagram socket. A host where that does not work goes without, so that no agent is killed for it. Ends with the signal.
 */
export async function stayAlive({ env, run, clock, warn }: AliveOptions, signal: AbortSignal): Promise<void> {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return;
  const limitMs = Number(env['WATCHDOG_USEC'] ?? hungMs * 1000) / 1000;
  const notify = (...words: readonly string[]): Promise<RunResult> =>
    run({ command: ['systemd-notify', ...words], env: { NOTIFY_SOCKET: socket }, timeoutMs: notifyMs });
  const first = await notify(`WATCHDOG_USEC=${limitMs * 1000}`, 'WATCHDOG=1');
  if (first.exitCode !== 0) {
    warn('systemd cannot be told that the agent lives; it will not notice one that hangs', {
      output: first.output,
    });
    return;
  }
  while (!signal.aborted) {
    await clock.sleep(limitMs / 3, signal).catch(() => undefined);
    if (!signal.aborted) await notify('WATCHDOG=1');
  }
}
