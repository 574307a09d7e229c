import type { Machine as MachineObject, MachineImport as ImportObject } from '@kubenode/api';
import { Machine, MachineImport } from '@kubenode/machine';
import { type Client, findCondition } from '@kubenode/runtime';
import { type Command, CommandError, connectionOptions, type Terminal } from '../command.ts';
import { connect } from '../connection.ts';
import { age } from '../table.ts';

export const tree: Command = {
  name: 'tree',
  summary: 'Show machines with everything that belongs to them',
  usage: '[MACHINE ...]',
  help: `
Each machine with its Node, its import and its components: what runs, what it should be, and where it stands.

  kubenode tree
  kubenode tree n17`,
  options: {
    ...connectionOptions,
    selector: { type: 'string', short: 'l', value: 'SELECTOR', help: 'only machines with these labels' },
    output: { type: 'string', short: 'o', value: 'json', help: 'for programs' },
  },
  async run(input, terminal) {
    const client = await connect(input, terminal);
    const labelSelector = input.text('selector');
    const machines = await read(client, input.positionals, labelSelector);
    const imports = (await client.list(MachineImport)).items;
    if (input.text('output') === 'json') {
      terminal.out.write(
        `${JSON.stringify(
          machines.map((machine) => ({ machine, import: importOf(machine, imports) })),
          undefined,
          2,
        )}\n`,
      );
      return 0;
    }
    print(machines, imports, terminal);
    return 0;
  },
};

function print(
  machines: readonly MachineObject[],
  imports: readonly ImportObject[],
  { out, err }: Terminal,
): void {
  for (const machine of machines) out.write(machineTree(machine, importOf(machine, imports), Date.now()));
  const pending = imports.filter(
    ({ spec }) => !machines.some(({ metadata }) => metadata.name === spec.machine.name),
  );
  if (machines.length === 0 && pending.length === 0)
    err.write('There are no machines yet; kubenode import brings one in.\n');
  if (machines.length > 1 || machines.length === 0) {
    for (const { metadata, status } of pending)
      out.write(`import/${metadata.name}  ${status?.phase ?? 'Pending'}\n`);
  }
}

async function read(
  client: Client,
  names: readonly string[],
  labelSelector: string | undefined,
): Promise<readonly MachineObject[]> {
  if (names.length === 0)
    return (await client.list(Machine, labelSelector === undefined ? {} : { labelSelector })).items;
  return Promise.all(
    names.map(async (text) => {
      const name = text.replace(/^machines?\//, '');
      const machine = await client.get(Machine, name);
      if (machine === undefined) throw new CommandError(`there is no Machine ${name}`);
      return machine;
    }),
  );
}

function importOf(machine: MachineObject, imports: readonly ImportObject[]): ImportObject | undefined {
  return imports.find(({ spec }) => spec.machine.name === machine.metadata.name);
}

/** One machine as a tree. Pure. @param now epoch milliseconds */
export function machineTree(machine: MachineObject, from: ImportObject | undefined, now: number): string {
  const { metadata, spec, status } = machine;
  const made =
    metadata.creationTimestamp === undefined ? '' : `  ${age(now - Date.parse(metadata.creationTimestamp))}`;
  const head = `${metadata.name}  ${status?.phase ?? 'Pending'}  ${status?.summary ?? ''}${made}`.trimEnd();
  const branches: string[] = [];
  const { host } = status ?? {};
  if (host !== undefined) {
    branches.push(
      [
        'host',
        host.os,
        host.arch,
        host.kernel,
        host.addresses?.[0],
        host.agentVersion && `agent ${host.agentVersion}`,
      ]
        .filter(Boolean)
        .join('  '),
    );
  }
  if (spec.nodeName !== undefined) {
    const ready = findCondition(status?.conditions, 'NodeReady');
    branches.push(
      `node/${spec.nodeName}  ${ready?.status === 'True' ? 'Ready' : 'not Ready'}  ${status?.kubeletVersion ?? ''}`.trimEnd(),
    );
  }
  if (from !== undefined) branches.push(`import/${from.metadata.name}  ${from.status?.phase ?? 'Pending'}`);
  branches.push(...componentLines(machine));
  return `${[head, ...branches.map((line, i) => `${i === branches.length - 1 ? '└─' : '├─'} ${line}`)].join('\n')}\n`;
}

function componentLines({ spec, status }: MachineObject): readonly string[] {
  const known = new Map((status?.components ?? []).map((component) => [component.name, component]));
  const entries = new Map((spec.components ?? []).map((entry) => [entry.name, entry]));
  const names = [...new Set([...entries.keys(), ...known.keys()])].sort((a, b) => (a < b ? -1 : 1));
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => {
    const entry = entries.get(name);
    const is = known.get(name);
    const wanted =
      entry === undefined
        ? 'not declared any more: left as it is'
        : entry.state === 'Absent'
          ? 'to be removed'
          : entry.revision;
    const way =
      is?.running !== undefined && entry !== undefined && is.running !== entry.revision
        ? `${is.running} → ${wanted}`
        : wanted;
    const wrong = Object.entries(is?.correct ?? {}).flatMap(([what, right]) =>
      right === 'True' ? [] : [`${what} ${right === 'False' ? 'wrong' : 'unknown'}`],
    );
    const why = is?.state === 'Ready' ? '' : (is?.message ?? '');
    const set = entry?.set === undefined ? '' : `(set ${entry.set})`;
    return [name.padEnd(width), (is?.state ?? 'Waiting').padEnd(10), way, set, wrong.join(', '), why]
      .filter((part) => part !== '')
      .join('  ');
  });
}
