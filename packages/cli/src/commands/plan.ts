import type { MachineComponentSet as SetObject, MachineImport as ImportObject } from '@kubenode/api';
import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { type Command, CommandError, connectionOptions, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { planText } from '../print-import.ts';
import { pendingMoves, type Rollout, rolloutOf } from '../rollout-plan.ts';
import { spell, targets } from '../resources.ts';
import { table } from '../table.ts';

export const plan: Command = {
  name: 'plan',
  summary: 'What will change: rollouts under way, or what an import would do',
  usage: '[set/NAME | import/NAME]',
  help: `
Without a name: every set that is not done, with what it waits for. Of a set: the machines that are still to be moved, and from what to
what. Of an import: what it would change on the host (kubenode import ... --plan makes it).

  kubenode plan
  kubenode plan set/containerd
  kubenode plan import/n17`,
  options: {
    ...connectionOptions,
    output: { type: 'string', short: 'o', value: 'json', help: 'for programs' },
  },
  async run(input, terminal) {
    const client = await connect(input, terminal);
    const isJson = input.text('output') === 'json';
    const [target] = input.positionals.length === 0 ? [] : targets(input.positionals, MachineComponentSet);
    if (target !== undefined && target.kind === MachineImport) {
      const found = (await client.get(MachineImport, target.name)) as ImportObject | undefined;
      if (found === undefined) throw new CommandError(`there is no ${spell(target)}`);
      terminal.out.write(isJson ? `${JSON.stringify(found.status?.plan ?? [])}\n` : planText(found));
      return 0;
    }
    if (target !== undefined && target.kind !== MachineComponentSet)
      throw new UsageError(`${spell(target)}: a plan is of a set or an import`);
    const sets = (await client.list(MachineComponentSet)).items.filter(
      ({ metadata }) => target === undefined || metadata.name === target.name,
    );
    if (target !== undefined && sets.length === 0) throw new CommandError(`there is no ${spell(target)}`);
    const rollouts = sets.map(rolloutOf).filter((rollout) => target !== undefined || !rollout.isDone);
    const moves =
      target === undefined ? [] : pendingMoves(sets[0] as SetObject, (await client.list(Machine)).items);
    if (isJson) {
      terminal.out.write(`${JSON.stringify({ rollouts, moves }, undefined, 2)}\n`);
      return 0;
    }
    terminal.out.write(
      rollouts.length === 0 ? 'Nothing is under way: every set is done.\n' : rolloutTable(rollouts),
    );
    if (moves.length > 0) {
      terminal.out.write(
        `\n${table(
          ['MACHINE', 'FROM', 'TO', 'STANDS'],
          moves.map(({ machine, from, to, stands }) => [machine, from, to, stands]),
        )}`,
      );
    }
    return 0;
  },
};

function rolloutTable(rollouts: readonly Rollout[]): string {
  return table(
    ['SET', 'FROM', 'TO', 'UPDATED', 'BATCH', 'NEXT'],
    rollouts.map(({ set, from, to, updated, machines, batch, next }) => [
      set,
      from,
      to,
      `${updated}/${machines}`,
      batch,
      next,
    ]),
  );
}
