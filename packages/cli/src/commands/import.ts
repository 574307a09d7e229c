import { readFile } from 'node:fs/promises';
import { systemNamespace } from '@kubenode/api';
import type { ImportedMachine, MachineImport as ImportObject, MachineTaint, SSHTarget } from '@kubenode/api';
import { connectSsh, fingerprint, MachineImport, parseHostKey, SshError } from '@kubenode/machine';
import { type Client, parseDuration, Secret } from '@kubenode/runtime';
import { ask } from '../ask.ts';
import {
  type Command,
  CommandError,
  connectionOptions,
  type Input,
  type Terminal,
  UsageError,
} from '../command.ts';
import { connect } from '../connection.ts';
import { followImport } from '../follow-import.ts';
import { quote } from '../quote.ts';
import { printOutcome } from '../print-import.ts';
import { Screen } from '../screen.ts';

const fieldManager = 'kubenode-cli';
const usualWait = '15m';

export const importCommand: Command = {
  name: 'import',
  summary: 'Take over a host that is there already, by ssh; or give it back',
  usage: 'USER@HOST[:PORT] --ssh-key FILE [options]   or   --revert NAME',
  help: `
Makes a Secret with the key and a MachineImport, and follows it step by step. With --plan nothing is changed on the host, and what an
import would change is listed; the same command without --plan then takes it over. --revert puts back what was there before.

Without --host-key the key that the host shows is printed, and asked about: compare it with what the host itself says.

  kubenode import root@10.0.0.7 --ssh-key ~/.ssh/id_ed25519 --plan
  kubenode import root@10.0.0.7 --ssh-key ~/.ssh/id_ed25519 --name n17 --labels pool=web,zone=a
  kubenode import root@10.0.0.7 --key-secret fleet --name n17 --node-name n17 --host-key "ssh-ed25519 AAAA..."
  kubenode import --revert n17`,
  options: {
    ...connectionOptions,
    'ssh-key': { type: 'string', short: 'i', value: 'FILE', help: 'private key, without a passphrase' },
    'key-secret': {
      type: 'string',
      value: 'NAME',
      help: `or a Secret in ${systemNamespace} that has it (ssh-privatekey)`,
    },
    'host-key': { type: 'string', value: 'KEY', help: 'the host\'s public key: "ssh-ed25519 AAAA..."' },
    name: {
      type: 'string',
      value: 'NAME',
      help: 'name of the Machine and of the import (default: the host)',
    },
    labels: {
      type: 'string',
      short: 'l',
      multiple: true,
      value: 'K=V,...',
      help: 'labels of the Machine, by which sets select it',
    },
    'node-name': { type: 'string', value: 'NAME', help: 'the host will be, or is, this Node' },
    'node-labels': { type: 'string', multiple: true, value: 'K=V,...', help: 'labels of the Node' },
    'node-taints': { type: 'string', multiple: true, value: 'K=V:EFFECT,...', help: 'taints of the Node' },
    plan: { type: 'boolean', help: 'change nothing, list what would change' },
    revert: { type: 'string', value: 'NAME', help: 'give the host of this import back' },
    yes: { type: 'boolean', short: 'y', help: 'with --revert: do not ask' },
    'no-wait': { type: 'boolean', help: 'return when the import is asked for' },
    timeout: { type: 'string', value: 'DURATION', help: `how long it is followed (default ${usualWait})` },
    output: { type: 'string', short: 'o', value: 'json', help: 'the MachineImport at the end, for programs' },
  },
  async run(input, terminal) {
    const client = await connect(input, terminal);
    try {
      const revert = input.text('revert');
      const name =
        revert === undefined
          ? await begin(client, input, terminal)
          : await beginRevert(client, revert, input, terminal);
      if (input.flag('no-wait')) return 0;
      return await follow(client, name, input, terminal);
    } finally {
      client.close();
    }
  },
};

