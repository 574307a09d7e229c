/**
 * Random operations of server-side apply, merge patches and replacements, sent to both servers alike: each answer and what it makes of
 * ownership must be the same. A failure names the seed and the operation; DIFFERENTIAL_SEED and DIFFERENTIAL_OPERATIONS run it again.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type RandomOperation, randomOperations } from '@kubenode/standalone';
import { differences, isObject, normalize } from './compare.ts';
import { type Answer, patchTypes } from './conversation.ts';
import { connect, type Link, settle } from './exchange.ts';
import { startPair } from './servers.ts';

const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['DIFFERENTIAL_OPERATIONS'] ?? 2_000);
/** Objects that are worked on at a time. */
const width = 4;
const machines = '/apis/kubenode.io/v1alpha1/machines';
const crd = new URL('../../packages/standalone/src/apply/testdata/crd.json', import.meta.url);

test(`${count} random operations of apply, seed ${seed}`, async (t) => {
  const pair = await startPair();
  const links = [connect(pair.embedded), connect(pair.real)] as const;
  t.after(async () => {
    for (const link of links) link.close();
    await pair.stop();
  });
  await Promise.all(links.map(define));
  const runs = [...Map.groupBy(randomOperations(seed, count), (operation) => operation.name).values()];
  const wrong: string[] = [];
  let sent = 0;
  const worker = async () => {
    for (let run = runs.shift(); run && wrong.length === 0; run = runs.shift()) {
      const outcome = await compareRun(links, run);
      sent += outcome.sent;
      wrong.push(...outcome.found);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  assert.deepEqual(wrong, [], `seed ${seed}:\n${wrong.join('\n')}`);
  t.diagnostic(`seed ${seed}: ${sent} of ${count} operations sent to each server, all answered alike`);
  assert.ok(sent > count * 0.9, `only ${sent} operations had an object to work on`);
});

async function define(link: Link): Promise<void> {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const created = await link.send({
    name: 'define',
    method: 'POST',
    path: definitions,
    body: readFileSync(crd, 'utf8'),
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const served = await settle(link, {
    name: 'wait',
    path: machines,
    until: (answer) => answer.status === 200,
  });
  assert.equal(served.status, 200, `${link.name} does not serve the kind`);
}

/** Sends the operations on one object, in order, and stops at the first that is answered differently. */
async function compareRun(
  links: readonly [Link, Link],
  run: readonly RandomOperation[],
): Promise<{ sent: number; found: string[] }> {
  const live: [Answer | undefined, Answer | undefined] = [undefined, undefined];
  let sent = 0;
  for (const [i, operation] of run.entries()) {
    const [embedded, real] = await Promise.all([
      perform(links[0], operation, live[0]),
      perform(links[1], operation, live[1]),
    ]);
    if (!embedded || !real) continue;
    sent++;
    const found = differences(told(embedded, live[0], false), told(real, live[1], true), []);
    if (found.length > 0) {
      const what = `operation ${i} on ${operation.name}: ${JSON.stringify(operation)}`;
      return { sent, found: [what, ...found.map((difference) => JSON.stringify(difference))] };
    }
    if (embedded.status < 300) {
      live[0] = embedded;
      live[1] = real;
    }
  }
  return { sent, found: [] };
}

/**
 * The answer, and whether it was written. The real server alone may write a change of nothing: it does where its stored bytes are not what it
 * would encode now (a few of thousands).
 */
function told(answer: Answer, before: Answer | undefined, isReal: boolean): unknown {
  const body = normalize(answer.body);
  const isChange = !isDeepStrictEqual(body, normalize(before?.body));
  const isNew = version(answer) !== (before && version(before));
  const written = answer.status < 300 && isNew && (isChange || !isReal);
  return { status: answer.status, written, body };
}

function version(answer: Answer): unknown {
  return metadata(answer)['resourceVersion'];
}

function metadata(answer: Answer): Record<string, unknown> {
  return isObject(answer.body) && isObject(answer.body['metadata']) ? answer.body['metadata'] : {};
}

/** Undefined where the operation needs an object and there is none yet. */
async function perform(
  link: Link,
  operation: RandomOperation,
  live: Answer | undefined,
): Promise<Answer | undefined> {
  const { verb, name, manager, force, subresource, body, dropManagedFields } = operation;
  const query = `fieldManager=${manager}${verb === 'apply' && force ? '&force=true' : ''}`;
  const path = `${machines}/${name}${subresource ? `/${subresource}` : ''}?${query}`;
  if (verb === 'apply') return link.send({ name, method: 'PATCH', type: patchTypes.apply, path, body });
  if (!live || !isObject(live.body)) return undefined;
  if (verb === 'merge') return link.send({ name, method: 'PATCH', type: patchTypes.merge, path, body });
  const { managedFields, ...kept } = metadata(live);
  const whole = {
    ...live.body,
    metadata: { ...kept, ...(!dropManagedFields && { managedFields }) },
    ...body,
  };
  return link.send({ name, method: 'PUT', path, body: whole });
}
