import { setTimeout as delay } from 'node:timers/promises';
import type { SystemdBus } from './bus.ts';
import { DBusError } from './connection.ts';
import { list, text } from './message.ts';

const askEveryMs = 50;
/** Between SIGTERM and SIGKILL. */
const patienceMs = 5000;
/** All processes of the unit are ended when it stops; with the other modes some are meant to outlive it, as containerd's shims. */
const endingModes = new Set(['control-group', 'mixed']);

/**
 * Ends processes that are left of a service which systemd takes for stopped: it may lose one over a mask and two reloads, and a start would
 * set a second daemon beside the first ("Found left-over process ... Ignoring").
 */
export async function endLeftOvers(bus: SystemdBus, unit: string): Promise<void> {
  if (!unit.endsWith('.service') || !(await isStopped(bus, unit))) return;
  if (!endingModes.has(text(await bus.property(unit, 'Service', 'KillMode')))) return;
  const killAt = Date.now() + patienceMs;
  while ((await processesOf(bus, unit)) > 0) {
    await ignoreRefusal(bus.manager('KillUnit', 'ssi', [unit, 'all', Date.now() < killAt ? 15 : 9]));
    await delay(askEveryMs);
    if (Date.now() > killAt + patienceMs) return;
  }
}

async function isStopped(bus: SystemdBus, unit: string): Promise<boolean> {
  const [rows] = await bus.manager('ListUnitsByNames', 'as', [[unit]]);
  const state = text(list(list(rows)[0])[3]);
  return state === 'inactive' || state === 'failed';
}

async function processesOf(bus: SystemdBus, unit: string): Promise<number> {
  const answer = await ignoreRefusal(bus.manager('GetUnitProcesses', 's', [unit]));
  return list(answer?.[0] ?? []).length;
}

/** A unit that is not loaded has no processes, and one whose last process just ended cannot be killed. */
async function ignoreRefusal<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DBusError) return undefined;
    throw error;
  }
}
