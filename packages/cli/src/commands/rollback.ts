import type { MachineComponentSet as SetObject } from '@kubenode/api';
import { MachineComponent, revisionName, revisionOf } from '@kubenode/machine';
import type { Client, Patch } from '@kubenode/runtime';
import { changesShape, patch, tellChanges } from '../change.ts';
import { type Command, CommandError, connectionOptions } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption } from '../output.ts';
import { oneSet, readSet } from '../resources.ts';

export const rollback: Command = {
  name: 'rollback',
  summary: 'Bring the machines of a set back to the revision that was completed last',
  usage: 'set/NAME [--to REVISION]',
  help: `
Changes spec.revision back to status.currentRevision, the revision that was brought to all machines last, or to the one named; of a set
with a template, the template to that of the revision. It is a rollout like any other: in batches, those that are down first, with
inspection, observation and windows. What GitOps applies has to be changed there too, or it comes back.

${changesShape}

  kubenode rollback set/containerd
  kubenode rollback set/containerd --to containerd-1.7.27-2`,
  options: {
    ...connectionOptions,
    to: {
      type: 'string',
      value: 'REVISION',
      help: 'name of a MachineComponent (default: status.currentRevision)',
    },
    ...outputOption,
  },
  async run(input, terminal) {
    isJson(input);
    const target = oneSet(input.positionals);
    const client = await connect(input, terminal);
    const set = await readSet(client, target);
    const from = revisionOf(set);
    const to = revisionToGoTo(set, input.text('to'), from);
    const { change, field, value } = await wayTo(client, set, to);
    await patch(client, target, change, terminal.signal);
    const paused = set.spec.paused ? `; it is paused, kubenode resume set/${target.name} begins it` : '';
    const message = `set/${target.name} goes from ${from} back to ${to}${paused}; kubenode tree set/${target.name} shows how it goes`;
    tellChanges([{ target: `set/${target.name}`, field, value, message }], input, terminal);
    return 0;
  },
};

function revisionToGoTo(set: SetObject, asked: string | undefined, from: string): string {
  const to = asked ?? set.status?.currentRevision;
  const where = `set/${set.metadata.name}`;
  const list = 'name one with --to; kubenode get components lists them';
  if (to === undefined || to === '')
    throw new CommandError(`${where}: no revision was ever completed (status.currentRevision): ${list}`);
  if (to !== from) return to;
  throw new CommandError(
    asked === undefined
      ? `${where}: ${from} is the revision that was completed last, so there is no rollout to take back: ${list}`
      : `${where} has ${from} already`,
  );
}

interface Way {
  readonly change: Patch;
  readonly field: string;
  readonly value: unknown;
}

async function wayTo(client: Client, set: SetObject, to: string): Promise<Way> {
  const where = `set/${set.metadata.name}`;
  const component = await client.get(MachineComponent, to);
  if (component === undefined)
    throw new CommandError(
      `${where}: there is no MachineComponent ${to}; kubenode get components lists what there is`,
    );
  if (component.spec.component !== set.spec.component)
    throw new CommandError(
      `${where}: ${to} is a revision of ${component.spec.component}, not of ${set.spec.component}`,
    );
  if (set.spec.template === undefined) {
    return {
      change: { type: 'merge', body: { spec: { revision: to } } },
      field: 'spec.revision',
      value: to,
    };
  }
  if (revisionName(component.spec) !== to) {
    throw new CommandError(
      `${where} has a template, and ${to} was not made from one: put spec.revision: ${to} in the place of spec.template`,
    );
  }
  const path = '/spec/template/spec';
  return {
    change: { type: 'json', body: [{ op: 'replace', path, value: component.spec }] },
    field: 'spec.template.spec',
    value: component.spec,
  };
}
