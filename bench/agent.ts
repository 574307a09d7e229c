/** What agent and operator cost with ten components on five real hosts, beside the goal or the limit of each figure. */
import { readFile } from 'node:fs/promises';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import type { LabHost } from '@kubenode/lab';
import { type Figure, figures, type Report, timed } from './report.ts';
import { type Fleet, startFleet } from '../test/real/fleet.ts';

const hostCount = 5;
/** Long enough for six of the agent's full checks. */
const idleMs = 60_000;
/** USER_HZ of Linux, by which /proc counts. */
const ticksPerSecond = 100;
const mib = 1024 * 1024;
const components = [
  'chrony',
  'cni-plugins',
  'containerd',
  'journald',
  'logrotate',
  'node-exporter',
  'open-iscsi',
  'rsyslog',
  'runc',
  'sysctl',
];

export async function agentOnHosts(): Promise<Report[]> {
  const fleet = await startFleet({ plane: 'embedded', hosts: hostCount, kubelet: true, components });
  try {
    await fleet.applyComponents();
    const { seconds: imported } = await timed(async () => {
      for (const host of fleet.lab.hosts) await fleet.import(host);
      await fleet.untilReady(fleet.lab.hosts, components.length);
    });
    return [
      figures(`${hostCount} hosts with ${components.length} components`, [
        { what: `ssh to Ready`, value: imported, unit: 's' },
        ...(await idle(fleet)),
        ...(await size(fleet)),
        ...(await change(fleet)),
      ]),
    ];
  } finally {
    await fleet.close();
  }
}

async function idle(fleet: Fleet): Promise<Figure[]> {
  const [host] = fleet.lab.hosts;
  if (host === undefined) throw new Error('no host');
  const pid = await mainPid(host);
  const before = await agentTicks(host, pid);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const after = await agentTicks(host, pid);
  const share = (ticks: number): number => (ticks / ticksPerSecond / (idleMs / 1000)) * 100;
  const agent = memory((await host.exec(['cat', `/proc/${pid}/status`])).stdout);
  const operator = memory(await readFile(`/proc/${fleet.operator.pid}/status`, 'utf8'));
  return [
    { what: 'agent, idle: resident', value: agent.resident, unit: 'MiB', goal: 64 },
    { what: 'agent, idle: of it anonymous', value: agent.anonymous, unit: 'MiB', goal: 20 },
    { what: 'agent, idle: CPU', value: share(after.own - before.own), unit: '% of a core', goal: 0.3 },
    {
      what: "CPU of the components' own probe commands, idle",
      value: share(after.children - before.children),
      unit: '% of a core',
    },
    { what: 'operator: resident', value: operator.resident, unit: 'MiB' },
  ];
}

async function size(fleet: Fleet): Promise<Figure[]> {
  const { items } = await fleet.client.list(Machine);
  const largest = Math.max(...items.map((machine) => Buffer.byteLength(JSON.stringify(machine))));
  return [
    {
      what: `a Machine with ${components.length} components, managedFields included`,
      value: largest,
      unit: 'bytes',
      goal: 8192,
    },
  ];
}

/** Moves node-exporter to its other revision, counting each write of a Machine as the watch tells it. */
async function change(fleet: Fleet): Promise<Figure[]> {
  const stop = new AbortController();
  const writes = new Map<string, number>();
  const counting = (async () => {
    for await (const event of fleet.client.watch(Machine, { signal: stop.signal })) {
      if (event.type === 'MODIFIED')
        writes.set(event.object.metadata.name ?? '', (writes.get(event.object.metadata.name ?? '') ?? 0) + 1);
    }
  })();
  const other =
    fleet.supply.examples.components.findLast(({ spec }) => spec.component === 'node-exporter')?.metadata
      .name ?? '';
  const { seconds: took } = await timed(async () => {
    await fleet.client.patch(MachineComponentSet, 'node-exporter', {
      type: 'merge',
      body: { spec: { revision: other, rollout: { batches: ['100%'], maxUnavailable: '100%' } } },
    });
    await fleet.until(
      `node-exporter at ${other} everywhere`,
      async () => {
        const set = await fleet.client.get(MachineComponentSet, 'node-exporter');
        return set?.status?.currentRevision === other && set.status.ready === hostCount;
      },
      180_000,
    );
  });
  stop.abort();
  await counting;
  return [
    { what: `set changed to last of ${hostCount} machines Ready`, value: took, unit: 's' },
    {
      what: 'writes of a Machine for one change, the most',
      value: Math.max(...writes.values()),
      unit: '',
      goal: 4,
    },
  ];
}

async function mainPid(host: LabHost): Promise<string> {
  return (await host.exec(['systemctl', 'show', '-P', 'MainPID', 'kubenode-agent.service'])).stdout.trim();
}

/** utime and stime of the agent, and of the commands that it waited for: what probes run costs the same whoever asks. */
async function agentTicks(host: LabHost, pid: string): Promise<{ own: number; children: number }> {
  const stat = (await host.exec(['cat', `/proc/${pid}/stat`])).stdout;
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return { own: user + system, children: childUser + childSystem };
}

function memory(status: string): { resident: number; anonymous: number } {
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024) / mib;
  return { resident: field('VmRSS'), anonymous: field('RssAnon') };
}
