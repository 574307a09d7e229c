import type { UnitState } from '../../ports.ts';
import type { SystemdBus } from './bus.ts';
import { DBusError } from './connection.ts';
import { list, text } from './message.ts';
import type { DBusValue } from './signature.ts';

const loadStates = ['loaded', 'not-found', 'masked', 'error', 'bad-setting'] as const;
const activeStates = ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'] as const;

/** Makes the state of a unit from its row of ListUnitsByNames: three more questions where a process runs, one where it did not load. */
export async function toUnitState(
  bus: SystemdBus,
  unit: string,
  row: readonly DBusValue[],
  enabled: UnitState['enabled'],
): Promise<UnitState> {
  const loadState =
    loadStates.find((state) => state === row[2]) ?? (row[2] === undefined ? 'not-found' : 'loaded');
  // Newer words: `refreshing` and `maintenance` of a unit that is up.
  const activeState =
    activeStates.find((state) => state === row[3]) ?? (row[3] === undefined ? 'inactive' : 'active');
  const subState = text(row[4]);
  const state = { name: unit, loadState, activeState, subState, enabled, mainPID: 0 };
  if (loadState === 'error' || loadState === 'bad-setting') {
    const [, message] = list(await bus.property(unit, 'Unit', 'LoadError'));
    return { ...state, loadError: text(message) };
  }
  if (!unit.endsWith('.service') || activeState === 'inactive' || activeState === 'failed') return state;
  const restarts = await restartsOf(bus, unit);
  const mainPID = Number(await bus.property(unit, 'Service', 'MainPID'));
  if (mainPID === 0) return { ...state, ...restarts };
  const startedMicroseconds = await bus.property(unit, 'Service', 'ExecMainStartTimestamp');
  const startedAt = typeof startedMicroseconds === 'bigint' ? Number(startedMicroseconds / 1000n) : 0;
  return { ...state, ...restarts, mainPID, ...(startedAt > 0 ? { startedAt } : {}) };
}

/** systemd before 235 does not count them. */
async function restartsOf(bus: SystemdBus, unit: string): Promise<Pick<UnitState, 'restarts'>> {
  try {
    return { restarts: Number(await bus.property(unit, 'Service', 'NRestarts')) };
  } catch (error) {
    if (error instanceof DBusError) return {};
    throw error;
  }
}
