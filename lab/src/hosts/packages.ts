import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { debVersions } from '../artifacts/debs.ts';
import { cacheFolder } from '../system/cache.ts';
import { run } from '../system/run.ts';
import type { LabHost } from './host.ts';

/**
 * Downloads Debian packages, with all that they depend on and a new host lacks, through this machine's apt into the cache.
 * @returns the .deb files.
 */
export async function downloadDebs(host: LabHost, names: readonly string[]): Promise<string[]> {
  const folder = await cacheFolder('debs', `for-hosts-${names.join('-')}`);
  await mkdir(join(folder, 'partial'), { recursive: true });
  await debVersions(names[0] ?? '');
  const settings = [
    `Dir::State::status=${join(host.rootfs, 'var/lib/dpkg/status')}`,
    `Dir::Cache::archives=${folder}`,
    'APT::Sandbox::User=root',
  ];
  const apt = ['apt-get', ...settings.flatMap((setting) => ['-o', setting]), '-qq'];
  await run([...apt, 'install', '-y', '--no-install-recommends', '--download-only', ...names]);
  // What an earlier run left there in an older version.
  await run([...apt, 'autoclean']);
  return (await readdir(folder)).filter((name) => name.endsWith('.deb')).map((name) => join(folder, name));
}

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
