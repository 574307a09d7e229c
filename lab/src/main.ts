// npm run lab -- up|exec|power|net|down: real hosts and a control plane to try things on.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { supplyExamplesDetached } from './artifacts/supply.ts';
import { startEmbedded } from './embedded/start.ts';
import { downLab } from './hosts/down.ts';
import type { NetworkAction, PowerAction } from './hosts/host.ts';
import { createLab, type Lab, openLab } from './hosts/lab.ts';
import { missingForHosts } from './hosts/requirements.ts';
import { allowNodeBootstrap } from './kubernetes/bootstrap.ts';
import { missingForBuilds } from './go/build.ts';
import { ensureKubectl } from './kubernetes/build.ts';
import { startKubernetes } from './kubernetes/start.ts';
import type { Progress } from './system/progress.ts';

const usage = `Real hosts and a control plane on this machine, to try things on. Everything is kept in .lab/ of the working directory.

  npm run lab -- up [--hosts 3] [--control-plane kubernetes|embedded] [--kubelet] [--outbound]
      boots hosts (systemd-nspawn, Debian), each with sshd; with --control-plane also that, and with --kubelet hosts
      that can carry containerd and a real kubelet; --outbound lets hosts reach what this machine reaches.
      Hosts find what examples/ need at artifacts.lab and registry.lab.
  npm run lab -- exec h1 -- CMD...                 runs a command in a host
  npm run lab -- power h1 on|off|shutdown|reset|freeze|thaw
  npm run lab -- net h1 cut|join                   a network partition, and its end
  npm run lab -- down                              all gone, nothing left behind

Another lab than that of .lab/, such as the demo's: npm run lab -- --lab .kubenode/lab exec h1 -- CMD...`;

const powerActions: readonly PowerAction[] = ['on', 'off', 'shutdown', 'reset', 'freeze', 'thaw'];
const networkActions: readonly NetworkAction[] = ['cut', 'join'];

/** A mistake in the command line: told without a stack trace, with status 2. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const given = process.argv.slice(2);
// Before the command, since what follows `exec h1 --` is the host's.
const dir = given[0] === '--lab' ? resolve(given[1] ?? '') : join(process.cwd(), '.lab');
const say: Progress = (line) => console.error(line);

try {
  process.exitCode = await main(given[0] === '--lab' ? given.slice(2) : given);
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && error.cause instanceof Error) console.error(error.cause.message);
  if (isUsage) console.error(`\n${usage}`);
  process.exitCode = isUsage ? 2 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'up':
      return await up(rest);
    case 'exec':
      return await exec(rest);
    case 'power':
      return await power(rest);
    case 'net':
      return await net(rest);
    case 'down':
      await downLab(dir, say);
      say('The lab is down; nothing is left behind.');
      return 0;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      console.log(usage);
      return 0;
    default:
      throw new UsageError(`There is no command ${command}.`);
  }
}

async function up(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      hosts: { type: 'string', default: '3' },
      'control-plane': { type: 'string' },
      kubelet: { type: 'boolean', default: false },
      outbound: { type: 'boolean', default: false },
    },
  });
  const controlPlane = values['control-plane'];
  if (controlPlane !== undefined && controlPlane !== 'kubernetes' && controlPlane !== 'embedded')
    throw new UsageError(`--control-plane is kubernetes or embedded, not ${controlPlane}.`);
  const hosts = Number(values.hosts);
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > 200)
    throw new UsageError(`--hosts is a number from 1 to 200, not ${values.hosts}.`);
  const lacks = [...(await missingForHosts()), ...(await missingForBuilds())];
  if (lacks.length > 0) throw new Error(lacks.join('\n'));
  const lab = await createLab({
    dir,
    hosts,
    kubelet: values.kubelet,
    outbound: values.outbound,
    progress: say,
  });
  try {
    const kubeconfig = controlPlane === undefined ? undefined : await startControlPlane(controlPlane, lab);
    await supplyExamplesDetached({ dir, address: lab.address, progress: say });
    const summary = {
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      sshKey: lab.sshKey,
      hosts: lab.hosts.map(({ name, address, hostKey }) => ({ name, address, hostKey })),
    };
    await writeFile(join(dir, 'lab.json'), `${JSON.stringify(summary, null, 2)}\n`);
    explain(lab, kubeconfig, controlPlane === 'kubernetes' ? await ensureKubectl(say) : 'kubectl');
    return 0;
  } catch (error) {
    await downLab(dir, say);
    throw error;
  }
}

/** @returns the admin's kubeconfig. */
async function startControlPlane(kind: 'kubernetes' | 'embedded', lab: Lab): Promise<string> {
  if (kind === 'embedded') return await startEmbedded(join(dir, 'embedded'), lab.address, say);
  const kubernetes = await startKubernetes({
    dir: join(dir, 'kubernetes'),
    address: lab.address,
    progress: say,
  });
  await allowNodeBootstrap(kubernetes);
  return kubernetes.kubeconfig;
}

/** The answer to "what now?". */
function explain(lab: Lab, kubeconfig: string | undefined, kubectl: string): void {
  const [first] = lab.hosts;
  console.log(
    `\nThe lab is up: ${lab.hosts.map(({ name, address }) => `${name} (${address})`).join(', ')}\n`,
  );
  if (first !== undefined) console.log(`  ${first.sshCommand().join(' ')}`);
  if (kubeconfig !== undefined) console.log(`  ${kubectl} --kubeconfig ${kubeconfig} get nodes`);
  console.log('  npm run lab -- exec h1 -- systemctl status');
  console.log('  npm run lab -- power h1 reset          npm run lab -- net h1 cut');
  console.log('  npm run lab -- down\n');
  console.log(`Addresses, keys and the kubeconfig for scripts: ${join(dir, 'lab.json')}`);
}

async function exec(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const command = rest[0] === '--' ? rest.slice(1) : rest;
  if (name === undefined || command.length === 0) throw new UsageError('exec needs a host and a command.');
  const result = await (await openLab(dir)).host(name).exec(command, { allowFailure: true });
  process.stdout.write(result.stdout);
  process.stderr.write(result.stderr);
  return result.code;
}

async function power(args: readonly string[]): Promise<number> {
  const [name, wanted] = args;
  const action = powerActions.find((known) => known === wanted);
  if (name === undefined || action === undefined)
    throw new UsageError(`power needs a host and one of ${powerActions.join(', ')}.`);
  await (await openLab(dir)).host(name).power(action);
  return 0;
}

async function net(args: readonly string[]): Promise<number> {
  const [name, wanted] = args;
  const action = networkActions.find((known) => known === wanted);
  if (name === undefined || action === undefined)
    throw new UsageError(`net needs a host and one of ${networkActions.join(', ')}.`);
  await (await openLab(dir)).host(name).net(action);
  return 0;
}
