import { Coalescer } from '../coalesce.ts';
import type { SystemdBus } from './bus.ts';
import { unitOfPath } from './bus.ts';
import type { Message } from './message.ts';

/** A daemon-reload sends hundreds of signals at once; a person notices nothing of this delay. */
const coalesceMs = 10;

/** Calls back, once per burst, for each watched unit that systemd says something about. */
export function watchUnits(
  bus: SystemdBus,
  units: () => readonly string[],
  changed: (unit: string) => void,
): Disposable {
  const hints = new Coalescer(coalesceMs, changed);
  const signals = bus.onSignal((message) => hints.add(concerned(message, units)));
  // What happened while nobody listened is unknown, so everything is looked at.
  const reconnects = bus.onReconnect(() => hints.add(units()));
  // A failed first connection is no news here: the first question that needs it says so.
  void bus.connect().catch(() => undefined);
  return {
    [Symbol.dispose]: () => {
      hints.close();
      signals[Symbol.dispose]();
      reconnects[Symbol.dispose]();
    },
  };
}

function concerned(message: Message, units: () => readonly string[]): readonly string[] {
  if (message.member === 'PropertiesChanged') {
    const unit = unitOfPath(message.path);
    return unit !== undefined && units().includes(unit) ? [unit] : [];
  }
  // Reloading(false) ends a daemon-reload; UnitFilesChanged follows enable, disable and mask.
  if (message.member === 'UnitFilesChanged') return units();
  if (message.member === 'Reloading' && message.body()[0] === false) return units();
  return [];
}
