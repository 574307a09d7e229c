import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './config.ts';

test('a configuration names the machine; the rest has defaults', () => {
  assert.deepEqual(parseConfig('{"machine": "n1"}', 'f'), {
    machine: 'n1',
    root: '',
    stateDir: '/var/lib/kubenode',
  });
});

test('a misspelt or wrong field is named', () => {
  assert.throws(
    () => parseConfig('{"machine": "n1", "servr": "x"}', 'f.json'),
    /f.json has the unknown field servr: known are/,
  );
  assert.throws(() => parseConfig('{"machine": 1}', 'f.json'), /f.json field machine must be a string/);
  assert.throws(() => parseConfig('{}', 'f.json'), /field machine must name the Machine/);
  assert.throws(() => parseConfig('{', 'f.json'), /f.json is no JSON/);
});
