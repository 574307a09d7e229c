import type { MachineComponentEntry } from '@kubenode/api';
import { isRemoved, type Member } from './member.ts';
import type { MachineView, SetView } from './view.ts';

/** The list with what may change at once, or undefined where nothing does. */
export function settleEntries(
  machine: MachineView,
  members: ReadonlyMap<string, Member>,
  setNamed: (name: string) => SetView | undefined,
): MachineComponentEntry[] | undefined {
  const entries = machine.entries.flatMap((entry): MachineComponentEntry[] => {
    if (isRemoved(machine, entry)) return machine.deleting ? [entry] : [];
    if (machine.deleting) {
      return [
        machine.deletionPolicy === 'Delete' && entry.state === 'Present'
          ? { ...entry, state: 'Absent' }
          : entry,
      ];
    }
    const member = members.get(entry.name);
    const set = member?.selected === true && member.updated ? setNamed(member.set) : undefined;
    if (member === undefined || set === undefined) return [entry];
    return [settleEntry(entry, member, set)];
  });
  const isSame =
    entries.length === machine.entries.length && entries.every((entry, i) => entry === machine.entries[i]);
  return isSame ? undefined : entries;
}

function settleEntry(entry: MachineComponentEntry, member: Member, set: SetView): MachineComponentEntry {
  const retry = member.failed && set.retryToken !== '' && entry.retryToken !== set.retryToken;
  if (entry.set === set.name && entry.drift === set.drift && !retry) return entry;
  return { ...entry, set: set.name, drift: set.drift, ...(retry ? { retryToken: set.retryToken } : {}) };
}
