/**
 * The stories in stories/: what is given, what happens, and under it what is decided, word by word. After a change of the planner
 * `KUBENODE_WRITE_STORIES=1 node --test packages/machine/src/rollout/stories.test.ts` writes them anew: read the difference as a person
 * would who has to act on it, before it is committed.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tell } from '../testing/sentences.ts';

const folder = join(import.meta.dirname, 'stories');
const files = readdirSync(folder).filter((file) => file.endsWith('.story'));

describe('stories', () => {
  test('are as many as the planner has sides', () =>
    assert.ok(files.length >= 40, `${files.length} stories`));
  for (const file of files) {
    test(file.replace('.story', '').replaceAll('-', ' '), () => {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      const told = tell(text);
      if (process.env['KUBENODE_WRITE_STORIES'] === '1') writeFileSync(path, told);
      else assert.equal(told, text);
    });
  }
});
