import { copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LabHost } from './host.ts';

/**
 * Installs Debian packages on a host from .deb files of this machine, all at once (so that they may depend on each other), as if
 * somebody had done it by hand before KubeNode came: their services start.
 * @throws HostCommandError with what dpkg says.
 */
export async function installDebs(host: LabHost, files: readonly string[]): Promise<void> {
  const folder = '/var/cache/kubenode-lab-debs';
  await mkdir(join(host.rootfs, folder), { recursive: true });
  for (const file of files) await copyFile(file, join(host.rootfs, folder, basename(file)));
  const inside = files.map((file) => join(folder, basename(file)));
  await host.exec(['dpkg', '--force-confold', '--force-confdef', '-i', ...inside], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  await rm(join(host.rootfs, folder), { recursive: true });
}
