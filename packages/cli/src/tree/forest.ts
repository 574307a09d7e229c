import type { Machine, MachineComponentSet, MachineImport, NodeDisruptionBudget } from '@kubenode/api';
import { type Branch, treeLines } from './branch.ts';
import { budgetBranch } from './budget-branch.ts';
import { machineTree } from './machine-tree.ts';
import { setTree } from './set-tree.ts';

/** All that a tree shows: the shape of -o json. */
export interface Forest {
  readonly sets: readonly MachineComponentSet[];
  readonly machines: readonly Machine[];
  /** Those of the machines shown, and those that have no machine yet. */
  readonly imports: readonly MachineImport[];
  readonly budget: NodeDisruptionBudget | undefined;
}

/** What is asked for; nothing named: all there is. */
export interface Shown {
  readonly sets: readonly string[];
  readonly machines: readonly string[];
  /** Only machines with the labels that were asked for, and no sets. */
  readonly isSelection: boolean;
}

export interface Known extends Forest {
  /** Every machine, since a set's machines may be others than those that are shown. */
  readonly all: readonly Machine[];
}

const byName = <T extends { metadata: { name: string } }>(list: readonly T[]): T[] =>
  list.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

export function choose(known: Known, shown: Shown): Forest {
  const isAll = shown.sets.length === 0 && shown.machines.length === 0;
  const named = <T extends { metadata: { name: string } }>(
    list: readonly T[],
    names: readonly string[],
  ): T[] => byName(list).filter(({ metadata }) => isAll || names.includes(metadata.name));
  const machines = named(known.machines, shown.machines);
  const sets = shown.isSelection ? [] : named(known.sets, shown.sets);
  const imports = byName(known.imports).filter(({ spec }) => {
    const hasMachine = known.all.some(({ metadata }) => metadata.name === spec.machine.name);
    if (!hasMachine) return isAll && !shown.isSelection;
    return machines.some(({ metadata }) => metadata.name === spec.machine.name);
  });
  return {
    sets,
    machines,
    imports,
    budget: machines.length > 0 && !isAll && sets.length === 0 ? undefined : known.budget,
  };
}

/** @param now epoch milliseconds @param width of the terminal in characters */
export function forestLines(
  { sets, machines, imports, budget }: Forest,
  all: readonly Machine[],
  now: number,
  width?: number,
): string[] {
  const importOf = (machine: Machine): MachineImport | undefined =>
    imports.find(({ spec }) => spec.machine.name === machine.metadata.name);
  const trees: Branch[] = [
    ...sets.map((set) => setTree(set, all)),
    ...machines.map((machine) => machineTree(machine, importOf(machine), now)),
    ...imports
      .filter(({ spec }) => !all.some(({ metadata }) => metadata.name === spec.machine.name))
      .map(({ metadata, status }) => ({ text: `import/${metadata.name}  ${status?.phase ?? 'Pending'}` })),
    ...(budget === undefined ? [] : [budgetBranch(budget)]),
  ];
  return trees.flatMap((tree) => treeLines(tree, width));
}
