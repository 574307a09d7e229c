import { readFile } from 'node:fs/promises';
import os from 'node:os';

import type { HostFacts } from '../ports.ts';
import type { RootedPaths } from './files/rooted-paths.ts';
import { isMissing } from './files/rooted-paths.ts';
import { bootID } from './process.ts';

const architectures: Readonly<Partial<Record<string, string>>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
};

/** Go's word for this machine's architecture. */
export function goArchitecture(): string {
  return architectures[process.arch] ?? process.arch;
}

/** Reads what the host is. A local host has the machine's kernel and an ID and name of its own where its folder has them. */
export async function readFacts(paths: RootedPaths): Promise<HostFacts> {
  const release = osRelease(
    (await read(paths, '/etc/os-release')) ??
      (await read(paths, '/usr/lib/os-release')) ??
      (await machineRelease(paths)),
  );
  return {
    os: 'linux',
    osName: release.get('ID') ?? 'linux',
    osVersion: release.get('VERSION_ID') ?? '',
    kernel: os.release(),
    arch: goArchitecture(),
    machineID: ((await read(paths, '/etc/machine-id')) ?? '').trim(),
    bootID: await bootID(),
    hostname: ((await read(paths, '/etc/hostname')) ?? '').trim() || os.hostname(),
    addresses: addresses(),
  };
}

/** A local host's folder mostly has no os-release: its programs are the machine's own. */
async function machineRelease(paths: RootedPaths): Promise<string> {
  if (paths.root === '') return '';
  try {
    return await readFile('/etc/os-release', 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function read(paths: RootedPaths, hostPath: string): Promise<string | undefined> {
  try {
    return await readFile(await paths.target(hostPath), 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function osRelease(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z_0-9]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  return values;
}

/** Global addresses, IPv4 first; those of bridges and pods' ends (cni0, veth..., docker0) are not the host's. */
function addresses(): readonly string[] {
  const found: { address: string; family: string }[] = [];
  for (const [name, list] of Object.entries(os.networkInterfaces())) {
    if (/^(cni|veth|docker|cali|flannel|lxc|kube-|virbr|br-)/.test(name)) continue;
    for (const { address, family, internal } of list ?? []) {
      if (!internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'))
        found.push({ address, family });
    }
  }
  return found.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}
