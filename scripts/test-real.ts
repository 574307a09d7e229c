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

const files =
  process.argv.length > 2
    ? process.argv.slice(2)
    : globSync('test/{differential,real}/*.test.ts', { cwd: root }).toSorted();
const failed = await runSteps(
  files.map((file) => ({
    name: file,
    live: true,
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      '--test',
      '--test-reporter=./scripts/summary.ts',
      '--test-timeout=1200000',
      file,
    ],
  })),
);
if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}.`);
process.exit(failed.length > 0 ? 1 : 0);
