import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Progress } from '../system/progress.ts';
import { run } from '../system/run.ts';

/** What the hosts need, and the Debian package that brings it. */
const programs: ReadonlyArray<readonly [program: string, debianPackage: string]> = [
  ['systemd-nspawn', 'systemd-container'],
  ['debootstrap', 'debootstrap'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['nsenter', 'util-linux'],
  ['flock', 'util-linux'],
  ['ssh', 'openssh-client'],
  ['ssh-keygen', 'openssh-client'],
  ['mount', 'mount'],
  ['mkfs.ext4', 'e2fsprogs'],
  ['perl', 'perl-base'],
];

/** Whether a program is on the search path (with the folders for root's programs, which a user's path may lack). */
export async function hasProgram(program: string): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * What this machine lacks for real hosts, one sentence each that says what to do; empty where `createLab` can work. Programs that
 * apt-get can install are no lack for root on Debian: `createLab` installs them, and says so.
 */
export async function missingForHosts(): Promise<string[]> {
  const lacks: string[] = [];
  if (process.platform !== 'linux')
    lacks.push(`Hosts are systemd-nspawn machines and need Linux; this is ${process.platform}.`);
  if (process.getuid?.() !== 0)
    lacks.push('Hosts need root (mounts, bridge, cgroups): run the command with sudo.');
  if (await hasProgram('apt-get')) return lacks;
  const missing = await missingOf(programs);
  if (missing.length > 0)
    lacks.push(
      `Missing: ${missing.map(([program]) => program).join(', ')}. Install them with your package manager.`,
    );
  if (!(await hasProgram('debootstrap')))
    lacks.push('The hosts are Debian: debootstrap and a Debian mirror are needed.');
  return lacks;
}

/**
 * Makes sure that hosts can be started, installing Debian packages where it may.
 * @throws Error that lists what is missing and can't be installed.
 */
export async function requireForHosts(progress: Progress): Promise<void> {
  const lacks = await missingForHosts();
  if (lacks.length > 0) throw new Error(lacks.join('\n'));
  await requirePrograms(programs, 'what the hosts need', progress);
}

/**
 * Makes sure that programs are on the search path, installing their Debian packages where they aren't, and saying so. Needs root.
 * @param needed each program, and the Debian package that brings it.
 */
export async function requirePrograms(
  needed: ReadonlyArray<readonly [program: string, debianPackage: string]>,
  what: string,
  progress: Progress,
): Promise<void> {
  const missing = await missingOf(needed);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  progress(`Installing with apt-get ${what}: ${packages.join(', ')} ...`);
  await aptInstall(packages);
}

/** Installs Debian packages on this machine, refreshing the package lists first where they don't know them. */
async function aptInstall(packages: readonly string[]): Promise<void> {
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run(install, { env });
  } catch {
    await run(['apt-get', 'update', '-qq'], { env });
    await run(install, { env });
  }
}

async function missingOf(needed: typeof programs): Promise<Array<readonly [string, string]>> {
  const missing: Array<readonly [string, string]> = [];
  for (const entry of needed) if (!(await hasProgram(entry[0]))) missing.push(entry);
  return missing;
}
