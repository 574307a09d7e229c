import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cell, failures, nameOf, table } from './crash-matrix/cells.ts';
import { artifactKinds } from './crash-matrix/components.ts';
import { runMatrix } from './crash-matrix/matrix.ts';

/** Of the cells with a power loss, one in so many is run. */
const oneIn = 6;

/** Another kind of artifact each day, and other power losses: in a month every cell was run. */
const day = Math.floor(Date.now() / 86_400_000);
const artifact = artifactKinds[day % artifactKinds.length] ?? 'archive';
const offset = Math.floor(day / artifactKinds.length) % oneIn;

function choose(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter(({ disturbance }, i) => disturbance === 'kill' || i % oneIn === offset);
}

test(`the part of the crash matrix whose turn it is, ${artifact}: all ends as undisturbed`, async (t) => {
  t.diagnostic('npm run crash-matrix runs every cell');
  const { results, cells, broken } = await runMatrix({
    artifacts: [artifact],
    disturbances: ['kill', 'power'],
    hosts: 2,
    choose,
    progress: (line) => t.diagnostic(line),
  });
  t.diagnostic(`${results.length} of ${cells.length} cells, power losses ${offset} + n * ${oneIn}`);
  t.diagnostic(`\n${table(results)}`);
  assert.deepEqual(
    failures(results).map((result) => `${nameOf(result)}: ${result.failure}`),
    [],
  );
  assert.deepEqual(broken, []);
  assert.ok(results.length > 50, 'there are cells');
});
