/** Planner and operator with simulated machines: the cost of a report, of the next batch, and of keeping a machine in memory. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Figure, figures, type Report, short } from '../report.ts';
import type { CoreFigures } from './core.ts';
import { measureRollout } from './rollout.ts';

const sizes = [1000, 10_000, 100_000] as const;
/** The most that a report may cost in the largest fleet, of what it costs in the smallest. */
const sameWithin = 1.5;
const kib = 1024;

export async function planner(progress: (line: string) => void): Promise<Report[]> {
  const core: CoreFigures[] = [];
  for (const size of sizes) {
    progress(`The planner with ${size} machines ...`);
    core.push(await coreOf(size));
  }
  const small = await measureRollout('embedded', 1000, 50, progress);
  const large = await measureRollout('embedded', 10_000, 100, progress);
  const real = await measureRollout('kubernetes', 10_000, 100, progress);
  const perMachine = (large.operatorBytes - small.operatorBytes) / (large.machines - small.machines) / kib;
  const batch = ({ machines, nextBatch }: typeof small, api: string): Figure[] => [
    {
      what: `${machines} machines, ${api}: last report of a batch to next batch written, median`,
      value: nextBatch.median / 1000,
      unit: 's',
    },
    { what: '  the same, 99 of 100', value: nextBatch.p99 / 1000, unit: 's', goal: 1 },
  ];
  return [
    costOfReport(core),
    figures('The operator, batches of 10, agents simulated, Leases renewed each minute', [
      ...batch(small, 'embedded API server'),
      ...batch(large, 'embedded API server'),
      ...batch(real, 'kube-apiserver and etcd'),
      {
        what: 'writes of a Machine for each machine moved, agents, assigner and Machine controller',
        value: large.writesPerMachine,
        unit: '',
        goal: 4,
      },
      {
        what: 'operator, anonymous memory, 10000 machines',
        value: large.operatorBytes / kib / kib,
        unit: 'MiB',
      },
      { what: 'for each machine more', value: perMachine, unit: 'KiB' },
    ]),
  ];
}

async function coreOf(size: number): Promise<CoreFigures> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    '--max-old-space-size=8192',
    join(import.meta.dirname, 'core.ts'),
    String(size),
  ]);
  return JSON.parse(stdout) as CoreFigures;
}

function costOfReport(core: readonly CoreFigures[]): Report {
  const [smallest, largest] = [core[0], core.at(-1)];
  if (smallest === undefined || largest === undefined) throw new Error('nothing was measured');
  const row = (what: string, value: (of: CoreFigures) => number, goal = ''): string[] => [
    what,
    ...core.map((of) => short(value(of))),
    short(value(largest) / value(smallest)),
    goal,
  ];
  const within = short(sameWithin);
  const kept = [
    ['report of one machine, fleet at rest', (of: CoreFigures) => of.report.median] as const,
    [
      'report of one machine, a tenth of the fleet under way',
      (of: CoreFigures) => of.batchReport.median,
    ] as const,
    ['last report of a batch of ten, and the next ten', (of: CoreFigures) => of.nextBatch.median] as const,
  ];
  return {
    title: `The planner alone, ten components a machine (microseconds, median of many)`,
    head: ['what', ...sizes.map((size) => `${size} machines`), 'largest / smallest', 'goal'],
    rows: [
      ...kept.map(([what, value]) => row(what, value, within)),
      row('99 of 100: report, a tenth under way', (of) => of.batchReport.p99),
      row('peer: a planner that looks at all machines', (of) => of.naive.median),
      row('peer / ours', (of) => of.naive.median / of.batchReport.median),
      row('memory of a machine in the planner, KiB', (of) => of.plannerBytes / kib),
      row('peer: the parsed object, KiB', (of) => of.objectBytes / kib),
    ],
    notes: [
      'The peer is the plainest loop over all machines of one set; ours does the whole plan with ten sets.',
    ],
    missed: kept.flatMap(([what, value]) => {
      const ratio = value(largest) / value(smallest);
      return ratio <= sameWithin
        ? []
        : [`${what}: ${short(ratio)} times as much with 100 times the machines, the goal is ${within}`];
    }),
  };
}
