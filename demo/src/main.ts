/** npm start: a control plane, the operator and hosts, on this machine, until Ctrl-C. */
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { Screen } from '@kubenode/cli';
import { downLab, missingForHosts, startFileServer } from '@kubenode/lab';
import { untilReady } from './follow.ts';
import { localComponents } from './local/components.ts';
import { localHostNames, startLocalHosts, stopLocalHosts } from './local-hosts.ts';
import { applyManifests } from './manifests.ts';
import { type DemoOptions, parseOptions, usage } from './options.ts';
import { type Plane, startPlane } from './plane.ts';
import { type DemoState, StateFolder } from './state-folder.ts';
import { step } from './step.ts';
import { bootHosts, importHosts, serveAgent, serveArtifacts } from './systemd-hosts.ts';
import { whatNow } from './what-now.ts';

const readyWithinMs = { systemd: 10 * 60_000, local: 3 * 60_000 } as const;

/** What runs, and how it is ended; names for `whatNow`. */
interface Running {
  readonly plane: Plane;
  readonly names: readonly string[];
  stop(): Promise<void>;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  const screen = new Screen(process.stdout);
  const folder = new StateFolder('.kubenode');
  await folder.lock();
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => end.abort(new Error('ended from outside')));
  try {
    await demo(options, folder, screen, end.signal);
    return 0;
  } catch (error) {
    screen.quiet();
    if (end.signal.aborted) return 0;
    screen.say(`\n${error instanceof Error ? error.message : String(error)}`);
    screen.say(`What the operator did is in ${folder.at('operator.log')}.`);
    return 1;
  } finally {
    folder.unlock();
  }
}

async function demo(
  options: DemoOptions,
  folder: StateFolder,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  if (options.reset) await step(screen, 'Forgetting what was', () => reset(folder));
  const earlier = folder.read();
  const hosts =
    earlier?.hosts ?? options.hosts ?? ((await missingForHosts()).length === 0 ? 'systemd' : 'local');
  if (earlier !== undefined && options.hosts !== undefined && options.hosts !== earlier.hosts)
    throw new Error(
      `There are ${earlier.hosts} hosts here from an earlier start: add --reset to begin afresh with ${options.hosts} hosts`,
    );
  const count = earlier?.count ?? options.count;
  screen.say(
    hosts === 'systemd'
      ? `KubeNode takes over ${count} real systemd host${count === 1 ? '' : 's'} by ssh.`
      : `KubeNode holds ${count} local host${count === 1 ? '' : 's'}, a folder and an agent each. As root on Debian they are real ones.`,
  );
  const running = await (hosts === 'systemd' ? startSystemd : startLocal)(folder, earlier, count, screen);
  try {
    await Promise.race([
      untilReady(running.plane.client, screen, running.names, signal, readyWithinMs[hosts]),
      running.plane.failed,
    ]);
    screen.quiet();
    screen.done(`${running.names.join(', ')}: Ready`);
    if (options.once) return;
    screen.say(whatNow(folder, hosts, running.names[0] ?? ''));
    await Promise.race([aborted(signal), running.plane.failed]);
  } finally {
    screen.quiet();
    screen.say('\nEnding: hosts are switched off, their disks and the control plane stay in .kubenode/ ...');
    await running.stop();
  }
}

async function startSystemd(
  folder: StateFolder,
  earlier: DemoState | undefined,
  count: number,
  screen: Screen,
): Promise<Running> {
  const lab = await step(screen, `Booting ${count} hosts`, (progress) =>
    bootHosts(folder, count, earlier !== undefined, progress),
  );
  const plane = await step(screen, 'Starting the control plane', () =>
    startPlane(folder, lab.address, earlier?.apiserverPort ?? 0),
  );
  const supply = await step(screen, 'Getting what the components are made of', (progress) =>
    serveArtifacts(folder, lab, progress),
  );
  folder.write({ hosts: 'systemd', count, apiserverPort: plane.port, artifactsPort: 80 });
  const agents = await step(screen, 'Building the agent', (progress) => serveAgent(folder, progress));
  plane.operate(agents);
  await step(screen, `Applying ${supply.examples.sets.length} components and ${count} imports`, async () => {
    await applyManifests(plane.client, supply.examples.manifests);
    await importHosts(plane, lab);
  });
  return {
    plane,
    names: lab.hosts.map(({ name }) => name),
    async stop() {
      await plane.stop();
      await supply.close();
      await Promise.all(lab.hosts.map((host) => host.power('shutdown')));
    },
  };
}

async function startLocal(
  folder: StateFolder,
  earlier: DemoState | undefined,
  count: number,
  screen: Screen,
): Promise<Running> {
  const plane = await step(screen, 'Starting the control plane', () =>
    startPlane(folder, '127.0.0.1', earlier?.apiserverPort ?? 0),
  );
  const names = localHostNames(count);
  await mkdir(folder.at('artifacts'), { recursive: true });
  const files = await startFileServer({ dir: folder.at('artifacts'), port: earlier?.artifactsPort ?? 0 });
  const components = await localComponents(files.url);
  for (const [path, content] of components.files) await files.put(path, content);
  folder.write({
    hosts: 'local',
    count,
    apiserverPort: plane.port,
    artifactsPort: Number(new URL(files.url).port),
  });
  plane.operate({});
  await step(screen, 'Applying the components', () => applyManifests(plane.client, components.manifests));
  await step(screen, `Starting ${count} agent${count === 1 ? '' : 's'}`, () =>
    startLocalHosts(folder, plane, names),
  );
  return {
    plane,
    names,
    async stop() {
      await stopLocalHosts(folder, names);
      await plane.stop();
      await files.close();
    },
  };
}

async function reset(folder: StateFolder): Promise<void> {
  const earlier = folder.read();
  if (earlier?.hosts === 'local') await stopLocalHosts(folder, localHostNames(earlier.count));
  await downLab(folder.at('lab'));
  for (const name of ['demo.json', 'apiserver', 'hosts', 'lab', 'artifacts', 'kubeconfig', 'operator.log'])
    rmSync(folder.at(name), { recursive: true, force: true });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

process.exit(await main());
