/** Hosts without root: a folder and an agent each, with the built-in supervisor. They join by token, as hosts from cloud-init do. */
import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stopLocalHost } from '@kubenode/agent';
import { agentTokenGroups, ensureToken } from '@kubenode/machine';
import type { Plane } from './plane.ts';
import type { StateFolder } from './state-folder.ts';

const agentProgram = join(import.meta.dirname, '../../packages/agent/src/start.ts');
const tokenLifetimeMs = 24 * 3_600_000;
const stopWithinMs = 10_000;

export function localHostNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `local${i + 1}`);
}

/** Writes what a host needs to join, and starts its agent. A host that is there goes on. */
export async function startLocalHosts(
  folder: StateFolder,
  plane: Plane,
  names: readonly string[],
): Promise<void> {
  const token = await ensureToken(
    plane.client,
    {
      id: 'demo00',
      groups: agentTokenGroups,
      description: 'join token of npm start',
      lifetimeMs: tokenLifetimeMs,
    },
    Date.now(),
    AbortSignal.timeout(30_000),
  );
  for (const [i, name] of names.entries()) {
    const root = rootOf(folder, name);
    const etc = join(root, 'etc/kubenode');
    await mkdir(etc, { recursive: true, mode: 0o700 });
    await writeFile(join(etc, 'ca.crt'), plane.caPem);
    await writeFile(join(etc, 'bootstrap-token'), token ?? '', { mode: 0o600 });
    await writeFile(
      configOf(folder, name),
      JSON.stringify({
        machine: name,
        server: plane.url,
        caFile: '/etc/kubenode/ca.crt',
        bootstrapTokenFile: '/etc/kubenode/bootstrap-token',
        labels: { 'demo-port': String(18_080 + i), pool: i === 0 ? 'canary' : 'web' },
        root,
      }),
    );
    await endAgent(folder, name);
    await startAgent(folder, name);
  }
}

/** Ends the agents and what they supervise. */
export async function stopLocalHosts(folder: StateFolder, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await endAgent(folder, name);
    await stopLocalHost(rootOf(folder, name), stopWithinMs);
  }
}

function rootOf(folder: StateFolder, name: string): string {
  return folder.at('hosts', name, 'root');
}

function configOf(folder: StateFolder, name: string): string {
  return folder.at('hosts', name, 'agent.json');
}

async function startAgent(folder: StateFolder, name: string): Promise<void> {
  const log = openSync(folder.at('hosts', name, 'agent.log'), 'a');
  // A group of its own: Ctrl-C in the terminal is for the demo, which ends the agents in order.
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', agentProgram, 'run', '--config', configOf(folder, name)],
    { stdio: ['ignore', log, log], detached: true },
  );
  child.unref();
  await writeFile(folder.at('hosts', name, 'agent.pid'), String(child.pid));
}

async function endAgent(folder: StateFolder, name: string): Promise<void> {
  const file = folder.at('hosts', name, 'agent.pid');
  if (!existsSync(file)) return;
  const pid = Number(await readFile(file, 'utf8'));
  if (await isAgentOf(pid, configOf(folder, name))) await end(pid);
  await rm(file);
}

async function isAgentOf(pid: number, config: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').includes(config);
  } catch {
    return false;
  }
}

/** SIGTERM, and SIGKILL to what is still there after five seconds. */
async function end(pid: number): Promise<void> {
  const deadline = Date.now() + 5000;
  let signal: NodeJS.Signals = 'SIGTERM';
  for (;;) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    signal = 'SIGCONT';
    if (Date.now() > deadline) signal = 'SIGKILL';
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
