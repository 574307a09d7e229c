import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process as one can name it without mistaking a later one of the same number for it. */
export interface ProcessId {
  pid: number;
  /** Clock ticks after boot at which it started: field 22 of /proc/PID/stat. */
  startedAt: string;
}

/** The identity of a process that runs now, or undefined where there is none of that number (or only its remains). */
export function identify(pid: number): ProcessId | undefined {
  try {
    // The name in parentheses may hold spaces, so fields are counted from its end: the state comes first, the start time is the 20th.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startedAt = fields[19];
    return startedAt === undefined || fields[0] === 'Z' ? undefined : { pid, startedAt };
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs. */
export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startedAt === id.startedAt;
}

/** Sends a signal to this very process. @returns false where it is gone. */
export function signal(id: ProcessId, name: NodeJS.Signals | number): boolean {
  if (!isAlive(id)) return false;
  try {
    process.kill(id.pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Ends a process: SIGTERM, and SIGKILL where it is still there after the grace time. Resolves when it is gone. */
export async function end(id: ProcessId, graceMs = 5000): Promise<void> {
  if (!signal(id, 'SIGTERM')) return;
  if (await waitUntil(() => !isAlive(id), graceMs)) return;
  signal(id, 'SIGKILL');
  if (!(await waitUntil(() => !isAlive(id), 5000)))
    throw new Error(`Process ${id.pid} does not end, not by SIGKILL either.`);
}

/** Asks every 20 ms whether something holds. @returns false where it doesn't before the deadline. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  deadlineMs: number,
): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** Starts a program that outlives this process: a session of its own, output to a file. */
export async function startDetached(
  command: readonly string[],
  options: { logFile: string; env?: Readonly<Record<string, string | undefined>>; cwd?: string },
): Promise<ProcessId> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('An empty command cannot be started.');
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
    });
    const id = child.pid === undefined ? undefined : identify(child.pid);
    child.unref();
    if (id === undefined) throw new Error(`${program} ended as it started; its log is ${options.logFile}.`);
    return id;
  } finally {
    closeSync(log);
  }
}
