/** Hosts that note their own boots and carry a static pod, and agents that are killed at a moment of one's choice. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabHost } from '@kubenode/lab';

/** For pods and their sandboxes. */
export const image = 'registry.lab:5000/pause:1';
/** Folder of static pods; the kubelet's configuration has to name it. */
export const staticPods = '/etc/kubernetes/manifests';
const bootsFile = '/var/log/boots';
const untilThereMs = 240_000;

/** A static pod for its kubelet, and a unit that notes every boot, as the host itself sees them. */
export async function prepare(host: LabHost): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'beacon', namespace: 'default' },
    spec: { containers: [{ name: 'pause', image }], tolerations: [{ operator: 'Exists' }] },
  };
  const note = [
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/bin/sh -c 'cat /proc/sys/kernel/random/boot_id >> ${bootsFile}'`,
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
  const files = {
    [`${staticPods}/beacon.json`]: JSON.stringify(manifest),
    '/etc/systemd/system/note-boot.service': note,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(host.rootfs, path)), { recursive: true });
    await writeFile(join(host.rootfs, path), content);
  }
  await host.exec(['systemctl', 'enable', '--now', '--quiet', 'note-boot.service']);
}

export async function bootsOf(host: LabHost): Promise<readonly string[]> {
  return (await host.exec(['cat', bootsFile])).stdout.trim().split('\n');
}

export async function bootOf(host: LabHost): Promise<string> {
  return (await host.exec(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
}

/**
 * SIGKILL of the agent as soon as a file of the host says so: faster than by a command in the host.
 * @returns whether it was there to be killed; a host that goes down may have ended it before.
 */
export async function killAgentAt(host: LabHost, path: string, text: string): Promise<boolean> {
  const deadline = Date.now() + untilThereMs;
  let pid = agentOf(host);
  for (;;) {
    const content = await readFile(join(host.rootfs, path), 'utf8').catch(() => '');
    if (content.includes(text)) break;
    if (Date.now() > deadline) throw new Error(`${host.name}: ${path} does not say ${text}`);
    pid ??= agentOf(host);
    await delay(2);
  }
  assert.ok(pid !== undefined, `${host.name} has an agent to kill`);
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The agent's process as this machine numbers it: the one of the host's own namespace whose program it is. */
function agentOf(host: LabHost): number | undefined {
  const namespace = (pid: number | string): string | undefined => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return undefined;
    }
  };
  const own = namespace(host.leader() ?? 0);
  const pid = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((name) => namespace(name) === own && isAgent(name));
  return pid === undefined ? undefined : Number(pid);
}

function isAgent(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kubenode-agent');
  } catch {
    return false;
  }
}
