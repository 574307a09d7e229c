import { readFile } from 'node:fs/promises';
import {
  createClient,
  healthServer,
  jsonLogger,
  type Logger,
  type LogLevel,
  type Manager,
  metricsRegistry,
  type Registry,
} from '@kubenode/runtime';
import type { AgentBinary } from '@kubenode/machine';
import { type Command, connectionOptions, type Input, UsageError } from '../command.ts';
import { readConnection } from '../connection.ts';
import { parseAgent, publishJoinInfo } from '../join-info.ts';
import { serveAgents } from '../serve-agents.ts';

export const operator: Command = {
  name: 'operator',
  summary: 'Run the controllers, one of several leading',
  usage: '[--agent ARCH=URL@sha256:HEX ...]',
  help: `
In a pod it uses its ServiceAccount, elsewhere a kubeconfig. Hosts that are imported or join pull their agent from the addresses that
--agent names, or from this process with --agent-file and --serve-agents. Without either, imports are left alone.

  kubenode operator --agent amd64=https://files.example/kubenode-agent@sha256:...
  kubenode operator --agent-file amd64=./kubenode-agent --serve-agents 10.0.0.1:8090 --server https://10.0.0.1:6443`,
  options: {
    ...connectionOptions,
    agent: {
      type: 'string',
      multiple: true,
      value: 'ARCH=URL@sha256:HEX',
      help: 'where hosts pull the agent from; may be repeated',
    },
    'agent-file': {
      type: 'string',
      multiple: true,
      value: 'ARCH=FILE',
      help: 'an agent that this process serves itself',
    },
    'serve-agents': {
      type: 'string',
      value: 'HOST:PORT',
      help: 'where it serves them; an address that hosts reach',
    },
    server: {
      type: 'string',
      value: 'URL',
      help: "the API server as hosts reach it (default: the kubeconfig's)",
    },
    'ca-file': {
      type: 'string',
      value: 'FILE',
      help: "authority of the API server's certificate, for hosts (default: the kubeconfig's)",
    },
    'no-leader-election': { type: 'boolean', help: 'lead at once; only where no other operator can run' },
    'metrics-port': { type: 'string', value: 'N', help: 'serve /metrics, /healthz and /readyz on this port' },
    'metrics-host': { type: 'string', value: 'ADDRESS', help: 'address for them (default 127.0.0.1)' },
    workers: { type: 'string', value: 'N', help: 'imports at once (default 10)' },
    'log-level': {
      type: 'string',
      value: 'debug|info|warn|error',
      help: 'least that is logged (default info)',
    },
  },
  async run(input, terminal) {
    const { makeOperator } = await import('@kubenode/machine');
    const log = jsonLogger({ level: logLevel(input) });
    const connection = await readConnection(input, terminal);
    const metrics = metricsRegistry();
    const client = createClient({ ...connection, metrics, userAgent: 'kubenode-operator' });
    const agents = await agentsOf(input);
    try {
      const server = await hostServer(input, connection);
      const imports =
        Object.keys(agents.all).length === 0 ? undefined : { agents: agents.all, server, ...workers(input) };
      if (imports === undefined)
        log.warn('no agent is named (--agent, --agent-file): MachineImports are left alone');
      else await announce(client, { ...server, agents: agents.all }, log, terminal.signal);
      const manager = makeOperator({
        client,
        log,
        metrics,
        leaderElection: !input.flag('no-leader-election'),
        ...(imports === undefined ? {} : { imports }),
      });
      addHealth(manager, input, metrics);
      log.info('the operator starts', { server: client.server });
      await manager.run(terminal.signal);
      return 0;
    } finally {
      agents.close();
      client.close();
    }
  },
};

function addHealth(manager: Manager, input: Input, metrics: Registry): void {
  const port = numberOption(input, 'metrics-port', 0, 65_535);
  if (port === undefined) return;
  const host = input.text('metrics-host');
  manager.add(
    healthServer({
      port,
      metrics,
      readyz: () => manager.notReady(),
      ...(host === undefined ? {} : { host }),
    }),
  );
}

/** Only `token create` reads it: an operator that may not write it still works. */
async function announce(
  client: Parameters<typeof publishJoinInfo>[0],
  info: { url: string; ca: string; agents: Readonly<Record<string, AgentBinary>> },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    await publishJoinInfo(client, { server: info.url, ca: info.ca, agents: info.agents }, signal);
  } catch (error) {
    log.warn('what hosts need to join could not be published; kubenode token create has to be told', {
      error,
    });
  }
}

async function hostServer(
  input: Input,
  connection: { server: string; ca?: string },
): Promise<{ url: string; ca: string }> {
  const file = input.text('ca-file');
  const ca = file === undefined ? connection.ca : await readFile(file, 'utf8');
  if (ca === undefined)
    throw new UsageError('the kubeconfig names no certificate authority; hosts need one: --ca-file');
  return { url: input.text('server') ?? connection.server, ca };
}

async function agentsOf(input: Input): Promise<{ all: Record<string, AgentBinary>; close: () => void }> {
  const all: Record<string, AgentBinary> = {};
  for (const text of input.texts('agent')) {
    const [arch, address] = split(text, 'agent');
    const binary = parseAgent(address);
    if (binary === undefined) throw new UsageError(`--agent ${text}: not of the form ARCH=URL@sha256:HEX`);
    all[arch] = binary;
  }
  const files = Object.fromEntries(input.texts('agent-file').map((text) => split(text, 'agent-file')));
  const listen = input.text('serve-agents');
  if (Object.keys(files).length === 0) return { all, close: () => undefined };
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(listen ?? '');
  if (match?.[1] === undefined)
    throw new UsageError('--agent-file needs --serve-agents HOST:PORT, with an address that hosts reach');
  const served = await serveAgents(files, { host: match[1], port: Number(match[2]) });
  return { all: { ...all, ...served.agents }, close: served.close };
}

function split(text: string, option: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`--${option} ${text}: begin with the architecture, such as amd64=`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function workers(input: Input): { workers?: number } {
  const count = numberOption(input, 'workers', 1, 1000);
  return count === undefined ? {} : { workers: count };
}

function numberOption(input: Input, option: string, least: number, most: number): number | undefined {
  const text = input.text(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(`--${option} must be a number from ${least} to ${most}`);
  }
  return value;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function logLevel(input: Input): LogLevel {
  const text = input.text('log-level') ?? 'info';
  const found = levels.find((level) => level === text);
  if (found === undefined) throw new UsageError(`--log-level must be one of ${levels.join(', ')}`);
  return found;
}
