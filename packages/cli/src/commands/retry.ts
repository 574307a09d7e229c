import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';
import { type Change, changesShape, setField, tellChanges } from '../change.ts';
import { type Command, CommandError, connectionOptions, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption } from '../output.ts';
import { spell, type Target, targets } from '../resources.ts';

export const retry: Command = {
  name: 'retry',
  summary: 'Have what failed tried again at once',
  usage: 'set/NAME | import/NAME | machine/NAME ...',
  help: `
Failures are tried again by themselves, later each time; this does it now. Of a set all machines that failed are tried again, and a
rollout that was stopped by a failure goes on from the batch where it stands; of an import what is not done yet; of a machine the sets
whose component failed there (on their other machines too). Changes spec.retryToken.

${changesShape}

  kubenode retry set/containerd
  kubenode retry import/n17`,
  options: { ...connectionOptions, ...outputOption },
  async run(input, terminal) {
    isJson(input);
    const wanted = targets(input.positionals);
    const client = await connect(input, terminal);
    const token = new Date().toISOString();
    const changes: Change[] = [];
    for (const target of wanted) {
      for (const one of await retried(client, target)) {
        await setField(client, one, 'retryToken', token, terminal.signal);
        const message = `${spell(one)} is tried again; kubenode wait ${spell(one)} says how it goes`;
        changes.push({ target: spell(one), field: 'spec.retryToken', value: token, message });
      }
    }
    tellChanges(changes, input, terminal);
    return 0;
  },
};

async function retried(client: Client, target: Target): Promise<readonly Target[]> {
  if (target.kind === MachineComponentSet || target.kind === MachineImport) return [target];
  if (target.kind !== Machine) throw new UsageError(`${spell(target)} has nothing to be tried again`);
  const machine = await client.get(Machine, target.name);
  if (machine === undefined) throw new CommandError(`there is no Machine ${target.name}`);
  const failed = (machine.status?.components ?? []).filter(
    ({ failed, state }) => failed !== undefined || state === 'Failed',
  );
  const sets = new Set(
    failed.flatMap(({ name }) => machine.spec.components?.find((entry) => entry.name === name)?.set ?? []),
  );
  if (sets.size === 0)
    throw new CommandError(
      `nothing failed on machine ${target.name}; kubenode why ${target.name} says how it stands`,
    );
  return [...sets].map((name) => ({ kind: MachineComponentSet, name }));
}
