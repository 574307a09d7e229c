/**
 * npm run bench [-- PART...]: what KubeNode costs, each figure beside its goal or a peer measured in the same run. Absolute times say little
 * on a machine that is shared; ratios, sizes and counts do. Parts with real hosts need root and Go, like npm run test:real.
 */
import { availableParallelism, loadavg } from 'node:os';
import { agentOnHosts } from './agent.ts';
import { compareWithAnsible } from './ansible/compare.ts';
import { drift } from './drift.ts';
import { planner } from './planner/planner.ts';
import { print, type Report, short, timed } from './report.ts';

type Part = (progress: (line: string) => void) => Promise<Report[]>;

const parts: Readonly<Record<string, Part>> = {
  agent: agentOnHosts,
  ansible: compareWithAnsible,
  planner,
  drift,
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
const missed: string[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const load = loadavg().map(short).join(' ');
  const { result: reports, seconds } = await timed(() =>
    part((line) => process.stderr.write(`    ${line}\n`)),
  );
  for (const report of reports) {
    print(report);
    missed.push(...report.missed);
  }
  console.log(
    `\n${name}: ${Math.round(seconds)} s, on ${availableParallelism()} cores with a load of ${load} before (others' work, if any).`,
  );
}
console.log(missed.length === 0 ? '\nEvery goal was reached.' : `\nMissed:\n- ${missed.join('\n- ')}`);
