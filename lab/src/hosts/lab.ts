import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withLock } from '../system/lock.ts';
import { type Progress, silent, timed } from '../system/progress.ts';
import { downLab } from './down.ts';
import { mountRoot, personalize } from './filesystem.ts';
import { LabHost } from './host.ts';
import { freeNetwork, setUpNetwork } from './network.ts';
import { requireForHosts } from './requirements.ts';
import { ensureRoot } from './root.ts';
import { makeHostKey, makeSshKey, writeKnownHosts } from './ssh-keys.ts';
import { type HostState, type LabState, readState, register, registryFolder, writeState } from './state.ts';

/** How a lab is made. */
export interface LabOptions {
  /** Where everything of the lab is kept: an existing or new folder of its own, on an ordinary file system. */
  dir: string;
  /** How many hosts, named h1, h2, ...; or each one by itself. */
  hosts: number | readonly HostOptions[];
  /** Whether hosts can carry containerd and a real kubelet (more capabilities, writable control groups). Default false. */
  kubelet?: boolean;
  /** Whether hosts reach what this machine reaches, package mirrors among it. Default false: the lab's own bridge and nothing else. */
  outbound?: boolean;
  progress?: Progress;
}

/** One host, where they are not all alike. */
export interface HostOptions {
  /** Default h1, h2, ... */
  name?: string;
  /** Default: the lab's. */
  kubelet?: boolean;
  /** Folders of this machine that the host sees, e.g. a small file system to be filled. */
  binds?: ReadonlyArray<{ source: string; target: string }>;
  /** Puts its files on a file system of its own (4 GiB, sparse), for power that is really lost: `power('outage')`. Default false. */
  ownDisk?: boolean;
}

/** Hosts on a bridge. They live on when this process ends; `close` or `downLab(dir)` takes everything away. */
export interface Lab {
  /** Six hexadecimal digits, in the name of everything of this lab on this machine. */
  id: string;
  dir: string;
  /** The bridge's address: how hosts reach this machine. Servers for hosts listen here. */
  address: string;
  /** The private key file that root's ssh login takes on every host. */
  sshKey: string;
  hosts: LabHost[];
  /** The host of this name. @throws Error where there is none. */
  host(name: string): LabHost;
  /** Takes the lab down, with all that runs in its folder (see `downLab`). */
  close(): Promise<void>;
}

/**
 * Makes a lab and boots its hosts; resolves when ssh answers on all of them. A lab left in the same folder by an earlier run is taken
 * down first. On failure nothing is left behind.
 * @throws Error that says what this machine lacks or which host didn't boot.
 */
export async function createLab(options: LabOptions): Promise<Lab> {
  const progress = options.progress ?? silent;
  await requireForHosts(progress);
  const dir = resolve(options.dir);
  if ((await readState(dir)) !== undefined) await downLab(dir, progress);
  await mkdir(dir, { recursive: true });
  const root = await ensureRoot(progress);
  const state = await reserve(dir, options);
  try {
    await makeSshKey(join(dir, 'id_ed25519'), `kubenode-lab-${state.id}`);
    for (const host of state.hosts) host.hostKey = await makeHostKey(dir, host.name);
    await writeState(state);
    await writeKnownHosts(state);
    await setUpNetwork(state);
    for (const host of state.hosts) {
      await mountRoot(state, host, root);
      await personalize(state, host);
    }
    const lab = handle(state);
    await timed(
      progress,
      `Booting ${state.hosts.length} host${state.hosts.length === 1 ? '' : 's'}`,
      async () => {
        // One after the other: each writes the state file. Booting itself goes on side by side.
        for (const host of lab.hosts) await host.start();
        await Promise.all(lab.hosts.map((host) => host.waitReady(120_000)));
      },
    );
    return lab;
  } catch (error) {
    await downLab(dir, progress);
    throw error;
  }
}

/** The lab that was made in a folder, by this process or an earlier one. @throws Error where there is none. */
export async function openLab(dir: string): Promise<Lab> {
  const state = await readState(resolve(dir));
  if (state === undefined) throw new Error(`There is no lab in ${dir}. Make one: npm run lab -- up`);
  return handle(state);
}

/** Picks an id and a network that nobody has, and notes both before anything is made. */
async function reserve(dir: string, options: LabOptions): Promise<LabState> {
  const wanted =
    typeof options.hosts === 'number'
      ? Array.from({ length: options.hosts }, (): HostOptions => ({}))
      : options.hosts;
  if (wanted.length > 200) throw new Error(`A lab has at most 200 hosts, not ${wanted.length}.`);
  return await withLock(join(registryFolder, 'lock'), silent, async () => {
    const network = await freeNetwork();
    const hosts = wanted.map(
      (host, index): HostState => ({
        name: host.name ?? `h${index + 1}`,
        index: index + 1,
        address: `${network}.${index + 11}`,
        hostKey: '',
        kubelet: host.kubelet ?? options.kubelet ?? false,
        binds: host.binds ?? [],
        ownDisk: host.ownDisk ?? false,
      }),
    );
    if (new Set(hosts.map(({ name }) => name)).size !== hosts.length)
      throw new Error('Two hosts of a lab have the same name.');
    const state: LabState = {
      id: randomBytes(3).toString('hex'),
      dir,
      network,
      outbound: options.outbound ?? false,
      hosts,
    };
    await writeState(state);
    await register(state);
    return state;
  });
}

function handle(state: LabState): Lab {
  const hosts = state.hosts.map((host) => new LabHost(state, host));
  return {
    id: state.id,
    dir: state.dir,
    address: `${state.network}.1`,
    sshKey: join(state.dir, 'id_ed25519'),
    hosts,
    host: (name) => {
      const found = hosts.find((host) => host.name === name);
      if (found === undefined)
        throw new Error(`The lab has no host ${name}; it has ${hosts.map((host) => host.name).join(', ')}.`);
      return found;
    },
    close: async () => await downLab(state.dir),
  };
}
