import { Machine, MachineComponentSet } from '@kubenode/machine';
import { type Change, changesShape, setField, tellChanges } from '../change.ts';
import { type Command, connectionOptions, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption } from '../output.ts';
import { spell, targets } from '../resources.ts';

const note = `
A paused machine is left alone by the controllers, a paused set moves no machine further (spec.paused). What runs goes on running, and
agents go on repairing it. A rollout that a failure has stopped is another thing: kubenode retry, rollback or promote ends that.`;

export const pause = command('pause', true, 'Leave a machine alone, or stop a rollout where it is');
export const resume = command('resume', false, 'End a pause');

function command(name: 'pause' | 'resume', paused: boolean, summary: string): Command {
  return {
    name,
    summary,
    usage: 'machine/NAME | set/NAME ...',
    help: `${note}\n\n${changesShape}\n\n  kubenode ${name} set/containerd\n  kubenode ${name} machine n17 n18`,
    options: { ...connectionOptions, ...outputOption },
    async run(input, terminal) {
      isJson(input);
      const wanted = targets(input.positionals);
      const wrong = wanted.find(({ kind }) => kind !== Machine && kind !== MachineComponentSet);
      if (wrong !== undefined)
        throw new UsageError(`${spell(wrong)} cannot be paused; machines and sets can`);
      const client = await connect(input, terminal);
      const changes: Change[] = [];
      for (const target of wanted) {
        await setField(client, target, 'paused', paused, terminal.signal);
        const message = `${spell(target)} ${paused ? `is paused; kubenode resume ${spell(target)} goes on` : 'goes on'}`;
        changes.push({ target: spell(target), field: 'spec.paused', value: paused, message });
      }
      tellChanges(changes, input, terminal);
      return 0;
    },
  };
}
