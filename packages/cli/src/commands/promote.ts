import type { MachineComponentSet as SetObject } from '@kubenode/api';
import { revisionOf, windowAt } from '@kubenode/machine';
import { timestamp } from '@kubenode/runtime';
import { ask } from '../ask.ts';
import { changesShape, setField, tellChanges } from '../change.ts';
import { type Command, CommandError, connectionOptions, type Terminal, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption } from '../output.ts';
import { rolloutOf } from '../rollout-plan.ts';
import { oneSet, readSet } from '../resources.ts';

export const promote: Command = {
  name: 'promote',
  summary: 'Have a rollout go on without what is left of inspection and observation',
  usage: 'set/NAME [--yes]',
  help: `
For the day of the CVE. The rollout of the revision that is under way now goes on without waiting for inspections and observation,
also where one of them has stopped it; batches, windows, maxUnavailable and the disruption budget still hold. It is recorded in
status.promoted. Changes spec.promote to the name of the revision, so that a later revision is looked at as always.

${changesShape}

  kubenode promote set/containerd`,
  options: {
    ...connectionOptions,
    yes: { type: 'boolean', short: 'y', help: 'do not ask' },
    ...outputOption,
  },
  async run(input, terminal) {
    isJson(input);
    const target = oneSet(input.positionals);
    const client = await connect(input, terminal);
    const set = await readSet(client, target);
    const revision = revisionOf(set);
    if (rolloutOf(set).isDone) {
      throw new CommandError(
        `set/${target.name}: ${revision} is on all machines already; there is nothing to promote`,
      );
    }
    if (!input.flag('yes') && !(await agreed(set, revision, terminal))) return 1;
    await setField(client, target, 'promote', revision, terminal.signal);
    const message = `set/${target.name}: the rollout of ${revision} goes on without inspection and observation`;
    const paused = set.spec.paused ? `; it is paused, kubenode resume set/${target.name} lets it` : '';
    const told = message + paused + closed(set);
    tellChanges(
      [{ target: `set/${target.name}`, field: 'spec.promote', value: revision, message: told }],
      input,
      terminal,
    );
    return 0;
  },
};

/** Windows hold all the same: whoever is in a hurry has to hear of it now. */
function closed({ spec }: SetObject): string {
  const opening = windowAt(spec.rollout.windows, Date.now());
  if (opening.open) return '';
  const until = opening.next === undefined ? '' : ` until ${timestamp(opening.next)}`;
  return `; its windows are closed${until}: the next batch waits for them, or for spec.rollout.windows to be taken out`;
}

async function agreed(set: SetObject, revision: string, terminal: Terminal): Promise<boolean> {
  const { machines = 0, updated = 0 } = set.status ?? {};
  const left = Math.max(0, machines - updated);
  const question = `Bring ${revision} to the ${left} machines left of set/${set.metadata.name}, with nobody looking whether it does good? [y/N] `;
  const answer = await ask(terminal, question);
  if (answer === undefined)
    throw new UsageError('promote skips what protects the fleet, and there is no terminal to ask: say --yes');
  if (/^y(es)?$/i.test(answer)) return true;
  terminal.err.write('Nothing was changed.\n');
  return false;
}
