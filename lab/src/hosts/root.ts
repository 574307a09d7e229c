import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../system/cache.ts';
import { withLock } from '../system/lock.ts';
import type { Progress } from '../system/progress.ts';
import { run } from '../system/run.ts';
import { debianMirror, debianSuite } from './mirror.ts';

/**
 * What every host has when it is new: a booting system that ssh reaches, what a kubelet calls (iptables, conntrack, mount...), and the
 * libraries that the packages in `examples/` depend on, since a single .deb is installed without a package manager that fetches more.
 */
const packages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'openssh-server',
  'iproute2',
  'kmod',
  'procps',
  'mount',
  'ca-certificates',
  'iptables',
  'conntrack',
  'ethtool',
  'socat',
  'ebtables',
  'iputils-ping',
  'curl',
  'adduser',
  'tzdata',
  'ucf',
  'libseccomp2',
  'libedit2',
  'libgnutls30',
  'libnettle8',
  'libcap2',
  'libestr0',
  'libfastjson4',
  'liblognorm5',
  'libpopt0',
  'libisns0',
  'libopeniscsiusr',
] as const;

/** Units that have no business in a lab host: they fail in a container, ask at a console, or reach for mirrors by themselves. */
const masked = [
  'systemd-firstboot.service',
  'console-getty.service',
  'getty.target',
  'systemd-networkd-wait-online.service',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'fstrim.timer',
  'e2scrub_all.timer',
] as const;

/** Changed whenever `finish` below does, so that a root made by older code isn't taken. */
const recipe = 1;

/** The folder of the root that all hosts share (each has its own layer over it), built on first use. */
export async function ensureRoot(progress: Progress): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([recipe, debianSuite, packages, masked]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(await cacheFolder('roots'), `${debianSuite}-${key}`);
  if (existsSync(folder)) return folder;
  await withLock(`${folder}.lock`, progress, async () => {
    if (existsSync(folder)) return;
    const building = `${folder}.building`;
    await rm(building, { recursive: true, force: true });
    progress(`Building the hosts' Debian ${debianSuite} root with debootstrap (once, about a minute) ...`);
    await debootstrap(building, progress);
    await finish(building);
    await rename(building, folder);
    progress("The hosts' root is built.");
  });
  return folder;
}

async function debootstrap(folder: string, progress: Progress): Promise<void> {
  const mirror = await debianMirror();
  let last = '';
  await run(
    ['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, debianSuite, folder, mirror],
    { onErrorLine: (line) => (last = line), env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } },
  ).catch((error: unknown) => {
    progress(last);
    throw new Error(`debootstrap of ${debianSuite} failed; is the mirror reachable?`, { cause: error });
  });
}

/** What is the same on all hosts and not a package's: identity taken out, network by file, nothing that fails in a container. */
async function finish(root: string): Promise<void> {
  const etc = join(root, 'etc');
  for (const unit of masked) await symlink('/dev/null', join(etc, 'systemd/system', unit)).catch(() => {});
  const ssh = join(etc, 'ssh');
  for (const name of await readdir(ssh)) if (name.startsWith('ssh_host_')) await rm(join(ssh, name));
  await writeFile(join(etc, 'machine-id'), '');
  await rm(join(root, 'var/lib/dbus/machine-id'), { force: true });
  await writeFile(join(etc, 'locale.conf'), 'LANG=C.UTF-8\n');
  await writeFile(join(etc, 'timezone'), 'Etc/UTC\n');
  await writeFile(join(etc, 'fstab'), '');
  await mkdir(join(etc, 'systemd/system/multi-user.target.wants'), { recursive: true });
  await symlink(
    '/lib/systemd/system/systemd-networkd.service',
    join(etc, 'systemd/system/multi-user.target.wants/systemd-networkd.service'),
  );
  // Lab hosts keep their journal over a reboot, as servers do.
  await mkdir(join(root, 'var/log/journal'), { recursive: true });
  await rm(join(root, 'var/cache/apt/archives'), { recursive: true, force: true });
  await mkdir(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
}
