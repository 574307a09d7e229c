import type { MachineComponentSpec } from '@kubenode/api';

/** What is not the same in two revisions, in words. Pure. */
export function differences(from: MachineComponentSpec, to: MachineComponentSpec): readonly string[] {
  const rest = (
    ['artifacts', 'hooks', 'versionCheck', 'probes', 'dependsOn', 'progressDeadline', 'onFailure'] as const
  )
    .filter((field) => !isSame(from[field], to[field]))
    .map((field) => field as string);
  return [
    ...(from.version === to.version ? [] : [`version ${from.version} → ${to.version}`]),
    ...(from.disruption === to.disruption ? [] : [`disruption ${from.disruption} → ${to.disruption}`]),
    ...fileDifferences(from, to),
    ...(isSame(from.unit, to.unit) ? [] : [unitDifference(from, to)]),
    ...rest,
  ];
}

function fileDifferences(from: MachineComponentSpec, to: MachineComponentSpec): string[] {
  const before = new Map((from.files ?? []).map((file) => [file.path, file]));
  const after = new Map((to.files ?? []).map((file) => [file.path, file]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path) => {
    const [old, fresh] = [before.get(path), after.get(path)];
    if (isSame(old, fresh)) return [];
    return [`file ${path} ${old === undefined ? 'added' : fresh === undefined ? 'gone' : 'changed'}`];
  });
}

function unitDifference(from: MachineComponentSpec, to: MachineComponentSpec): string {
  if (from.unit === undefined) return `unit ${to.unit?.name ?? ''} added`;
  return to.unit === undefined ? `unit ${from.unit.name} gone` : `unit ${to.unit.name} changed`;
}

/** Key order does not matter: both come from the API. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
