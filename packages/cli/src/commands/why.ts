import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { type Client, Event } from '@kubenode/runtime';
import { type Command, connectionOptions, type Terminal, UsageError } from '../command.ts';
import { readBudget } from '../budget.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption, printJson } from '../output.ts';
import { spell, targets } from '../resources.ts';
import { age } from '../table.ts';
import { explainSet, type KnownSet } from '../why/explain-set.ts';
import { explain } from '../why/explain.ts';
import type { Explanation, Finding, Known, KnownEvent } from '../why/finding.ts';

export const why: Command = {
  name: 'why',
  summary: 'Why a machine or a set is not where it should be, and what happens next, and when',
  usage: 'MACHINE | set/NAME',
  help: `
Of a machine: puts together what the Machine, its import, the sets that select it, its Node, the disruption budget and the events say.
Of a set: where its rollout stands, what is awaited and since when, what has stopped it, and which machines are not there yet. Ends with
1 when something is in the way, or still under way.

-o json prints {machine or set, isWell, summary, findings: [{what, why, since, next, at, help}], events: [{at, type, reason, message,
about}]}; since, at and help stand only where they are known.

  kubenode why n17
  kubenode why set/containerd -o json`,
  options: { ...connectionOptions, ...outputOption },
  async run(input, terminal) {
    const json = isJson(input);
    if (input.positionals.length === 0) throw new UsageError('name one machine, or a set: set/NAME');
    const [target, ...rest] = targets(input.positionals, Machine);
    if (target === undefined || rest.length > 0) throw new UsageError('name one machine, or a set: set/NAME');
    const { kind, name } = target;
    if (![Machine, MachineImport, MachineComponentSet].some((known) => known === kind))
      throw new UsageError(`why is asked of a machine or a set, not of ${spell(target)}`);
    const client = await connect(input, terminal);
    const found =
      kind === MachineComponentSet
        ? explainSet(await readSet(client, name))
        : explain(await readKnown(client, name));
    if (json) printJson(terminal, found);
    else print(found, Date.now(), terminal);
    return found.isWell ? 0 : 1;
  },
};

async function readSet(client: Client, name: string): Promise<KnownSet> {
  const [set, machines, budget, events] = await Promise.all([
    client.get(MachineComponentSet, name),
    client.list(Machine),
    readBudget(client),
    eventsOf(client, { kind: MachineComponentSet.kind, name }),
  ]);
  return { name, set, machines: machines.items, budget, events: inOrder(events), now: Date.now() };
}

function inOrder(events: readonly KnownEvent[]): readonly KnownEvent[] {
  return events.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

async function readKnown(client: Client, name: string): Promise<Known> {
  const [machine, imports, sets, budget] = await Promise.all([
    client.get(Machine, name),
    client.list(MachineImport),
    client.list(MachineComponentSet),
    readBudget(client),
  ]);
  const own = imports.items.find(
    ({ metadata, spec }) => spec.machine.name === name || (machine === undefined && metadata.name === name),
  );
  const about = [
    { kind: Machine.kind, name },
    ...(own === undefined ? [] : [{ kind: MachineImport.kind, name: own.metadata.name }]),
    ...(machine?.spec.nodeName === undefined ? [] : [{ kind: 'Node', name: machine.spec.nodeName }]),
  ];
  const events = await Promise.all(about.map((object) => eventsOf(client, object)));
  return {
    name,
    machine,
    import: own,
    sets: sets.items,
    budget,
    events: inOrder(events.flat()),
    now: Date.now(),
  };
}

async function eventsOf(
  client: Client,
  { kind, name }: { kind: string; name: string },
): Promise<readonly KnownEvent[]> {
  const { items } = await client.list(Event, {
    fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
  });
  return items.map(({ type = '', reason = '', message = '', lastTimestamp, metadata }) => ({
    at: lastTimestamp ?? metadata.creationTimestamp ?? '',
    type,
    reason,
    message,
    about: `${kind} ${name}`,
  }));
}

function print(
  { summary, findings, events }: Pick<Explanation, 'summary' | 'findings' | 'events'>,
  now: number,
  { out }: Terminal,
): void {
  out.write(`${summary}\n`);
  for (const finding of findings) out.write(`\n${findingText(finding, now)}`);
  if (events.length === 0) return;
  out.write('\nWarnings of the last hour:\n');
  for (const { at, about, reason, message } of events) {
    out.write(`  ${age(now - Date.parse(at))} ago  ${about}  ${reason}: ${message}\n`);
  }
}

function findingText({ what, why: reason, since, next, at, help }: Finding, now: number): string {
  const lines = [
    `${what}${since === undefined ? '' : `, for ${age(now - Date.parse(since))}`}`,
    `  why:   ${reason}`,
    `  next:  ${next}${at === undefined ? '' : `, at ${at} (${until(Date.parse(at) - now)})`}`,
    ...(help === undefined ? [] : [`  you:   ${help}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function until(ms: number): string {
  return ms <= 0 ? 'now' : `in ${age(ms)}`;
}
