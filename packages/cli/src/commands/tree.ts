import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';
import { readBudget } from '../budget.ts';
import { type Command, CommandError, connectionOptions, type Terminal, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption, printJson } from '../output.ts';
import { spell, type Target, targets } from '../resources.ts';
import { choose, forestLines, type Known, type Shown } from '../tree/forest.ts';
import { LiveLines } from '../tree/live.ts';
import { watchForest } from '../tree/watch.ts';

export const tree: Command = {
  name: 'tree',
  summary: 'Show sets and machines with everything that belongs to them, live on a terminal',
  usage: '[MACHINE | set/NAME ...]',
  help: `
Each set with its rollout: from which revision to which, the batch under way, since when and until when, its inspections and its machines;
each machine with its Node, its import and its components: what runs, what it should be, and where it stands; and the disruption budget.
On a terminal it is drawn anew when something changes, until Ctrl-C; elsewhere, and with --once, it is printed once.

-o json prints {sets, machines, imports, budget}: whole objects.

  kubenode tree
  kubenode tree set/containerd
  kubenode tree n17 n18 --once`,
  options: {
    ...connectionOptions,
    selector: { type: 'string', short: 'l', value: 'SELECTOR', help: 'only machines with these labels' },
    once: { type: 'boolean', help: 'print it once, also on a terminal' },
    ...outputOption,
  },
  async run(input, terminal) {
    const json = isJson(input);
    const wanted = input.positionals.length === 0 ? [] : targets(input.positionals, Machine);
    const labelSelector = input.text('selector');
    const shown = shownOf(wanted, labelSelector !== undefined);
    const client = await connect(input, terminal);
    const known = await read(client, labelSelector);
    for (const target of wanted) if (!exists(target, known)) throw missing(target);
    if (json) {
      printJson(terminal, choose(known, shown));
      return 0;
    }
    if (terminal.out.isTTY && !input.flag('once')) return live(client, labelSelector, shown, terminal);
    const forest = choose(known, shown);
    const lines = forestLines(forest, known.all, Date.now(), terminal.out.columns);
    for (const line of lines) terminal.out.write(`${line}\n`);
    if (forest.machines.length === 0 && forest.sets.length === 0 && forest.imports.length === 0)
      terminal.err.write('There are no machines yet; kubenode import brings one in.\n');
    return 0;
  },
};

function shownOf(wanted: readonly Target[], isSelection: boolean): Shown {
  const wrong = wanted.find(({ kind }) => kind !== Machine && kind !== MachineComponentSet);
  if (wrong !== undefined) throw new UsageError(`${spell(wrong)}: a tree is of machines and sets`);
  if (isSelection && wanted.length > 0)
    throw new UsageError('--selector picks machines, so no others can be named beside it');
  const names = (kind: Target['kind']): string[] =>
    wanted.filter((target) => target.kind === kind).map(({ name }) => name);
  return { sets: names(MachineComponentSet), machines: names(Machine), isSelection };
}

function exists({ kind, name }: Target, { sets, machines }: Known): boolean {
  return (kind === Machine ? machines : sets).some(({ metadata }) => metadata.name === name);
}

function missing(target: Target): CommandError {
  return new CommandError(
    `there is no ${spell(target)}; kubenode get ${target.kind.plural} lists what there is`,
  );
}

async function read(client: Client, labelSelector: string | undefined): Promise<Known> {
  const [all, picked, sets, imports, budget] = await Promise.all([
    client.list(Machine),
    labelSelector === undefined ? undefined : client.list(Machine, { labelSelector }),
    client.list(MachineComponentSet),
    client.list(MachineImport),
    readBudget(client),
  ]);
  return {
    all: all.items,
    machines: (picked ?? all).items,
    sets: sets.items,
    imports: imports.items,
    budget,
  };
}

/** Until Ctrl-C. */
async function live(
  client: Client,
  labelSelector: string | undefined,
  shown: Shown,
  { out, signal }: Terminal,
): Promise<number> {
  const lines = new LiveLines(out);
  let onResize: (() => void) | undefined;
  try {
    await watchForest(
      client,
      labelSelector,
      (known) => lines.draw(forestLines(choose(known, shown), known.all, Date.now(), lines.width)),
      {
        signal,
        onResize: (redraw) => {
          onResize = redraw;
          out.on('resize', redraw);
        },
      },
    );
  } finally {
    if (onResize !== undefined) out.off('resize', onResize);
    lines.end();
    client.close();
  }
  return signal.aborted ? 130 : 0;
}
