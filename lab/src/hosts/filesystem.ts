import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { run } from '../system/run.ts';
import { diskFolder, mountDisk } from './disk.ts';
import { mountsBelow } from './mounts.ts';
import { type HostState, hostFolder, type LabState } from './state.ts';

/** A host's root as this machine sees it: reading and writing here is reading and writing the host's own files. */
export const rootFolder = (dir: string, name: string): string => join(hostFolder(dir, name), 'root');

/** Where the container images and snapshots of a host with a kubelet are: a plain folder, since an overlay can't stand on one. */
export const containerdFolder = (dir: string, name: string): string =>
  join(hostFolder(dir, name), 'containerd');

/** What a host's files are that are not the root's all hosts share: changed, new, and as devices 0:0 those taken away. */
export const upperFolder = (dir: string, host: HostState): string =>
  join(host.ownDisk ? diskFolder(hostFolder(dir, host.name)) : hostFolder(dir, host.name), 'upper');

/** Mounts a host's root: its own layer over the one that all hosts share. Does nothing where it is mounted. */
export async function mountRoot(state: LabState, host: HostState, lower: string): Promise<void> {
  const folder = hostFolder(state.dir, host.name);
  const root = rootFolder(state.dir, host.name);
  for (const name of ['root', 'containerd']) await mkdir(join(folder, name), { recursive: true });
  if (mountsBelow(root).length > 0) return;
  if (host.ownDisk) await mountDisk(folder);
  const upper = upperFolder(state.dir, host);
  const work = join(dirname(upper), 'work');
  for (const name of [upper, work]) await mkdir(name, { recursive: true });
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  if (/[,:\\]/.test(folder))
    throw new Error(`A lab's folder can't have a comma, colon or backslash in its path: ${folder}`);
  await run(['mount', '-t', 'overlay', '-o', layers, `kubenode-${state.id}-${host.index}`, root]).catch(
    (error: unknown) => {
      throw new Error(
        `${folder} can't hold a host's files; the folder must be on an ordinary file system (ext4, xfs, btrfs, tmpfs).`,
        {
          cause: error,
        },
      );
    },
  );
}

/** What makes a host this host: name, machine id, address, ssh keys, and the names of the others and of the lab's servers. */
export async function personalize(state: LabState, host: HostState): Promise<void> {
  const root = rootFolder(state.dir, host.name);
  const etc = join(root, 'etc');
  await writeFile(join(etc, 'hostname'), `${host.name}\n`);
  await writeFile(join(etc, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
  const names = [
    '127.0.0.1 localhost',
    ...state.hosts.map(({ address, name }) => `${address} ${name}`),
    `${state.network}.1 artifacts.lab registry.lab`,
  ];
  await writeFile(join(etc, 'hosts'), `${names.join('\n')}\n`);
  await mkdir(join(etc, 'systemd/network'), { recursive: true });
  const link = `[Match]\nName=host0\n[Network]\nAddress=${host.address}/24\nGateway=${state.network}.1\nLinkLocalAddressing=no\n`;
  await writeFile(join(etc, 'systemd/network/10-host0.network'), link);
  for (const suffix of ['', '.pub'])
    await copyFile(
      join(hostFolder(state.dir, host.name), `ssh_host_ed25519_key${suffix}`),
      join(etc, `ssh/ssh_host_ed25519_key${suffix}`),
    );
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
  await copyFile(join(state.dir, 'id_ed25519.pub'), join(root, 'root/.ssh/authorized_keys'));
  // The owner of a host says there which registries speak plain HTTP; the agent believes nobody else.
  await mkdir(join(etc, 'kubenode'), { recursive: true, mode: 0o700 });
  const sources = { sources: [{ prefix: 'http://registry.lab:5000/' }] };
  await writeFile(join(etc, 'kubenode/sources.json'), `${JSON.stringify(sources)}\n`, { mode: 0o600 });
  if (state.outbound) await letPackagesIn(root);
  if (host.kubelet) await prepareForKubelet(root);
}

/** The host reaches names and packages as this machine does. */
async function letPackagesIn(root: string): Promise<void> {
  await writeFile(join(root, 'etc/resolv.conf'), await readFile('/etc/resolv.conf'));
  await rm(join(root, 'etc/apt/sources.list'), { force: true });
  for (const name of ['sources.list', 'sources.list.d/debian.sources', 'apt.conf.d/99artifact-registry'])
    await cp(join('/etc/apt', name), join(root, 'etc/apt', name)).catch(() => {});
}

/** systemd-nspawn mounts cgroups of version 1 read-only; containerd and the kubelet write there, and so do limits of units. */
async function prepareForKubelet(root: string): Promise<void> {
  const unit = `[Unit]
Description=Make the lab host's control groups writable
DefaultDependencies=no
Before=sysinit.target containerd.service kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/writable-cgroups
[Install]
WantedBy=sysinit.target
`;
  const script = `#!/bin/sh
mount -o remount,bind,rw /sys/fs/cgroup
for mount in $(awk '$3 == "cgroup" {print $2}' /proc/mounts); do
  mount -o remount,bind,rw "$mount"
done
`;
  const system = join(root, 'etc/systemd/system');
  await mkdir(join(system, 'sysinit.target.wants'), { recursive: true });
  await writeFile(join(system, 'writable-cgroups.service'), unit);
  await mkdir(join(root, 'usr/local/sbin'), { recursive: true });
  await writeFile(join(root, 'usr/local/sbin/writable-cgroups'), script, { mode: 0o755 });
  await run([
    'ln',
    '-sf',
    '../writable-cgroups.service',
    join(system, 'sysinit.target.wants/writable-cgroups.service'),
  ]);
}
