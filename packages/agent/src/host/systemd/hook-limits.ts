/** Which limits of a unit really hold. */
export interface HeldLimits {
  readonly memory: boolean;
  readonly tasks: boolean;
}

/**
 * Tells by the /proc/self/cgroup of a process in the unit: where the host's cgroups cannot be written, systemd ignores MemoryMax and TasksMax
 * without a word, and the process stays in a cgroup above. Version 1 has a line for each controller, version 2 one for all. Pure.
 */
export function heldLimits(cgroups: string, unit: string): HeldLimits {
  const places = cgroups
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .map((match) => ({ controllers: (match?.[1] ?? '').split(','), path: match?.[2] ?? '' }));
  const isOld = places.some(
    ({ controllers }) => controllers.includes('memory') || controllers.includes('pids'),
  );
  const holds = (controller: string): boolean =>
    places.some(
      ({ controllers, path }) =>
        controllers.includes(isOld ? controller : '') && path.split('/').includes(unit),
    );
  return { memory: holds('memory'), tasks: holds('pids') };
}
