/** The same conversations with the embedded API server and with the real kube-apiserver: what differs is a failure. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { differences, normalize } from './compare.ts';
import type { Answer, Conversation } from './conversation.ts';
import { conversations } from './conversations/index.ts';
import { converse } from './exchange.ts';
import { type Pair, startPair } from './servers.ts';

let pair: Pair;
before(async () => {
  pair = await startPair();
});
after(async () => {
  await pair?.stop();
});

let sent = 0;
let compared = 0;

for (const conversation of conversations) {
  test(`${conversation.name} (${conversation.steps.length} requests)`, async () => {
    const [embedded, real] = await Promise.all([
      converse(pair.embedded, conversation),
      converse(pair.real, conversation),
    ]);
    sent += conversation.steps.length;
    compared += conversation.steps.filter((step) => !step.uncompared).length;
    const found = compare(conversation, embedded, real);
    assert.equal(found.length, 0, `\n${found.join('\n')}\n${found.length} differences`);
  });
}

test('the suite asks enough', (t) => {
  t.diagnostic(`${sent} requests to each server, ${compared} answers compared`);
  assert.ok(compared >= 400, `only ${compared} answers were compared`);
});

function compare(
  conversation: Conversation,
  embedded: ReadonlyMap<string, Answer>,
  real: ReadonlyMap<string, Answer>,
): string[] {
  return conversation.steps
    .filter((step) => !step.uncompared)
    .flatMap((step) => {
      const ours = embedded.get(step.name);
      const theirs = real.get(step.name);
      const found = differences(
        { status: ours?.status, warnings: ours?.warnings, body: normalize(ours?.body) },
        { status: theirs?.status, warnings: theirs?.warnings, body: normalize(theirs?.body) },
        Object.keys({ ...conversation.mayDiffer, ...step.mayDiffer }).flatMap((path) => [
          path,
          `body.${path}`,
          `body.*.object.${path}`,
        ]),
      );
      return found.map(
        ({ path, embedded, real }) =>
          `${step.name}: ${path}\n    embedded ${show(embedded)}\n    real     ${show(real)}`,
      );
    });
}

function show(value: unknown): string {
  return value === undefined ? '(nothing)' : JSON.stringify(value).slice(0, 300);
}
