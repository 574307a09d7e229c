import { existsSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../system/run.ts';
import { mountsBelow } from './mounts.ts';

const diskBytes = 4 * 1024 ** 3;

/**
 * Nothing goes to disk before somebody asks for it: by itself ext4 would write after 5 s, and a file's data before a rename over
 * another. What survives a power loss here survives it on any file system.
 */
const options = 'loop,commit=300,noauto_da_alloc';

/** Where a host's own file system is mounted. */
export const diskFolder = (hostFolder: string): string => join(hostFolder, 'disk');

/** Mounts a host's own file system, made when it is new. */
export async function mountDisk(hostFolder: string): Promise<void> {
  const image = join(hostFolder, 'disk.img');
  const point = diskFolder(hostFolder);
  if (!existsSync(image)) {
    const file = await open(`${image}.tmp`, 'w', 0o600);
    await file.truncate(diskBytes);
    await file.close();
    await run(['mkfs.ext4', '-q', `${image}.tmp`], { env: { PATH: systemPath() } });
    await rename(`${image}.tmp`, image);
  }
  await mkdir(point, { recursive: true });
  // Other hosts have copies of all mounts that were there when they were started. From a shared mount they go when these here do; a copy that
  // stayed would keep the file system as it is without power, and mounting it again would only show that one.
  if (!mountsBelow(hostFolder).includes(hostFolder)) {
    await run(['mount', '--bind', hostFolder, hostFolder]);
    await run(['mount', '--make-shared', hostFolder]);
  }
  await run(['mount', '-o', options, image, point]);
}

/** `FS_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: from now on nothing reaches the disk, not even the file system's own journal. */
const shutDown = `
open(my $folder, '<', $ARGV[0]) or die "$ARGV[0]: $!";
my $how = pack('L', 2);
ioctl($folder, 0x8004587d, $how) or die "$ARGV[0] can't be shut down: $!";
`;

/** Takes the power from a host's own file system: what was not synced is gone. Mounted again it is as after a power loss. */
export async function dropUnsynced(hostFolder: string): Promise<void> {
  // Node.js has no ioctl; Perl is part of every Debian.
  await run(['perl', '-e', shutDown, diskFolder(hostFolder)]);
}

/** A user's path may lack the folders of root's programs. */
function systemPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
}
