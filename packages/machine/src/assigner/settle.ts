import type { MachineComponentEntry } from '@kubenode/api';
import { parseDuration } from '@kubenode/runtime';
import { isRemoved } from '../member/health.ts';
import type { Member } from '../member/member.ts';
import type { MachineView, SetView } from '../member/view.ts';

/** The list with what may change at once, or undefined where nothing does. @param now epoch milliseconds */
export function settleEntries(
  machine: MachineView,
  members: ReadonlyMap<string, Member>,
  setNamed: (name: string) => SetView | undefined,
  now: number,
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
    return [settleEntry(entry, member, set, now)];
  });
  const isSame =
    entries.length === machine.entries.length && entries.every((entry, i) => entry === machine.entries[i]);
  return isSame ? undefined : entries;
}

function settleEntry(
  entry: MachineComponentEntry,
  member: Member,
  set: SetView,
  now: number,
): MachineComponentEntry {
  const isLate =
    !member.ready &&
    member.rollout !== undefined &&
    member.dueFrom + parseDuration(set.rollout.deadline) <= now;
  const isLost = member.failed || isLate;
  const retry = isLost && set.retryToken !== '' && entry.retryToken !== set.retryToken;
  if (entry.set === set.name && entry.drift === set.drift && !retry) return entry;
  // A move of its own: what the agent said of the try before counts no more, and the deadline begins anew.
  const again = { retryToken: set.retryToken, movedAt: timeAfter(entry, now) };
  return { ...entry, set: set.name, drift: set.drift, ...(retry ? again : {}) };
}

/** The time of a move, never that of the move before, though the clock was put back. @param now epoch milliseconds */
export function timeAfter(entry: MachineComponentEntry | undefined, now: number): string {
  const before = Date.parse(entry?.movedAt ?? '') || 0;
  return new Date(Math.max(now, before + 1)).toISOString();
}
