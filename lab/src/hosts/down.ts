import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { endServices } from '../system/services.ts';
import { withLock } from '../system/lock.ts';
import { type Progress, silent } from '../system/progress.ts';
import { hierarchies, killGroup, removeGroup } from './cgroups.ts';
import { containerdFolder } from './filesystem.ts';
import { unmountBelow } from './mounts.ts';
import { tearDownNetwork } from './network.ts';
import { groupName, hostFolder, type LabState, readState, registryFolder, unregister } from './state.ts';

/**
 * Takes a lab down from what its folder says, whoever made it and however that ended: servers, hosts, mounts, control groups,
 * bridge, rule, files. Does nothing where there is no lab. Can be called again after a failure.
 */
export async function downLab(labDir: string, progress: Progress = silent): Promise<void> {
  const dir = resolve(labDir);
  await endServices(dir);
  const state = await readState(dir);
  if (state !== undefined) {
    progress(`Taking down ${state.hosts.length} host${state.hosts.length === 1 ? '' : 's'} ...`);
    for (const host of state.hosts) {
      await killGroup(groupName(state.id, host.index));
      await unmountBelow(hostFolder(dir, host.name));
      await removeGroup(groupName(state.id, host.index));
      await removePodGroups(state, host.name);
    }
    await withLock(join(registryFolder, 'lock'), progress, async () => {
      await tearDownNetwork(state);
      await unregister(state.id);
    });
  }
  if (!existsSync(dir)) return;
  // The state goes last: where something before it fails, `down` can be called again.
  const own = [
    'hosts',
    'kubernetes',
    'embedded',
    'artifacts',
    'registry',
    'id_ed25519',
    'id_ed25519.pub',
    'known_hosts',
    'lab.json',
  ];
  for (const name of [...own, 'lab-state.json']) await rm(join(dir, name), { recursive: true, force: true });
  if ((await readdir(dir)).length === 0) await rmdir(dir);
}

/**
 * Control groups that a host's pods leave at the root of the hierarchies when the host is killed. Their names are the containers', which
 * containerd's folder lists, so no other lab's are touched.
 */
async function removePodGroups(state: LabState, host: string): Promise<void> {
  const tasks = join(containerdFolder(state.dir, host), 'io.containerd.runtime.v2.task/k8s.io');
  const containers = await readdir(tasks).catch(() => []);
  for (const container of containers) await removeGroup(join('k8s.io', container));
  // The parent goes with the last one of any lab; the kernel refuses while it has others.
  if (containers.length > 0)
    for (const folder of hierarchies()) await rmdir(join(folder, 'k8s.io')).catch(() => {});
}
