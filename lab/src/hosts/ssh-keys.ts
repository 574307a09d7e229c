import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../system/run.ts';
import { hostFolder, type LabState } from './state.ts';

/** Makes a host's ssh host key, outside of it, so that it is known before the host first boots. @returns the public key. */
export async function makeHostKey(dir: string, name: string): Promise<string> {
  const folder = hostFolder(dir, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return await makeSshKey(join(folder, 'ssh_host_ed25519_key'), name);
}

/** Makes an ed25519 key pair for ssh. @returns the public key, `ssh-ed25519 AAAA...` without its comment. */
export async function makeSshKey(file: string, comment: string): Promise<string> {
  await rm(file, { force: true });
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

/** Writes the known_hosts file of a lab. */
export async function writeKnownHosts(lab: LabState): Promise<void> {
  const lines = lab.hosts.map(({ address, name, hostKey }) => `${address},${name} ${hostKey}\n`);
  await writeFile(join(lab.dir, 'known_hosts'), lines.join(''));
}
