/**
 * npm run crash-matrix: every cell, or those of `--artifact KIND` and `--disturbance kill|power`, or of each act the cells K, K + N, K + 2N, ... by
 * `--one-in N --from K`; `--hosts N` side by side.
 */
import { parseArgs } from 'node:util';
import { missingForHosts } from '@kubenode/lab';
import { failures, nameOf, table, uncovered } from './cells.ts';
import { artifactKinds } from './components.ts';
import { runMatrix } from './matrix.ts';

const { values } = parseArgs({
  options: {
    artifact: { type: 'string', multiple: true },
    disturbance: { type: 'string', multiple: true },
    'one-in': { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    hosts: { type: 'string', default: '3' },
  },
});
const lacks = await missingForHosts();
if (lacks.length > 0) {
  console.log(`Nothing was run: this machine cannot boot real hosts.\n${lacks.join('\n')}`);
  process.exit(1);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const begun = Date.now();
const { results, cells, broken } = await runMatrix({
  artifacts: artifactKinds.filter((kind) => values.artifact?.includes(kind) ?? true),
  disturbances: (['kill', 'power'] as const).filter((way) => values.disturbance?.includes(way) ?? true),
  hosts: Number(values.hosts),
  choose: (cells) => cells.filter((_, i) => i % Number(values['one-in']) === Number(values.from)),
  signal: stop.signal,
  progress: (line) => console.log(`${((Date.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${line}`),
});
const failed = failures(results);
for (const result of failed) console.log(`\n${nameOf(result)}\n${result.failure}`);
console.log(`\n${table(results)}`);
for (const why of broken) console.log(`\nWithout cells: ${why}`);
const missing = uncovered(cells);
if (missing.length > 0) console.log(`\nSteps that no cell disturbs: ${missing.join(', ')}`);
if (results.length < cells.length) console.log(`\nNot all cells were run: ${cells.length} were found.`);
console.log(
  `\n${results.length} cells, ${failed.length} failures, ${((Date.now() - begun) / 1000).toFixed(0)} s`,
);
process.exit(failed.length + broken.length + missing.length > 0 ? 1 : 0);
