import type { Machine, MachineComponentEntry, MachineComponentStatus } from '@kubenode/api';

/** The machine as it is once the assigner has written its list. */
export function told(machine: Machine, entries: readonly MachineComponentEntry[]): Machine {
  const { metadata, spec } = machine;
  return {
    ...machine,
    metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
    spec: { ...spec, components: [...entries] },
  };
}

/** The machine as it is while its agent waits for leave to have it drained or rebooted. @param now epoch milliseconds */
export function asking(machine: Machine, component: string, asks: 'Drain' | 'Reboot', now: number): Machine {
  const { spec, status = {} } = machine;
  const movedAt = spec.components?.find(({ name }) => name === component)?.movedAt;
  const components = (status.components ?? []).map(
    (is): MachineComponentStatus =>
      is.name !== component
        ? is
        : {
            ...is,
            state: 'Waiting',
            asks,
            since: new Date(now).toISOString(),
            message: `the disruption budget has not given leave to ${asks === 'Drain' ? 'drain' : 'reboot'} it yet`,
            ...(movedAt === undefined ? {} : { movedAt }),
          },
  );
  return { ...machine, status: { ...status, components } };
}

/** The machine as it is once its agent has done what it was told about a component, and found it good. @param now epoch milliseconds */
export function obeyed(machine: Machine, component: string, now: number): Machine {
  const { metadata, spec, status = {} } = machine;
  const entry = spec.components?.find(({ name }) => name === component);
  const others = (status.components ?? []).filter(({ name }) => name !== component);
  const own: MachineComponentStatus[] =
    entry === undefined || entry.state === 'Absent' ? [] : [reportOf(entry, now)];
  const conditions = (status.conditions ?? []).map((condition) =>
    condition.observedGeneration === undefined
      ? condition
      : { ...condition, observedGeneration: metadata.generation ?? 0 },
  );
  return { ...machine, status: { ...status, conditions, components: [...others, ...own] } };
}

function reportOf({ name, revision, movedAt }: MachineComponentEntry, now: number): MachineComponentStatus {
  return {
    name,
    running: revision,
    lastGood: revision,
    state: 'Ready',
    since: new Date(now).toISOString(),
    correct: { version: 'True', config: 'True', running: 'True' },
    ...(movedAt === undefined ? {} : { movedAt }),
  };
}

/** How long the machines took the last time from being told to being Ready: the median, in milliseconds; undefined where none says. */
export function usualMs(component: string, machines: readonly Machine[]): number | undefined {
  const times = machines
    .flatMap(({ status }) => status?.components ?? [])
    .filter(({ name, state }) => name === component && state === 'Ready')
    .map(({ since = '', movedAt = '' }) => Date.parse(since) - Date.parse(movedAt))
    .filter((ms) => ms >= 0)
    .sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}
