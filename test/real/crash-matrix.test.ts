import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cell, failures, nameOf, table } from './crash-matrix/cells.ts';
import { runMatrix } from './crash-matrix/matrix.ts';

/** The one with the most steps: it waits for leave and reboots, too. */
const artifact = 'reboot';
/** Of the cells with a power loss, one in so many is run. */
const oneIn = 12;

function choose(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter(({ disturbance }, i) => disturbance === 'kill' || i % oneIn === 0);
}

test(`a part of the crash matrix, ${artifact}: all ends as undisturbed`, async (t) => {
  t.diagnostic('npm run crash-matrix runs every cell');
  const { results, cells, broken } = await runMatrix({
    artifacts: [artifact],
    disturbances: ['kill', 'power'],
    hosts: 2,
    choose,
    progress: (line) => t.diagnostic(line),
  });
  t.diagnostic(`${results.length} of ${cells.length} cells, of the power losses one in ${oneIn}`);
  t.diagnostic(`\n${table(results)}`);
  assert.deepEqual(
    failures(results).map((result) => `${nameOf(result)}: ${result.failure}`),
    [],
  );
  assert.deepEqual(broken, []);
  assert.ok(results.length > 50, 'there are cells');
});
