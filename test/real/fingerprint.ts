/** What a host is, as lines that can be compared: every file with mode, owner and digest, every unit with its state. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LabHost } from '@kubenode/lab';

/** What changes by itself on a living Debian host, without anybody's doing. Paths below these are left out. */
const volatile = [
  '/dev',
  '/proc',
  '/sys',
  '/run',
  '/tmp',
  '/var/tmp',
  '/var/log',
  '/var/cache',
  '/var/lib/apt',
  '/var/lib/systemd',
  '/var/lib/chrony',
  '/var/lib/containerd',
  '/var/lib/dpkg',
  '/var/lib/kubelet',
  '/var/lib/logrotate',
  '/var/lib/cni',
  '/var/lib/private',
  '/var/lib/iscsi',
  '/etc/mtab',
  '/root/.ssh',
  '/etc/.pwd.lock',
  '/etc/ld.so.cache',
];

export interface Fingerprint {
  /** `path` to `kind mode uid:gid digest`. */
  readonly files: ReadonlyMap<string, string>;
  /** Unit name to `enabled active`. */
  readonly units: ReadonlyMap<string, string>;
}

/** @param host with `rootfs` the host's `ownFiles` what it shares with others is left out. @param besides further paths to leave out. */
export async function fingerprint(
  host: Pick<LabHost, 'rootfs' | 'exec'>,
  besides: readonly string[] = [],
): Promise<Fingerprint> {
  const files = new Map<string, string>();
  await walk(host.rootfs, '/', [...volatile, ...besides], files);
  return { files, units: await unitsOf(host) };
}

/** What the second has otherwise than the first, a line each; empty when they are alike. */
export function changes(before: Fingerprint, after: Fingerprint): string[] {
  return [...compare(before.files, after.files), ...compare(before.units, after.units)];
}

function compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? '(not there)'} -> ${after.get(name) ?? '(not there)'}`);
}

async function walk(
  root: string,
  path: string,
  leaveOut: readonly string[],
  out: Map<string, string>,
): Promise<void> {
  for (const name of (await readdir(join(root, path))).toSorted()) {
    const inside = join(path, name);
    if (leaveOut.includes(inside)) continue;
    const line = await describe(join(root, inside));
    if (line === undefined) continue;
    out.set(inside, line);
    if (line.startsWith('folder')) await walk(root, inside, leaveOut, out);
  }
}

/** Digests of what lies still: ctime tells every change, but for one that comes within the clock's tick of the last. */
const digests = new Map<string, string>();
const stillNs = 1_000_000_000n;

async function digestOf(path: string, { ino, size, mtimeNs, ctimeNs }: BigIntStats): Promise<string> {
  const key = [basename(path), ino, size, mtimeNs, ctimeNs].join(' ');
  const known = digests.get(key);
  if (known !== undefined) return known;
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 16);
  if (ctimeNs < BigInt(Date.now()) * 1_000_000n - stillNs) digests.set(key, digest);
  return digest;
}

async function describe(path: string): Promise<string | undefined> {
  try {
    const stat = await lstat(path, { bigint: true });
    const owner = `${(stat.mode & 0o7777n).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isDirectory()) return `folder ${owner}`;
    if (stat.isSymbolicLink()) return `link ${await readlink(path)}`;
    if (!stat.isFile()) return `special ${owner}`;
    return `file ${owner} ${await digestOf(path, stat)}`;
  } catch (error) {
    // Gone between the listing and the look: it is not there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Kinds of unit that somebody decides about; scopes, slices and devices come and go by themselves. */
const decided = /\.(service|socket|timer|path)$/;

async function unitsOf(host: Pick<LabHost, 'exec'>): Promise<Map<string, string>> {
  const units = new Map<string, string>();
  const files = await host.exec(['systemctl', 'list-unit-files', '--no-legend', '--no-pager', '--plain']);
  for (const line of files.stdout.split('\n')) {
    const [name, enabled] = line.trim().split(/\s+/);
    if (name && enabled && decided.test(name)) units.set(name, enabled);
  }
  const states = await host.exec([
    'systemctl',
    'list-units',
    '--all',
    '--no-legend',
    '--no-pager',
    '--plain',
  ]);
  for (const line of states.stdout.split('\n')) {
    const [name, , active] = line.trim().split(/\s+/);
    // Instances of a connection (sshd's, D-Bus's) and one-shots that systemd runs by its own timers are nobody's decision.
    if (!name || !active || !decided.test(name) || name.includes('@')) continue;
    units.set(name, `${units.get(name) ?? 'unknown'} ${active === 'activating' ? 'active' : active}`);
  }
  return units;
}
