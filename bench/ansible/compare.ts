/** The same content on ten real hosts by Ansible and by KubeNode: what it costs on the hosts and in the centre, and how long it takes. */
import { type Report, short } from '../report.ts';
import { byAnsible } from './ansible.ts';
import { byKubeNode } from './kubenode.ts';
import type { Cost, Costs } from './measures.ts';

const hostCount = 10;

/** KubeNode's part of Ansible's figure that is aimed at; undefined: none. */
const goals: Readonly<Record<keyof Costs, { readonly wall?: number; readonly hosts?: number }>> = {
  prepare: {},
  first: { wall: 1 / 5, hosts: 1 / 10 },
  nothing: { hosts: 1 / 50 },
  change: { wall: 1 / 5, hosts: 1 / 10 },
};
const titles: Readonly<Record<keyof Costs, string>> = {
  prepare: 'new host made ready',
  first: 'first time',
  nothing: 'nothing to do',
  change: 'one file changed',
};
const measures: readonly (readonly [keyof Cost, string])[] = [
  ['wall', 'wall, s'],
  ['hosts', 'CPU on the hosts, s'],
  ['centre', 'CPU in the centre, s'],
];

export async function compareWithAnsible(progress: (line: string) => void): Promise<Report[]> {
  const ansible = await byAnsible(hostCount, progress);
  const kubenode = await byKubeNode(hostCount, ansible.nothing.wall, progress);
  const rows: string[][] = [];
  const missed: string[] = [];
  for (const run of ['prepare', 'first', 'nothing', 'change'] as const) {
    for (const [measure, label] of measures) {
      // Ansible's centre takes no part in installing Python, and KubeNode needs no time to find nothing to do.
      if (run === 'prepare' && measure === 'centre') continue;
      if (run === 'nothing' && measure === 'wall') continue;
      const [a, k] = [ansible[run][measure], kubenode[run][measure]];
      const goal = measure === 'centre' ? undefined : goals[run][measure];
      const ratio = k / a;
      rows.push([
        `${titles[run]}: ${label}`,
        short(a),
        short(k),
        short(ratio),
        goal === undefined ? '' : short(goal),
      ]);
      if (goal !== undefined && ratio > goal)
        missed.push(`${titles[run]}, ${label}: ${short(ratio)} of Ansible's, the goal is ${short(goal)}`);
    }
  }
  const above = ({ first }: Costs): number => first.hosts - kubenode.bare;
  const at = rows.findIndex(([what]) => what?.startsWith(titles.nothing));
  rows.splice(at, 0, [
    'first time: CPU on the hosts above the bare commands, s',
    short(above(ansible)),
    short(above(kubenode)),
    short(above(kubenode) / above(ansible)),
    '',
  ]);
  return [
    {
      title: `${hostCount} new hosts: an archive with a unit and a health request, two packages, three files (hosts together)`,
      head: ['what', 'Ansible', 'KubeNode', 'KubeNode / Ansible', 'goal'],
      rows,
      missed,
      notes: [
        'Made ready: python3 and python3-apt by apt, or the agent by ssh. First time: both install the packages with dpkg, from one file server.',
        `The bare commands (curl, tar, dpkg, systemctl), run on one more host and times ${hostCount}: ${short(kubenode.bare)} s of CPU, which no tool can save.`,
        `Nothing to do: one run of the playbook (${short(ansible.nothing.wall)} s), and all that agents, API server and operator spend in as long a time, a full`,
        'check of every file, package and unit each 10 s and every probe included. A change is seen by itself, so there is no wall time to compare.',
        'Until: Ansible, the playbook ends with the health request answered; KubeNode, every set and machine is Ready by its probes.',
      ],
    },
  ];
}
