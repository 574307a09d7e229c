import type { MachineComponentSet as SetObject } from '@kubenode/api';
import type { Client, Kind } from '@kubenode/runtime';
import {
  Machine,
  MachineComponent,
  MachineComponentSet,
  MachineImport,
  NodeDisruptionBudget,
} from '@kubenode/machine';
import { CommandError, UsageError } from './command.ts';

/** Kinds by the names that people type. */
const names: readonly (readonly [Kind, readonly string[]])[] = [
  [Machine, ['machine', 'machines', 'kn', 'knm']],
  [MachineComponentSet, ['set', 'sets', 'kncs', 'machinecomponentset', 'machinecomponentsets']],
  [
    MachineComponent,
    ['component', 'components', 'revision', 'revisions', 'knc', 'machinecomponent', 'machinecomponents'],
  ],
  [MachineImport, ['import', 'imports', 'kni', 'machineimport', 'machineimports']],
  [NodeDisruptionBudget, ['budget', 'budgets', 'kndb', 'nodedisruptionbudget', 'nodedisruptionbudgets']],
];

export const kinds: readonly Kind[] = names.map(([kind]) => kind);

/** @throws UsageError that lists the names */
export function kindOf(text: string): Kind {
  const found = names.find(([, all]) => all.includes(text.toLowerCase()));
  if (found !== undefined) return found[0];
  throw new UsageError(`"${text}" is none of machines, sets, components, imports, budgets`);
}

export interface Target {
  readonly kind: Kind;
  readonly name: string;
}

/** `machine/n17`, `machine n17`, or, where a kind is taken for granted, `n17`. @throws UsageError */
export function targets(positionals: readonly string[], usual?: Kind): readonly Target[] {
  const [first, ...rest] = positionals;
  if (first === undefined) throw new UsageError('name what: machine/NAME, set/NAME or import/NAME');
  if (positionals.every((text) => text.includes('/'))) return positionals.map(splitTarget);
  const isKind = names.some(([, all]) => all.includes(first));
  if (isKind && rest.length > 0) return rest.map((name) => ({ kind: kindOf(first), name }));
  if (usual === undefined || isKind)
    throw new UsageError(
      `"${positionals.join(' ')}" does not name a thing: say machine/NAME, set/NAME or import/NAME`,
    );
  return positionals.map((text) => (text.includes('/') ? splitTarget(text) : { kind: usual, name: text }));
}

function splitTarget(text: string): Target {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (name === '') throw new UsageError(`"${text}" has no name after the slash`);
  return { kind: kindOf(text.slice(0, slash)), name };
}

/** For messages: machine/n17. */
export function spell({ kind, name }: Target): string {
  const short = names.find(([known]) => known === kind)?.[1][0] ?? kind.plural;
  return `${short}/${name}`;
}

/** The one set that a command is about: `set/NAME`, or its name alone. @throws UsageError */
export function oneSet(positionals: readonly string[]): Target {
  if (positionals.length === 0) throw new UsageError('name a set: set/NAME; kubenode get sets lists them');
  const [target, ...rest] = targets(positionals, MachineComponentSet);
  if (target === undefined || rest.length > 0) throw new UsageError('name one set: set/NAME');
  if (target.kind !== MachineComponentSet) throw new UsageError(`${spell(target)} is no set: say set/NAME`);
  return target;
}

/** The set itself. @throws CommandError where there is none */
export async function readSet(client: Client, { name }: Target): Promise<SetObject> {
  const set = await client.get(MachineComponentSet, name);
  if (set === undefined) throw new CommandError(`there is no set/${name}; kubenode get sets lists them`);
  return set;
}
