/**
 * npm run bench: what KubeNode costs, with ten components on five real hosts, beside the goal or the limit of each figure. Absolute times say
 * little on a machine that is shared; sizes and counts do. Needs root and Go, like npm run test:real.
 */
import { readFile } from 'node:fs/promises';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import type { LabHost } from '@kubenode/lab';
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

interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
}

const fleet = await startFleet({ plane: 'embedded', hosts: hostCount, kubelet: true, components });
try {
  await fleet.applyComponents();
  const imported = await seconds(async () => {
    for (const host of fleet.lab.hosts) await fleet.import(host);
    await fleet.untilReady(fleet.lab.hosts, components.length);
  });
  const rows: Row[] = [
    {
      what: `${hostCount} hosts, ssh to Ready with ${components.length} components`,
      value: imported,
      unit: 's',
      goal: '',
    },
    ...(await idle(fleet)),
    ...(await size(fleet)),
    ...(await change(fleet)),
  ];
  print(rows);
} finally {
  await fleet.close();
}

async function idle(fleet: Fleet): Promise<Row[]> {
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
    { what: 'agent, idle: resident', value: agent.resident, unit: 'MiB', goal: '64' },
    { what: 'agent, idle: of it anonymous', value: agent.anonymous, unit: 'MiB', goal: '20' },
    { what: 'agent, idle: CPU', value: share(after.own - before.own), unit: '% of a core', goal: '0.3' },
    {
      what: "CPU of the components' own probe commands, idle",
      value: share(after.children - before.children),
      unit: '% of a core',
      goal: '',
    },
    { what: 'operator: resident', value: operator.resident, unit: 'MiB', goal: '' },
  ];
}

async function size(fleet: Fleet): Promise<Row[]> {
  const { items } = await fleet.client.list(Machine);
  const largest = Math.max(...items.map((machine) => Buffer.byteLength(JSON.stringify(machine))));
  return [
    {
      what: `a Machine with ${components.length} components, managedFields included`,
      value: largest,
      unit: 'bytes',
      goal: '8192',
    },
  ];
}

/** Moves node-exporter to its other revision, counting each write of a Machine as the watch tells it. */
async function change(fleet: Fleet): Promise<Row[]> {
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
  const took = await seconds(async () => {
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
    { what: `set changed to last of ${hostCount} machines Ready`, value: took, unit: 's', goal: '' },
    {
      what: 'writes of a Machine for one change, the most',
      value: Math.max(...writes.values()),
      unit: '',
      goal: '4',
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

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function print(rows: readonly Row[]): void {
  const shown = rows.map(({ what, value, unit, goal }) => [
    what,
    `${Number.isInteger(value) ? value : value.toPrecision(3)}${unit ? ` ${unit}` : ''}`,
    goal,
    goal === '' ? '' : `${(value / Number(goal)).toFixed(2)} of the goal`,
  ]);
  const head = ['what', 'seen', 'goal', ''];
  const widths = head.map((title, i) => Math.max(title.length, ...shown.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, widths.map((width) => '-'.repeat(width)), ...shown])
    console.log(
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
