import { hostname } from 'node:os';
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import {
  type AgentBinary,
  hostPaths,
  type HostPaths,
  installAgent,
  localShell,
  objection,
  readFacts,
  startAgent,
} from '@kubenode/machine';
import { systemClock } from '@kubenode/runtime';
import { type Command, CommandError, type Input, type Terminal, UsageError } from '../command.ts';
import { parseAgent } from '../join-info.ts';
import { Screen } from '../screen.ts';

/** The agent asks for its certificate at once, and the operator answers within seconds. */
const certificateMs = 120_000;
const lookMs = 250;

export const join: Command = {
  name: 'join',
  summary: 'On a host itself: bring it in with a token (cloud-init, Ansible)',
  usage: '--server URL --token-file FILE --ca FILE --agent ARCH=URL@sha256:HEX',
  help: `
Does on this host what an import does over ssh: writes the configuration, pulls the agent by its digest, starts it. The agent makes its
key here and asks for its certificate with the token; the operator then makes the Machine. Can be run again. Needs root.

kubenode token create prints the whole line. Better than --token is --token-file, or - to read the token from standard input: what
stands on a command line can be seen by every process of the host.

  kubenode join --server https://10.0.0.1:6443 --ca ca.crt --token-file /root/token --agent amd64=https://files.example/agent@sha256:...`,
  options: {
    server: { type: 'string', value: 'URL', help: 'the API server' },
    token: { type: 'string', value: 'TOKEN', help: 'the token itself (others on this host can see it)' },
    'token-file': { type: 'string', value: 'FILE|-', help: 'file that holds the token, or standard input' },
    ca: { type: 'string', value: 'FILE', help: "authority of the API server's certificate, PEM" },
    'ca-data': { type: 'string', value: 'BASE64', help: 'the same, in the command line' },
    agent: {
      type: 'string',
      multiple: true,
      value: 'ARCH=URL@sha256:HEX',
      help: 'where the agent is pulled from',
    },
    name: { type: 'string', value: 'NAME', help: "name of the Machine (default: the host's name)" },
    labels: { type: 'string', short: 'l', multiple: true, value: 'K=V,...', help: 'labels of the Machine' },
    'node-name': { type: 'string', value: 'NAME', help: 'the host will be, or is, this Node' },
    'no-wait': { type: 'boolean', help: 'return when the agent is started' },
  },
  async run(input, terminal) {
    const wish = await readWish(input, terminal);
    if (process.getuid?.() !== 0) throw new CommandError('join changes this host: run it as root');
    const screen = new Screen(terminal.err);
    try {
      return await joinHost(wish, screen, terminal);
    } finally {
      screen.quiet();
    }
  },
};

interface Wish {
  readonly machine: string;
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly agents: Readonly<Record<string, AgentBinary>>;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly nodeName: string | undefined;
  readonly isWaiting: boolean;
}

async function joinHost(wish: Wish, screen: Screen, terminal: Terminal): Promise<number> {
  const paths = hostPaths();
  const host = localShell();
  screen.doing('looks at the host');
  const facts = await readFacts(host, paths);
  const refused = objection(facts, paths, {
    // This clock is the host's own: only the API server's certificate can tell that it is wrong.
    now: facts.time * 1000,
    machine: wish.machine,
    server: wish.server,
    archs: Object.keys(wish.agents),
  });
  if (refused !== undefined) throw new CommandError(refused);
  const binary = wish.agents[facts.arch];
  if (binary === undefined) throw new UsageError(`--agent ${facts.arch}=... is missing`);

  await host.writeFile(paths.ca, wish.ca, { mode: 0o644 });
  await host.writeFile(paths.token, `${wish.token}\n`, { mode: 0o600 });
  await host.writeFile(paths.config, configOf(wish, paths), { mode: 0o644 });
  screen.done(`Configuration ${paths.config}`);
  screen.doing(`pulls the agent from ${binary.url}`);
  const installed = await installAgent(host, paths, binary);
  screen.done(installed.replace(/^agent/, 'Agent'));
  await startAgent(host, paths, facts.systemd);
  screen.done('Agent started');
  if (!wish.isWaiting) return 0;
  screen.doing('waits for its certificate');
  await certificate(`${paths.etc}/pki/agent.crt`, terminal);
  screen.done(`This host is Machine ${wish.machine}`);
  return 0;
}

async function certificate(file: string, { signal }: Terminal): Promise<void> {
  const until = systemClock.monotonic() + certificateMs;
  for (;;) {
    const found = await readFile(file).catch(() => undefined);
    if (found !== undefined) return;
    if (systemClock.monotonic() > until) {
      throw new CommandError(
        `the agent runs and has no certificate after ${certificateMs / 1000} s; journalctl -u kubenode-agent says why, kubectl get csr shows whether it asked`,
      );
    }
    await systemClock.sleep(lookMs, signal);
  }
}

function configOf(wish: Wish, paths: HostPaths): string {
  const config = {
    machine: wish.machine,
    server: wish.server,
    caFile: paths.ca,
    bootstrapTokenFile: paths.token,
    ...(wish.labels === undefined ? {} : { labels: wish.labels }),
    ...(wish.nodeName === undefined ? {} : { nodeName: wish.nodeName }),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

async function readWish(input: Input, terminal: Terminal): Promise<Wish> {
  if (input.positionals.length > 0)
    throw new UsageError(`join takes options only, not "${input.positionals[0]}"`);
  const server = input.text('server');
  if (server === undefined || !/^https:\/\/[^/]+/.test(server))
    throw new UsageError('--server must be an https address');
  return {
    machine: input.text('name') ?? hostname().toLowerCase(),
    server,
    ca: await readCa(input),
    token: await readToken(input, terminal),
    agents: readAgents(input),
    labels: input.pairs('labels'),
    nodeName: input.text('node-name'),
    isWaiting: !input.flag('no-wait'),
  };
}

function readAgents(input: Input): Record<string, AgentBinary> {
  const agents: Record<string, AgentBinary> = {};
  for (const text of input.texts('agent')) {
    const at = text.indexOf('=');
    const binary = parseAgent(text.slice(at + 1));
    if (at <= 0 || binary === undefined)
      throw new UsageError(`--agent ${text}: not of the form ARCH=URL@sha256:HEX`);
    agents[text.slice(0, at)] = binary;
  }
  if (Object.keys(agents).length === 0)
    throw new UsageError('--agent is missing: where the agent is pulled from');
  return agents;
}

async function readCa(input: Input): Promise<string> {
  const [file, data] = [input.text('ca'), input.text('ca-data')];
  if ((file === undefined) === (data === undefined)) throw new UsageError('give either --ca or --ca-data');
  const pem =
    file === undefined ? Buffer.from(data ?? '', 'base64').toString('utf8') : await readFile(file, 'utf8');
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`${file === undefined ? '--ca-data' : file} holds no PEM certificate`);
  return pem;
}

async function readToken(input: Input, terminal: Terminal): Promise<string> {
  const [given, file] = [input.text('token'), input.text('token-file')];
  const fromEnv = terminal.env['KUBENODE_TOKEN'];
  if (given !== undefined && file !== undefined) throw new UsageError('give either --token or --token-file');
  const text = (
    given ??
    (file === '-' ? await readAll(terminal.in) : file === undefined ? fromEnv : await readFile(file, 'utf8'))
  )?.trim();
  if (text === undefined) throw new UsageError('--token-file is missing (or the variable KUBENODE_TOKEN)');
  if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text))
    throw new UsageError('that is no join token: kubenode token create makes one');
  return text;
}
