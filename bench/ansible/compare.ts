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
/** Of what Ansible costs above the bare commands, which are a quarter of its CPU and a fifth of its time by themselves. */
const aboveBareGoals = { wall: 1 / 5, hosts: 1 / 10 };
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
  const add = (what: string, bare: string, [a, k]: readonly [number, number], goal?: number): void => {
    const ratio = k / a;
    rows.push([what, bare, short(a), short(k), short(ratio), goal === undefined ? '' : short(goal)]);
    if (goal !== undefined && ratio > goal)
      missed.push(`${what}: KubeNode / Ansible is ${short(ratio)}, the goal is ${short(goal)}`);
  };
  for (const run of ['prepare', 'first', 'nothing', 'change'] as const) {
    for (const [measure, label] of measures) {
      // Ansible's centre takes no part in installing Python, and KubeNode needs no time to find nothing to do.
      if (run === 'prepare' && measure === 'centre') continue;
      if (run === 'nothing' && measure === 'wall') continue;
      const both = [ansible[run][measure], kubenode[run][measure]] as const;
      if (run !== 'first' || measure === 'centre') {
        add(`${titles[run]}: ${label}`, '', both, measure === 'centre' ? undefined : goals[run][measure]);
        continue;
      }
      const bare = kubenode.bare[measure];
      add(`${titles[run]}: ${label}`, short(bare), both, goals[run][measure]);
      const above = [both[0] - bare, both[1] - bare] as const;
      add(`${titles[run]}: ${label}, above the bare commands`, '', above, aboveBareGoals[measure]);
    }
  }
  return [
    {
      title: `${hostCount} new hosts: an archive with a unit and a health request, two packages, three files (hosts together)`,
      head: ['what', 'bare', 'Ansible', 'KubeNode', 'KubeNode / Ansible', 'goal'],
      rows,
      missed,
      notes: [
        'Made ready: python3 and python3-apt by apt, or the agent by ssh. First time: both install the packages with dpkg, from one file server.',
        `Bare: curl, sha256sum, tar, dpkg and systemctl alone, on as many hosts at once. No tool can save that: it is ${short(kubenode.bare.hosts / ansible.first.hosts)} of Ansible's CPU there, and ${short(kubenode.bare.wall / ansible.first.wall)} of its time.`,
        `Nothing to do: one run of the playbook (${short(ansible.nothing.wall)} s), and all that agents, API server and operator spend in as long a time, a full`,
        'check of every file, package and unit each 10 s and every probe included. A change is seen by itself, so there is no wall time to compare.',
        'Until: Ansible, the playbook ends with the health request answered; KubeNode, every set and machine is Ready by its probes.',
      ],
    },
  ];
}
