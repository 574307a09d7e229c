import { Machine, MachineComponentSet } from '@kubenode/machine';
import { type Command, connectionOptions, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { spell, targets } from '../resources.ts';

const note = `
A paused machine is left alone by the controllers, a paused set moves no machine further. What runs goes on running, and agents go on
repairing it.`;

export const pause = command('pause', true, 'Leave a machine alone, or stop a rollout where it is');
export const resume = command('resume', false, 'End a pause');

function command(name: 'pause' | 'resume', paused: boolean, summary: string): Command {
  return {
    name,
    summary,
    usage: 'machine/NAME | set/NAME ...',
    help: `${note}\n\n  kubenode ${name} set/containerd\n  kubenode ${name} machine n17 n18`,
    options: connectionOptions,
    async run(input, terminal) {
      const wanted = targets(input.positionals);
      const wrong = wanted.find(({ kind }) => kind !== Machine && kind !== MachineComponentSet);
      if (wrong !== undefined)
        throw new UsageError(`${spell(wrong)} cannot be paused; machines and sets can`);
      const client = await connect(input, terminal);
      for (const target of wanted) {
        await client.patch(
          target.kind,
          target.name,
          { type: 'merge', body: { spec: { paused } } },
          { signal: terminal.signal },
        );
        terminal.out.write(`${spell(target)} ${paused ? 'is paused' : 'goes on'}\n`);
      }
      return 0;
    },
  };
}
