import type { SystemdBus } from './bus.ts';
import { DBusError } from './connection.ts';
import { runJob } from './jobs.ts';
import { list, text } from './message.ts';
import { Variant } from './signature.ts';

/** Between SIGTERM and SIGKILL. */
const patienceMs = 5_000;
/** For one question to systemd, or one stop with its patience. */
const jobMs = 15_000;
/** A process may start another one while it is being ended. */
const rounds = 5;
/** All processes of the unit are ended when it stops; with the other modes some are meant to outlive it, as containerd's shims. */
const endingModes = new Set(['control-group', 'mixed']);

/**
 * Ends processes that are left of a service which systemd takes for stopped. It may lose a running one whose alias another unit names, when
 * the alias' link comes or goes (mask, disable, enable) and it reads its files again: it takes the state of the alias, stopped, for that of the
 * service. A start would set a second daemon beside the first ("Found left-over process ... Ignoring").
 *
 * They are moved into a scope, and that is stopped. Killed where they are, the main process would bring systemd down: the service still
 * holds it for its own, and "Code should not be reached" when it ends while the service is stopped (service_sigchld_event(), systemd issue
 * 5374; with systemd 252 the host went down each time).
 */
export async function endLeftOvers(bus: SystemdBus, unit: string): Promise<void> {
  if (!unit.endsWith('.service')) return;
  const scope = `kubenode-left-over-${unit.replace(/\.service$/, '')}.scope`;
  const [unitState, scopeState] = await activeStates(bus, [unit, scope]);
  // Of an agent that was killed in the middle of this.
  if (scopeState !== '' && !isStopped(scopeState)) await stop(bus, scope);
  if (!isStopped(unitState)) return;
  for (let round = 0; round < rounds; round++) {
    const pids = await leftOversOf(bus, unit);
    if (pids.length === 0) return;
    await move(bus, scope, unit, pids);
    await stop(bus, scope);
  }
}

/**
 * Whether systemd takes the service for stopped and has not seen its main process end: of one that it has, it knows no number any more. So it
 * stays until the service is started, also where an agent was killed before that.
 */
export async function isLost(bus: SystemdBus, unit: string): Promise<boolean> {
  if (!unit.endsWith('.service')) return false;
  const [state] = await activeStates(bus, [unit]);
  return isStopped(state) && (await mainOf(bus, unit)) > 0;
}

async function activeStates(bus: SystemdBus, units: readonly string[]): Promise<string[]> {
  const [rows] = await bus.manager('ListUnitsByNames', 'as', [units]);
  return units.map((_unit, index) => text(list(list(rows)[index])[3]));
}

function isStopped(activeState: string | undefined): boolean {
  return activeState === 'inactive' || activeState === 'failed';
}

/** Process IDs: of what a stop of the unit would end. */
async function leftOversOf(bus: SystemdBus, unit: string): Promise<number[]> {
  const pids = await processesOf(bus, unit);
  if (pids.length === 0 || endingModes.has(text(await bus.property(unit, 'Service', 'KillMode'))))
    return pids;
  const main = await mainOf(bus, unit);
  return pids.filter((pid) => pid === main);
}

async function processesOf(bus: SystemdBus, unit: string): Promise<number[]> {
  const answer = await ignoreRefusal(bus.manager('GetUnitProcesses', 's', [unit]));
  return list(answer?.[0] ?? []).map((process) => Number(list(process)[1]));
}

async function mainOf(bus: SystemdBus, unit: string): Promise<number> {
  return Number(await bus.property(unit, 'Service', 'MainPID'));
}

async function move(bus: SystemdBus, scope: string, unit: string, pids: readonly number[]): Promise<void> {
  const settings = [
    ['Description', new Variant('s', `What is left of ${unit}`)],
    ['PIDs', new Variant('au', pids)],
    ['TimeoutStopUSec', new Variant('t', BigInt(patienceMs) * 1000n)],
  ];
  const body = [scope, 'fail', settings, []];
  const start = { method: 'StartTransientUnit', signature: 'ssa(sv)a(sa(sv))', body };
  // Refused where one of them has just ended: they are looked at again.
  await ignoreRefusal(runJob(bus, scope, start, jobMs));
}

async function stop(bus: SystemdBus, scope: string): Promise<void> {
  const request = { method: 'StopUnit', signature: 'ss', body: [scope, 'replace'] };
  await ignoreRefusal(runJob(bus, scope, request, jobMs));
  // One that had to be killed stays as failed, and its name with it.
  await ignoreRefusal(bus.manager('ResetFailedUnit', 's', [scope]));
}

/** A unit that is not loaded has no processes, and a scope ends by itself with its last process. */
async function ignoreRefusal<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DBusError) return undefined;
    throw error;
  }
}
