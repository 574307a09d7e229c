import { bootstrapGroup, machineLabel } from '@kubenode/api';
import { type Client, formatDuration, parseDuration, Secret } from '@kubenode/runtime';
import {
  type Command,
  CommandError,
  connectionOptions,
  type Input,
  type Terminal,
  UsageError,
} from '../command.ts';
import { connect } from '../connection.ts';
import { readJoinInfo } from '../join-info.ts';
import { quote } from '../quote.ts';
import { age, table } from '../table.ts';

const usualLife = '24h';

export const token: Command = {
  name: 'token',
  summary: 'Make, list and delete the tokens that hosts join with',
  usage: 'create | list | delete ID',
  help: `
create prints the command line by which hosts join, and the token by itself: it is a secret, and everybody who has it can bring hosts in
until it ends. With --machine it serves one machine only.

  kubenode token create --ttl 2h
  kubenode token create --machine n17 > n17.token
  kubenode token list`,
  options: {
    ...connectionOptions,
    ttl: { type: 'string', value: 'DURATION', help: `how long it holds (default ${usualLife})` },
    machine: { type: 'string', value: 'NAME', help: 'the only machine it serves' },
    description: { type: 'string', value: 'TEXT', help: 'for people, shown by list' },
    output: { type: 'string', short: 'o', value: 'json', help: 'for programs' },
  },
  async run(input, terminal) {
    const [verb = '', id, ...rest] = input.positionals;
    if (rest.length > 0) throw new UsageError(`too many words: ${rest.join(' ')}`);
    const client = await connect(input, terminal);
    if (verb === 'create' && id === undefined) return create(client, input, terminal);
    if (verb === 'list' && id === undefined) return list(client, input, terminal);
    if (verb === 'delete' && id !== undefined) return remove(client, id, terminal);
    throw new UsageError('say create, list, or delete ID');
  },
};

async function create(client: Client, input: Input, terminal: Terminal): Promise<number> {
  const { agentTokenGroups, ensureToken, randomText } = await import('@kubenode/machine');
  const lifetimeMs = input.duration('ttl') ?? parseDuration(usualLife);
  const machine = input.text('machine');
  const made = await ensureToken(
    client,
    {
      id: randomText(6),
      groups: agentTokenGroups,
      description:
        input.text('description') ??
        (machine === undefined ? 'join token' : `join token of machine ${machine}`),
      lifetimeMs,
      ...(machine === undefined ? {} : { machine }),
    },
    Date.now(),
    terminal.signal,
  );
  if (made === undefined)
    throw new CommandError('another token has the same ID by chance; run the command again');
  const info = await readJoinInfo(client, terminal.signal);
  if (input.text('output') === 'json') {
    terminal.out.write(`${JSON.stringify({ token: made, ...info })}\n`);
    return 0;
  }
  terminal.out.write(`${made}\n`);
  const held = `It holds for ${formatDuration(lifetimeMs)}${machine === undefined ? '' : ` and for machine ${machine} only`}.`;
  if (info === undefined) {
    terminal.err.write(
      `${held} No operator has published where agents come from (kubenode operator --agent ...); kubenode join needs to be told.\n`,
    );
    return 0;
  }
  const agents = Object.entries(info.agents).map(
    ([arch, { url, digest }]) => `--agent ${quote(`${arch}=${url}@${digest}`)}`,
  );
  const line = [
    'kubenode join',
    `--server ${quote(info.server)}`,
    `--ca-data ${Buffer.from(info.ca).toString('base64')}`,
    ...agents,
    ...(machine === undefined ? [] : [`--name ${quote(machine)}`]),
    '--token-file /path/to/token',
  ].join(' ');
  terminal.err.write(
    `${held} Put it into a file that only root reads, and run on the host, as root:\n\n  ${line}\n\n`,
  );
  return 0;
}

async function tokens(client: Client): Promise<readonly Secret[]> {
  const { items } = await client.list(Secret, {
    namespace: 'kube-system',
    fieldSelector: 'type=bootstrap.kubernetes.io/token',
  });
  return items.filter((secret) => decoded(secret, 'auth-extra-groups').split(',').includes(bootstrapGroup));
}

async function list(client: Client, input: Input, terminal: Terminal): Promise<number> {
  const all = (await tokens(client)).map((secret) => ({
    id: decoded(secret, 'token-id'),
    machine: secret.metadata.annotations?.[machineLabel] ?? '',
    expires: decoded(secret, 'expiration'),
    description: decoded(secret, 'description'),
  }));
  if (input.text('output') === 'json') terminal.out.write(`${JSON.stringify(all)}\n`);
  else if (all.length === 0) terminal.err.write('There are no join tokens.\n');
  else {
    const rows = all.map(({ id, machine, expires, description }) => [
      id,
      machine || 'any',
      left(expires),
      description,
    ]);
    terminal.out.write(table(['ID', 'MACHINE', 'ENDS IN', 'DESCRIPTION'], rows));
  }
  return 0;
}

function left(expires: string): string {
  if (expires === '') return 'never';
  const ms = Date.parse(expires) - Date.now();
  return ms <= 0 ? 'ended' : age(ms);
}

async function remove(client: Client, text: string, terminal: Terminal): Promise<number> {
  const id = text.split('.')[0] ?? '';
  const found = (await tokens(client)).some((secret) => decoded(secret, 'token-id') === id);
  if (!found)
    throw new CommandError(`there is no join token with the ID ${id}; kubenode token list shows them`);
  await client.delete(
    Secret,
    { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    { signal: terminal.signal },
  );
  terminal.out.write(`token ${id} is deleted; hosts that joined with it keep their identity\n`);
  return 0;
}

function decoded(secret: Secret, field: string): string {
  return Buffer.from(secret.data?.[field] ?? '', 'base64').toString('utf8');
}
