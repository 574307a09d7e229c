import { readFile } from 'node:fs/promises';

/** /etc/kubenode/agent.json. Paths in it are host paths: below `root` where there is one. */
export interface AgentConfig {
  /** Name of the Machine. */
  readonly machine: string;
  /** `https://host:port` of the API server; left out: the agent works from its disk alone. */
  readonly server?: string;
  /** Authorities of the API server's certificate. */
  readonly caFile?: string;
  readonly bootstrapTokenFile?: string;
  /** Labels and nodeName of the Machine that a join makes. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly nodeName?: string;
  /** '' is this machine; a folder makes a local host in it. */
  readonly root: string;
  /** The agent's state on the host. */
  readonly stateDir: string;
  /** Credentials and authorities of artifact sources. */
  readonly sources?: string;
}

export const defaultConfigPath = '/etc/kubenode/agent.json';
export const defaultStateDir = '/var/lib/kubenode';
/** Host paths of the agent's own things, as import and join lay them out. */
export const configFolder = '/etc/kubenode';
export const agentBinaryFolder = '/opt/kubenode/agent';
export const agentUnit = 'kubenode-agent.service';

/** Reads the agent's configuration. @throws Error that names the file, the field and what to do. */
export async function readConfig(path: string): Promise<AgentConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(
      `the agent's configuration ${path} cannot be read: import the host, or join it with \`kubenode join\``,
      { cause: error },
    );
  }
  return parseConfig(text, path);
}

export function parseConfig(text: string, path: string): AgentConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${path} must hold one JSON object`);
  const fields = value as Record<string, unknown>;
  const known = [
    'machine',
    'server',
    'caFile',
    'bootstrapTokenFile',
    'labels',
    'nodeName',
    'root',
    'stateDir',
    'sources',
  ];
  for (const name of Object.keys(fields)) {
    if (!known.includes(name))
      throw new Error(`${path} has the unknown field ${name}: known are ${known.join(', ')}`);
  }
  for (const name of known.filter((name) => name !== 'labels')) {
    if (fields[name] !== undefined && typeof fields[name] !== 'string')
      throw new Error(`${path} field ${name} must be a string`);
  }
  if (typeof fields['machine'] !== 'string' || fields['machine'] === '')
    throw new Error(`${path} field machine must name the Machine of this host`);
  return {
    root: '',
    stateDir: defaultStateDir,
    ...(fields as Partial<AgentConfig>),
    machine: fields['machine'],
  };
}