async function follow(client: Client, name: string, input: Input, terminal: Terminal): Promise<number> {
  const screen = new Screen(terminal.err);
  const timeoutMs = input.duration('timeout') ?? parseDuration(usualWait);
  const end = await followImport(client, name, { screen, signal: terminal.signal, timeoutMs });
  if (terminal.signal.aborted) {
    screen.say(`The operator goes on with it: kubenode wait import/${name}`);
    return 130;
  }
  if (end.object !== undefined && input.text('output') === 'json') {
    terminal.out.write(`${JSON.stringify(end.object, undefined, 2)}\n`);
  } else if (end.object !== undefined && end.isDone) printOutcome(end.object, terminal);
  return end.isDone ? 0 : 1;
}

async function begin(client: Client, input: Input, terminal: Terminal): Promise<string> {
  const [destination, ...rest] = input.positionals;
  if (destination === undefined) throw new UsageError('say which host: USER@HOST');
  if (rest.length > 0) throw new UsageError(`too many words: ${rest.join(' ')}`);
  const { user, address, port } = parseDestination(destination);
  const name = input.text('name') ?? address;
  const privateKey = await readKey(input);
  const before = await client.get(MachineImport, name, { signal: terminal.signal });
  const known = before?.spec.ssh.address === address ? before.spec.ssh.hostKey : undefined;
  const hostKey =
    input.text('host-key') ?? known ?? (await confirmedKey({ address, port, user }, privateKey, terminal));
  if (hostKey !== undefined) checkHostKey(hostKey);

  const keySecretName = input.text('key-secret') ?? `import-${name}`;
  if (privateKey !== undefined) {
    await client.apply(
      Secret,
      {
        metadata: { namespace: systemNamespace, name: keySecretName },
        type: 'Opaque',
        data: { 'ssh-privatekey': privateKey.toString('base64') },
      },
      { fieldManager, force: true, signal: terminal.signal },
    );
  }
  const ssh: SSHTarget = {
    address,
    port,
    user,
    keySecretName,
    ...(hostKey === undefined ? {} : { hostKey }),
  };
  await client.apply(
    MachineImport,
    {
      metadata: { name },
      spec: {
        state: input.flag('plan') ? 'Planned' : 'Imported',
        ssh,
        machine: machineOf(input, name, before),
      },
    },
    { fieldManager, force: true, signal: terminal.signal },
  );
  return name;
}

/** The second command, after a look at the plan, need not say again what the first one said. */
function machineOf(input: Input, name: string, before: ImportObject | undefined): ImportedMachine {
  const labels = input.pairs('labels') ?? before?.spec.machine.labels;
  const nodeName = input.text('node-name') ?? before?.spec.machine.nodeName;
  const nodeLabels = input.pairs('node-labels') ?? before?.spec.machine.node?.labels;
  const taints = taintsOf(input) ?? before?.spec.machine.node?.taints;
  const hasNode = nodeLabels !== undefined || taints !== undefined;
  if (hasNode && nodeName === undefined)
    throw new UsageError('--node-labels and --node-taints need --node-name');
  return {
    name,
    ...(labels === undefined ? {} : { labels: { ...labels } }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(hasNode
      ? {
          node: {
            ...(nodeLabels === undefined ? {} : { labels: { ...nodeLabels } }),
            ...(taints === undefined ? {} : { taints: [...taints] }),
          },
        }
      : {}),
  };
}

const effects: readonly MachineTaint['effect'][] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function taintsOf(input: Input): readonly MachineTaint[] | undefined {
  const texts = input.texts('node-taints').flatMap((text) => text.split(','));
  if (texts.length === 0) return undefined;
  return texts.map((text) => {
    const match = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text);
    const effect = effects.find((one) => one === match?.[3]);
    if (match?.[1] === undefined || effect === undefined) {
      throw new UsageError(`--node-taints: "${text}" is not of the form key=value:${effects.join('|')}`);
    }
    return {
      key: match[1],
      ...(match[2] === undefined ? {} : { value: match[2] }),
      effect,
      propagation: 'Always',
    };
  });
}

