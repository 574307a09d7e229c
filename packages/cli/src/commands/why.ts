import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { type Client, Event } from '@kubenode/runtime';
import { type Command, connectionOptions, type Terminal, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { kindOf } from '../resources.ts';
import { age } from '../table.ts';
import { type Explanation, explain, type Finding, type Known, type KnownEvent } from '../why/explain.ts';

export const why: Command = {
  name: 'why',
  summary: 'Why a machine is not where it should be, and what happens next, and when',
  usage: 'MACHINE',
  help: `
Puts together what the Machine, its import, the sets that select it, its Node and the events say. Ends with 1 when something is in the
way.

  kubenode why n17
  kubenode why n17 -o json`,
  options: {
    ...connectionOptions,
    output: { type: 'string', short: 'o', value: 'json', help: 'for programs' },
  },
  async run(input, terminal) {
    const [text, ...rest] = input.positionals;
    if (text === undefined || rest.length > 0) throw new UsageError('name one machine');
    const slash = text.indexOf('/');
    if (slash > 0 && ![Machine, MachineImport].some((kind) => kind === kindOf(text.slice(0, slash)))) {
      throw new UsageError(`why is asked of a machine, not of ${text}`);
    }
    const client = await connect(input, terminal);
    const found = explain(await readKnown(client, text.slice(slash + 1)));
    if (input.text('output') === 'json') terminal.out.write(`${JSON.stringify(found, undefined, 2)}\n`);
    else print(found, Date.now(), terminal);
    return found.isWell ? 0 : 1;
  },
};

async function readKnown(client: Client, name: string): Promise<Known> {
  const [machine, imports, sets] = await Promise.all([
    client.get(Machine, name),
    client.list(MachineImport),
    client.list(MachineComponentSet),
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
    events: events.flat().sort((a, b) => (a.at < b.at ? -1 : 1)),
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

function print({ summary, findings, events }: Explanation, now: number, { out }: Terminal): void {
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
