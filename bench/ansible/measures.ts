import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LabHost } from '@kubenode/lab';

const run = promisify(execFile);

/** What one run cost; all in seconds. */
export interface Cost {
  readonly wall: number;
  /** Processor time on all hosts together, of everything that runs there. */
  readonly hosts: number;
  /** Processor time of Ansible's processes, or of the API server and the operator. */
  readonly centre: number;
}

/** The costs of one side. */
export interface Costs {
  /** Putting on a new host what the side needs there: Python, or the agent. */
  readonly prepare: Cost;
  readonly first: Cost;
  readonly nothing: Cost;
  readonly change: Cost;
}

export async function hostsCpuSeconds(hosts: readonly LabHost[]): Promise<number> {
  let sum = 0;
  for (const host of hosts) sum += await host.cpuSeconds();
  return sum;
}

/** A host that spends no more than this in a second does nothing but wait. Seconds of processor time. */
const quietSeconds = 0.01;
const mostSecondsUntilQuiet = 60;

/**
 * Waits until all is on disk and the hosts do no more than wait: what goes on after a run has ended belongs to its cost, and not to the next
 * one's.
 */
export async function untilQuiet(hosts: readonly LabHost[]): Promise<void> {
  await run('sync');
  for (let seconds = 0; seconds < mostSecondsUntilQuiet; seconds += 1) {
    const before = await hostsCpuSeconds(hosts);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if ((await hostsCpuSeconds(hosts)) - before <= quietSeconds * hosts.length) return;
  }
  throw new Error(`The hosts are still at work after ${mostSecondsUntilQuiet} s.`);
}

/** Runs some work and says what it cost, once the hosts are quiet again. @param centre processor time used so far in the centre, seconds */
export async function measure(
  hosts: readonly LabHost[],
  centre: () => Promise<number>,
  work: () => Promise<void>,
): Promise<Cost> {
  await untilQuiet(hosts);
  const [hostsBefore, centreBefore, started] = [
    await hostsCpuSeconds(hosts),
    await centre(),
    performance.now(),
  ];
  await work();
  const wall = (performance.now() - started) / 1000;
  await untilQuiet(hosts);
  return {
    wall,
    hosts: (await hostsCpuSeconds(hosts)) - hostsBefore,
    centre: (await centre()) - centreBefore,
  };
}
