/** npm run test:real: what needs root, hosts and Go. Arguments name files to run instead of all, such as test/real/drift.test.ts. */
import { globSync } from 'node:fs';
import { ensureKubernetesBinaries, missingForBuilds, missingForHosts } from '@kubenode/lab';
import { root, runSteps } from './run.ts';

const lacks = [...(await missingForHosts()), ...(await missingForBuilds())];
if (lacks.length > 0) {
  console.log(
    `Nothing was run: this machine cannot boot real hosts or build Kubernetes.\n${lacks.map((lack) => `  ${lack}`).join('\n')}`,
  );
  process.exit(1);
}
// Before the clock of any test runs.
await ensureKubernetesBinaries((line) => console.log(`- ${line}`));

/** The longest, and what needs quiet least: it begins first, so that no other waits for it at the end. */
const first = 'test/real/away.test.ts';
/** Most of the time stories wait for hosts; more of them side by side than cores would find deadlines too short. */
const atOnce = 2;
const named = process.argv.slice(2);
const all = globSync('test/{differential,real}/*.test.ts', { cwd: root }).toSorted();
const files = named.length > 0 ? named : [first, ...all.filter((file) => file !== first)];
const failed = await runSteps(
  files.map((file) => ({
    name: file,
    output: files.length === 1 ? 'live' : 'after',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      '--test',
      '--test-reporter=./scripts/summary.ts',
      '--test-timeout=1200000',
      file,
    ],
  })),
  atOnce,
);
if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}.`);
process.exit(failed.length > 0 ? 1 : 0);
