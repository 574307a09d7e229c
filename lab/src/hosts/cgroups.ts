import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../system/processes.ts';

const mountPoint = '/sys/fs/cgroup';

const isUnified = (): boolean => existsSync(join(mountPoint, 'cgroup.controllers'));

/** Every cgroup hierarchy of this machine: one on a unified (v2) machine, one for each controller otherwise. */
export function hierarchies(): string[] {
  if (isUnified()) return [mountPoint];
  return readdirSync(mountPoint)
    .map((name) => join(mountPoint, name))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')));
}

/** The folders that a host's processes enter, one for each hierarchy. */
export interface HostGroups {
  /** For what runs the host from outside. */
  runner: string[];
  /** For systemd-nspawn and the system in it, which divide it further. */
  host: string[];
  /** For commands that are run in the host. */
  exec: string[];
}

/**
 * Makes a host's group in every hierarchy. In version 1 all of it is one group. Version 2 allows no process beside groups that have
 * controllers, so there the three are groups of their own below the host's.
 */
export async function makeGroup(name: string): Promise<HostGroups> {
  const groups = groupsOf(name);
  for (const folder of new Set(Object.values(groups).flat())) await mkdir(folder, { recursive: true });
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, name);
    // A cpuset of version 1 takes no process before it has processors and memory nodes; they are its parent's.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (hierarchy.endsWith('/cpuset') && existsSync(join(hierarchy, file)))
        await writeFile(join(folder, file), readFileSync(join(hierarchy, file)));
    }
    if (!isUnified()) continue;
    const controllers = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ');
    for (const controller of controllers)
      if (controller !== '') await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`);
  }
  return groups;
}

/** The folders of a host's group; they may not be there yet. */
export function groupsOf(name: string): HostGroups {
  const folders = hierarchies().map((hierarchy) => join(hierarchy, name));
  if (!isUnified()) return { runner: folders, host: folders, exec: folders };
  const below = (part: string): string[] => folders.map((folder) => join(folder, part));
  return { runner: below('runner'), host: below('host'), exec: below('exec') };
}

/** The group's folders, those that are there. */
export function groupFolders(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((folder) => existsSync(folder));
}

/** The numbers of all processes in a group and below it, in any hierarchy. */
export function processesIn(name: string): number[] {
  const pids = new Set<number>();
  const collect = (folder: string): void => {
    try {
      for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
        if (pid !== '' && pid !== '0') pids.add(Number(pid));
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) collect(join(folder, entry.name));
    } catch {
      // The group went away meanwhile, and its processes with it.
    }
  };
  for (const folder of groupFolders(name)) collect(folder);
  return [...pids];
}

/** Processor time that a group has used since it was made, in seconds, of processes that have ended too. @throws Error where there is no such group. */
export async function cpuSecondsOf(name: string): Promise<number> {
  for (const folder of groupFolders(name)) {
    const v1 = join(folder, 'cpuacct.usage');
    if (existsSync(v1)) return Number(await readFile(v1, 'utf8')) / 1e9;
    const v2 = join(folder, 'cpu.stat');
    const used = existsSync(v2) && /^usage_usec (\d+)$/m.exec(await readFile(v2, 'utf8'));
    if (used) return Number(used[1]) / 1e6;
  }
  throw new Error(`No control group ${name} says what processor time it used.`);
}

/** Stops or lets go on every process of a group. Resolves when the kernel says that it is so. */
export async function setFrozen(name: string, frozen: boolean): Promise<void> {
  const v1 = join(mountPoint, 'freezer', name, 'freezer.state');
  if (existsSync(v1)) {
    const wanted = frozen ? 'FROZEN' : 'THAWED';
    const reached = await waitUntil(async () => {
      await writeFile(v1, wanted);
      return readFileSync(v1, 'utf8').trim() === wanted;
    }, 10_000);
    if (!reached) throw new Error(`The group ${name} didn't get ${wanted} within 10 s.`);
    return;
  }
  const v2 = join(mountPoint, name, 'cgroup.freeze');
  if (!existsSync(v2)) throw new Error(`There is no group ${name} that could be frozen: is the host on?`);
  await writeFile(v2, frozen ? '1' : '0');
}

/** Kills every process of a group, thawing it first: a frozen process doesn't even die. */
export async function killGroup(name: string): Promise<void> {
  const folders = groupFolders(name);
  if (folders.length === 0) return;
  await setFrozen(name, false).catch(() => {});
  const empty = await waitUntil(() => {
    const pids = processesIn(name);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    return pids.length === 0;
  }, 15_000);
  if (!empty) throw new Error(`Processes of the group ${name} don't end: ${processesIn(name).join(' ')}.`);
}

/** Removes a group that holds no process any more, and those below it, from every hierarchy. */
export async function removeGroup(name: string): Promise<void> {
  for (const folder of groupFolders(name)) await removeTree(folder);
}

async function removeTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  // The kernel may take a moment to let go of a group whose last process has just gone.
  let failure: unknown;
  const removed = await waitUntil(async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      failure = error;
      return !existsSync(folder);
    }
  }, 5000);
  if (!removed) throw new Error(`The control group ${folder} can't be removed.`, { cause: failure });
}