/** `root@10.0.0.7`, `root@host:2222`, `root@[::1]:22`. */
export function parseDestination(text: string): { user: string; address: string; port: number } {
  const match = /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^@:[\]]+))(?::(\d+))?$/.exec(text);
  const address = match?.[2] ?? match?.[3];
  const port = Number(match?.[4] ?? 22);
  if (match === null || address === undefined || port < 1 || port > 65_535) {
    throw new UsageError(
      `"${text}" is not of the form USER@HOST or USER@HOST:PORT (an IPv6 address in brackets)`,
    );
  }
  return { user: match[1] ?? 'root', address, port };
}

async function readKey(input: Input): Promise<Buffer | undefined> {
  const file = input.text('ssh-key');
  if (file === undefined) {
    if (input.text('key-secret') !== undefined) return undefined;
    throw new UsageError('say which key opens the host: --ssh-key FILE, or --key-secret NAME');
  }
  if (input.text('key-secret') !== undefined)
    throw new UsageError('--ssh-key and --key-secret exclude each other');
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CommandError(`the key ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function checkHostKey(hostKey: string): void {
  try {
    parseHostKey(hostKey);
  } catch (cause) {
    throw new UsageError(`--host-key: ${(cause as Error).message}`, { cause });
  }
}

/** The key that the host shows to this machine, once a person has said that it is right. Nothing is sent to the host. */
async function confirmedKey(
  target: { address: string; port: number; user: string },
  privateKey: Buffer | undefined,
  terminal: Terminal,
): Promise<string | undefined> {
  const seen = await hostKeyOf(target, privateKey, terminal);
  if (seen === undefined) return undefined;
  const print = fingerprint(parseHostKey(seen).blob);
  const where = `${target.address} port ${target.port}`;
  const answer = await ask(
    terminal,
    `The host key of ${where} is not known. It shows\n\n  ${seen.split(' ')[0]}  ${print}\n\n` +
      'Compare it with what the host itself says: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\nIs it that host? [yes/no] ',
  );
  if (answer?.toLowerCase() === 'yes' || answer?.toLowerCase() === 'y') return seen;
  throw new CommandError(
    `the host key of ${where} is not confirmed. It shows ${print}; if that is right, run the command again with --host-key ${quote(seen)}`,
  );
}

async function hostKeyOf(
  target: { address: string; port: number; user: string },
  privateKey: Buffer | undefined,
  terminal: Terminal,
): Promise<string | undefined> {
  // Without the key itself (it lies in the cluster) the operator's own look will show the host's key.
  if (privateKey === undefined) return undefined;
  try {
    const session = await connectSsh({ ...target, privateKey }, { signal: terminal.signal });
    session.close();
    return undefined;
  } catch (error) {
    if (error instanceof SshError && error.kind === 'HostKeyUnknown') return error.hostKey;
    if (error instanceof SshError && error.kind === 'KeyUnusable')
      throw new CommandError(error.message, { cause: error });
    // The operator may reach what this machine does not.
    new Screen(terminal.err).say(
      `This machine cannot look at the host's key (${(error as Error).message}); the operator will.`,
    );
    return undefined;
  }
}

async function beginRevert(client: Client, name: string, input: Input, terminal: Terminal): Promise<string> {
  if (input.positionals.length > 0) throw new UsageError('--revert takes the name of the import and no host');
  const found = await client.get(MachineImport, name, { signal: terminal.signal });
  if (found === undefined) {
    throw new CommandError(
      `there is no MachineImport ${name}; a host whose import was deleted is imported again first, then reverted`,
    );
  }
  if (!input.flag('yes')) {
    const question = `Host ${found.spec.ssh.address}: what KubeNode brought is removed, what it changed is put back, Machine ${found.spec.machine.name} is deleted. Go on? [yes/no] `;
    const answer = await ask(terminal, question);
    if (answer === undefined)
      throw new UsageError('--revert asks first; where there is no terminal, say --yes');
    if (!/^y(es)?$/i.test(answer)) throw new CommandError('nothing was changed');
  }
  await client.patch(
    MachineImport,
    name,
    { type: 'merge', body: { spec: { state: 'Reverted' } } },
    { signal: terminal.signal },
  );
  return name;
}
