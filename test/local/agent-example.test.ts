import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MachineComponent } from '@kubenode/api';
import { parseAllDocuments } from 'yaml';
import { agentExecutable } from '../../packages/agent/src/selfupgrade/own.ts';
import { hostPaths } from '../../packages/machine/src/machineimport/host.ts';
import { agentUnit } from '../../packages/machine/src/machineimport/install.ts';

const example = join(import.meta.dirname, '../../examples/agent/kubenode-agent.yaml');

test('the example of the agent as a component is what import and join put on a host, so it is adopted', async () => {
  const [document] = parseAllDocuments(await readFile(example, 'utf8'));
  assert.ok(document);
  const { spec } = document.toJS() as MachineComponent;
  const paths = hostPaths();
  assert.equal(spec.unit?.content, agentUnit(paths));
  assert.equal(spec.unit?.name, paths.unit.split('/').at(-1));
  assert.equal(agentExecutable, `${paths.current}/kubenode-agent`);
  for (const { file } of spec.artifacts ?? []) assert.equal(file?.path, agentExecutable);
});
