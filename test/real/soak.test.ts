import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak.ts';

const rounds = 10;

test(`${rounds} imports with agent and operator killed at random moments end like one that was left alone`, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}: npm run soak -- ${rounds} ${seed} runs the same again`);
  assert.deepEqual(await soak(rounds, seed, (line) => t.diagnostic(line)), []);
});
