/** Identity of a rollout: when it began, and what it brings. Sorts by time, so that the newest is known from the entries alone. */
export interface RolloutID {
  readonly startedMs: number;
  readonly hash: string;
}

export function formatID(id: RolloutID): string {
  return `${id.startedMs.toString(36).padStart(9, '0')}-${id.hash}`;
}

export function parseID(id: string): RolloutID {
  const [time = '', hash = ''] = id.split('-', 2);
  return { startedMs: Number.parseInt(time, 36) || 0, hash };
}
