import type { Client, Kind } from '@kubenode/runtime';
import { type Command, connectionOptions, type Input, UsageError } from '../command.ts';
import { connect } from '../connection.ts';
import { kindOf, kinds } from '../resources.ts';
import { age, table } from '../table.ts';

export const get: Command = {
  name: 'get',
  summary: 'List machines, sets, components, imports and disruption budgets',
  usage: '[machines|sets|components|imports|budgets|all] [NAME ...]',
  help: `
Shows the same columns as kubectl get. Without a kind: machines. -o wide says why something is not Ready. -o json prints one object where
one was named, otherwise a List.

  kubenode get
  kubenode get sets -o wide
  kubenode get budgets
  kubenode get machine n17 -o yaml`,
  options: {
    ...connectionOptions,
    selector: {
      type: 'string',
      short: 'l',
      value: 'SELECTOR',
      help: 'only those with these labels: pool=web',
    },
    output: { type: 'string', short: 'o', value: 'json|yaml|wide', help: 'whole objects, or more columns' },
  },
  async run(input, terminal) {
    const [first = 'machines', ...names] = input.positionals;
    const slash = first.indexOf('/');
    const wanted = slash > 0 ? [kindOf(first.slice(0, slash))] : first === 'all' ? kinds : [kindOf(first)];
    const only = slash > 0 ? [first.slice(slash + 1), ...names] : names;
    const client = await connect(input, terminal);
    const output = input.text('output');
    if (output === 'json' || output === 'yaml') {
      terminal.out.write(await whole(client, wanted, only, input, output));
      return 0;
    }
    if (output !== undefined && output !== 'wide')
      throw new UsageError(`-o ${output}: only json, yaml and wide`);
    const texts: string[] = [];
    for (const kind of wanted) {
      const text = await columns(client, kind, only, input, output === 'wide');
      if (text !== '') texts.push(wanted.length > 1 ? `${kind.plural}\n${text}` : text);
    }
    terminal.out.write(texts.join('\n'));
    if (texts.length === 0)
      terminal.err.write(`There are no ${wanted.map(({ plural }) => plural).join(', ')}.\n`);
    return 0;
  },
};

function selection(input: Input): { labelSelector?: string } {
  const labelSelector = input.text('selector');
  return labelSelector === undefined ? {} : { labelSelector };
}

async function whole(
  client: Client,
  wanted: readonly Kind[],
  names: readonly string[],
  input: Input,
  output: 'json' | 'yaml',
): Promise<string> {
  const items: unknown[] = [];
  for (const kind of wanted) {
    if (names.length === 0) items.push(...(await client.list(kind, selection(input))).items);
    for (const name of names) items.push(await existing(client, kind, name));
  }
  const value = names.length === 1 ? items[0] : { apiVersion: 'v1', kind: 'List', items };
  if (output === 'json') return `${JSON.stringify(value, undefined, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(value);
}

async function existing(client: Client, kind: Kind, name: string): Promise<unknown> {
  const found = await client.get(kind, name);
  if (found === undefined) throw new UsageError(`there is no ${kind.kind} ${name}`);
  return found;
}

/** What the API server's own tables say (metav1.Table), as kubectl asks for them. */
interface Table {
  readonly columnDefinitions?: readonly { name: string; type: string; format?: string; priority?: number }[];
  readonly rows?: readonly { cells: readonly unknown[] }[];
}

async function columns(
  client: Client,
  kind: Kind,
  names: readonly string[],
  input: Input,
  isWide: boolean,
): Promise<string> {
  const { labelSelector } = selection(input);
  const query = labelSelector === undefined ? '' : `?labelSelector=${encodeURIComponent(labelSelector)}`;
  const answer = await client.raw(
    'GET',
    `/apis/${kind.group}/${kind.version}/${kind.plural}${query}`,
    undefined,
    {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    },
  );
  const { columnDefinitions = [], rows = [] } = JSON.parse(answer.body.toString('utf8')) as Table;
  const shown = columnDefinitions.flatMap((column, i) => (isWide || (column.priority ?? 0) === 0 ? [i] : []));
  const kept = rows.filter(({ cells }) => names.length === 0 || names.includes(String(cells[0])));
  for (const name of names) {
    if (!kept.some(({ cells }) => cells[0] === name))
      throw new UsageError(`there is no ${kind.kind} ${name}`);
  }
  if (kept.length === 0) return '';
  const head = shown.map((i) => (columnDefinitions[i]?.name ?? '').toUpperCase());
  return table(
    head,
    kept.map(({ cells }) => shown.map((i) => cell(cells[i], columnDefinitions[i]?.type))),
  );
}

/** Servers give ages of their own kinds as text, and dates as they are. */
function cell(value: unknown, type = ''): string {
  if (value === null || value === undefined) return '';
  if (type === 'date' && typeof value === 'string' && !Number.isNaN(Date.parse(value))) {
    return age(Date.now() - Date.parse(value));
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}
