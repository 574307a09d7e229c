/** npm test: what needs neither root nor Go. Arguments go to the test runner, such as --test-name-pattern=drift. */
import { checks } from './checks.ts';
import { runSteps } from './run.ts';

const failed = await runSteps([
  ...checks,
  {
    name: 'tests',
    output: 'live',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      '--test',
      '--test-reporter=./scripts/summary.ts',
      '--test-timeout=120000',
      // The longest files wait for processes most of their time; Node's own choice on two cores is one file at a time.
      '--test-concurrency=3',
      ...process.argv.slice(2),
      'packages/**/*.test.ts',
      'lab/**/*.test.ts',
      'test/local/**/*.test.ts',
    ],
  },
]);
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(', ')}.`);
  process.exit(1);
}
console.log(`
All passed. As root, \`npm run test:real\` adds what this one cannot show: real systemd hosts, the real kube-apiserver, etcd,
controller manager and kubelet (built on first use), ten real components imported, broken and repaired.`);
