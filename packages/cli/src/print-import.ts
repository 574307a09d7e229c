import type { MachineImport } from '@kubenode/api';
import type { Terminal } from './command.ts';
import { table } from './table.ts';

/** What a person wants to know at the end of an import. */
export function printOutcome(object: MachineImport, { out }: Pick<Terminal, 'out'>): void {
  const { name } = object.metadata;
  const machine = object.spec.machine.name;
  switch (object.spec.state) {
    case 'Planned':
      out.write(
        `\n${planText(object)}\nNothing was changed on the host. The same command without --plan takes it over.\n`,
      );
      return;
    case 'Imported':
      out.write(
        `\nThe host is Machine ${machine}.\n  kubenode tree ${machine}    what runs there\n  kubenode why ${machine}     what is wrong, when something is\n`,
      );
      return;
    case 'Reverted':
      out.write(`\n${leftText(object)}\nThe record of it may be deleted: kubectl delete kni ${name}\n`);
      return;
    default:
  }
}

/** The plan as a table. */
export function planText({ status }: MachineImport): string {
  const changes = status?.plan ?? [];
  if (changes.length === 0) return 'Nothing would change.\n';
  const rows = changes.map(({ component, action, target, revertible, reason = '' }) => [
    component,
    action,
    target,
    revertible ? 'yes' : 'no',
    reason,
  ]);
  return table(['COMPONENT', 'ACTION', 'TARGET', 'REVERTIBLE', 'WHY'], rows);
}

function leftText({ status }: MachineImport): string {
  const left = status?.notReverted ?? [];
  if (left.length === 0) return 'Everything is as it was.\n';
  return `Left as it is:\n${table(
    ['WHAT', 'WHY'],
    left.map(({ target, reason }) => [target, reason]),
  )}`;
}
