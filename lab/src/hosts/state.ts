import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessId } from '../system/processes.ts';

/** What a lab has made or is about to make, on disk before it is made: whoever takes the lab down needs nothing else. */
export interface LabState {
  /** Six hexadecimal digits; in the name of everything that this lab makes on the machine. */
  id: string;
  dir: string;
  /** `10.214.N`: the bridge is .1, host i is .(i+10). */
  network: string;
  /** Whether hosts may reach what this machine reaches (a masquerade rule). */
  outbound: boolean;
  hosts: HostState[];
}

export interface HostState {
  name: string;
  index: number;
  address: string;
  /** Its public ssh host key, `ssh-ed25519 AAAA...`. */
  hostKey: string;
  kubelet: boolean;
  binds: ReadonlyArray<{ source: string; target: string }>;
  /** Its files are on a file system of its own, which can really lose power. */
  ownDisk?: boolean;
  /** The process that runs it; absent while it is off. */
  runner?: ProcessId;
}

/** Where every lab of this machine is noted, so that none is lost and the last one down puts machine-wide settings back. */
export const registryFolder = '/run/kubenode-lab';

const stateFile = (dir: string): string => join(dir, 'lab-state.json');

/**
 * The state of the lab in a folder, or undefined where there is none. Where the folder lost it (somebody deleted it by hand), what the
 * machine's own note says.
 */
export async function readState(dir: string): Promise<LabState | undefined> {
  if (existsSync(stateFile(dir))) return JSON.parse(await readFile(stateFile(dir), 'utf8')) as LabState;
  return [...(await registeredLabs()).values()].find((noted) => noted.dir === dir);
}

/** Writes the state so that a reader sees the old one or the new one, never half of it. */
export async function writeState(state: LabState): Promise<void> {
  await mkdir(state.dir, { recursive: true });
  const temporary = `${stateFile(state.dir)}.${randomUUID()}.tmp`;
  await writeFile(temporary, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(temporary, stateFile(state.dir));
}

/** The labs noted on this machine, by id, each as it was when it was noted; one whose folder is gone is still listed. */
export async function registeredLabs(): Promise<Map<string, LabState>> {
  const labs = new Map<string, LabState>();
  for (const name of await readdir(registryFolder).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const noted = JSON.parse(await readFile(join(registryFolder, name), 'utf8')) as LabState;
    labs.set(name.slice(0, -'.json'.length), noted);
  }
  return labs;
}

/** Notes a lab on this machine. */
export async function register(state: LabState): Promise<void> {
  await mkdir(registryFolder, { recursive: true, mode: 0o755 });
  const file = join(registryFolder, `${state.id}.json`);
  const temporary = `${file}.${randomUUID()}.tmp`;
  await writeFile(temporary, JSON.stringify(state));
  await rename(temporary, file);
}

/** Takes a lab's note away. */
export async function unregister(id: string): Promise<void> {
  await rm(join(registryFolder, `${id}.json`), { force: true });
}

/** The name of a host's control group, in every hierarchy. */
export const groupName = (id: string, index: number): string => `kn-${id}-${index}`;
/** The name of a lab's bridge; an interface's name has at most 15 characters. */
export const bridgeName = (id: string): string => `kn-${id}`;
/** The machine name that systemd-nspawn is given, so that the host's interface outside is `vb-ID-INDEX`. */
export const machineName = (id: string, index: number): string => `${id}-${index}`;
/** A host's interface on this machine's side. */
export const interfaceName = (id: string, index: number): string => `vb-${machineName(id, index)}`;
/** Where a host's own files are. */
export const hostFolder = (dir: string, name: string): string => join(dir, 'hosts', name);
