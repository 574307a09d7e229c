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
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const hint = (names: readonly string[]): void => {
    for (const name of names) pending.add(name);
    if (pending.size === 0) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      const burst = [...pending];
      pending.clear();
      for (const unit of burst) changed(unit);
    }, coalesceMs);
  };
  const signals = bus.onSignal((message) => hint(concerned(message, units)));
  // What happened while nobody listened is unknown, so everything is looked at.
  const reconnects = bus.onReconnect(() => hint(units()));
  // A failed first connection is no news here: the first question that needs it says so.
  void bus.connect().catch(() => undefined);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
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
