import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type Inspection, systemNamespace } from '@kubenode/api';
import { type FakeClock, fakeClock, jsonLogger, Secret } from '@kubenode/runtime';
import { memoryClient } from '../../../runtime/src/testing/memory-client.ts';
import { makeInspections } from './asking.ts';
import type { InspectedBatch, Inspections, Verdict } from './inspections.ts';

interface World {
  readonly clock: FakeClock;
  readonly inspections: Inspections;
  readonly client: ReturnType<typeof memoryClient>;
  /** Path and bearer token of each question. */
  readonly asked: string[];
  /** What the checker answers, by path. */
  readonly answers: Map<string, { status: number; body?: string } | 'silence'>;
  /** Sets that were told of. */
  readonly told: string[];
  readonly log: string[];
  readonly most: () => number;
  readonly address: string;
  web(name: string, more?: Partial<Inspection>): Inspection;
  batch(more?: Partial<InspectedBatch>): InspectedBatch;
  /** Waits, without moving the clock, until it holds. */
  until(what: string, holds: () => boolean): Promise<void>;
}

async function start(t: TestContext): Promise<World> {
  const asked: string[] = [];
  const answers: World['answers'] = new Map();
  let [now, most] = [0, 0];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
    now += 1;
    most = Math.max(most, now);
    response.on('close', () => (now -= 1));
    const answer = answers.get(request.url?.split('?')[0] ?? '') ?? { status: 200 };
    if (answer !== 'silence') response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = fakeClock();
  const client = memoryClient();
  const log: string[] = [];
  const inspections = makeInspections({
    client,
    clock,
    log: jsonLogger({ level: 'debug', write: (line) => void log.push(line) }),
    random: () => 1,
  });
  const told: string[] = [];
  inspections.onChange((set) => void told.push(set));
  const stop = new AbortController();
  const running = inspections.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    server.closeAllConnections();
    server.close();
  });
  return {
    clock,
    inspections,
    client,
    asked,
    answers,
    told,
    log,
    most: () => most,
    address: url,
    web: (name, more = {}) => ({
      name,
      type: 'Web',
      deadline: '5m',
      web: { url: `${url}/${name}`, method: 'GET' },
      ...more,
    }),
    batch: (more = {}) => ({
      set: 'edge',
      component: 'runc',
      revision: 'runc-2',
      rollout: 'r1',
      number: 1,
      begunAt: clock.now() - 60_000,
      evidenceAfter: clock.now() - 1_000,
      machines: ['n1'],
      ...more,
    }),
    async until(what, holds) {
      for (const end = Date.now() + 5_000; !holds(); ) {
        if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
        await clock.advance(0);
      }
    },
  };
}

const results = (verdicts: ReadonlyMap<string, Verdict>): string[] =>
  [...verdicts].map(([name, { result }]) => `${name} ${result}`).sort();

test('being asked begins the asking; the answer is there at the next call, with the time of the question', async (t) => {
  const { inspections, batch, web, until, told, clock } = await start(t);
  const look = batch();
  const list = [web('smoke'), { name: 'baseline', type: 'BuiltIn', deadline: '5m' } as const];
  const began = clock.now();
  assert.equal(inspections.verdicts(look, list).size, 0);
  await until('told', () => told.length > 0);
  assert.deepEqual(told, ['edge']);
  const verdicts = inspections.verdicts(look, list);
  assert.deepEqual(results(verdicts), ['smoke Passed']);
  assert.equal(verdicts.get('smoke')?.at, began);
});

test('it is asked every few seconds and then more slowly, however often the planner looks; only what is new is told', async (t) => {
  const { inspections, batch, web, until, told, clock, asked, answers } = await start(t);
  const look = batch();
  for (let second = 0; second < 60; second += 1) {
    inspections.verdicts(look, [web('smoke')]);
    await until('answered', () => clock.waiting > 0);
    await clock.advance(1_000);
  }
  assert.ok(asked.length >= 4 && asked.length <= 6, `${asked.length} times`);
  assert.equal(told.length, 1);
  answers.set('/smoke', { status: 409 });
  await clock.advance(60_000);
  await until('told', () => told.length === 2);
  assert.deepEqual(results(inspections.verdicts(look, [web('smoke')])), ['smoke Failed']);
});

test('what tells nothing is asked again, slower and slower, and then is told once it does', async (t) => {
  const { inspections, batch, web, until, told, clock, asked, answers } = await start(t);
  answers.set('/smoke', { status: 503 });
  const look = batch();
  inspections.verdicts(look, [web('smoke')]);
  const pauses: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    await until('answered', () => clock.waiting > 0);
    pauses.push(clock.next ?? 0);
    await clock.advance(clock.next ?? 0);
  }
  assert.deepEqual(pauses, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(told.length, 1);
  answers.delete('/smoke');
  await until('answered', () => clock.waiting > 0);
  await clock.advance(30_000);
  await until('told', () => told.length === 2);
  assert.ok(asked.length <= 10);
});

test('older evidence does not count: a later evidenceAfter, and another batch, ask anew', async (t) => {
  const { inspections, batch, web, until, clock, asked } = await start(t);
  const list = [web('smoke')];
  const look = batch();
  inspections.verdicts(look, list);
  await until('first', () => inspections.verdicts(look, list).size === 1);
  const later = { ...look, evidenceAfter: clock.now() + 2_000 };
  assert.equal(inspections.verdicts(later, list).size, 0);
  await clock.advance(1_999);
  assert.equal(asked.length, 1);
  await clock.advance(1);
  await until('second', () => inspections.verdicts(later, list).size === 1);
  assert.ok((inspections.verdicts(later, list).get('smoke')?.at ?? 0) >= later.evidenceAfter);
  assert.equal(inspections.verdicts({ ...later, number: 2 }, list).size, 0);
  await until('third', () => inspections.verdicts({ ...later, number: 2 }, list).size === 1);
  assert.equal(asked.length, 3);
});

test('an answer to a question that was put before is thrown away', async (t) => {
  const { inspections, batch, web, until, answers, asked } = await start(t);
  answers.set('/smoke', 'silence');
  const list = [web('smoke')];
  const look = batch();
  inspections.verdicts(look, list);
  await until('asked', () => asked.length === 1);
  answers.set('/smoke', { status: 400 });
  const later = { ...look, evidenceAfter: look.evidenceAfter + 1_000 };
  inspections.verdicts(later, list);
  await until('asked anew', () => inspections.verdicts(later, list).size === 1);
  assert.equal(asked.length, 2);
});

test('a number out of bounds counts only when Prometheus must have scraped the machines since', async (t) => {
  const { inspections, batch, until, answers, clock, address } = await start(t);
  const value = { resultType: 'scalar', result: [0, '0'] };
  answers.set('/api/v1/query', { status: 200, body: JSON.stringify({ status: 'success', data: value }) });
  const prometheus = { url: address, query: 'min(up)', min: '1' };
  const list = [{ name: 'up', type: 'Prometheus', deadline: '5m', prometheus } as const];
  const look = batch();
  const found = (): Verdict | undefined => inspections.verdicts(look, list).get('up');
  await until('answered', () => found() !== undefined);
  assert.equal(found()?.result, 'Inconclusive');
  assert.match(found()?.message ?? '', /^0 is below min 1; Prometheus may not have scraped/);
  for (let second = 0; found()?.result !== 'Failed' && second < 120; second += 1) {
    await until('answered', () => clock.waiting > 0);
    await clock.advance(1_000);
  }
  assert.equal(found()?.message, '0 is below min 1');
  assert.ok((found()?.at ?? 0) >= look.evidenceAfter + 60_000);
});

test('a set that is forgotten is asked about no more', async (t) => {
  const { inspections, batch, web, until, clock, asked } = await start(t);
  inspections.verdicts(batch(), [web('smoke')]);
  await until('answered', () => clock.waiting > 0);
  inspections.forget('edge');
  inspections.forget('never seen');
  await clock.advance(600_000);
  assert.equal(asked.length, 1);
});

test('many sets at once: no more than eight questions at a time, and all are asked', async (t) => {
  const { inspections, batch, web, until, told, most } = await start(t);
  for (let i = 0; i < 100; i += 1) inspections.verdicts(batch({ set: `s${i}` }), [web(`smoke-${i}`)]);
  await until('all told', () => told.length === 100);
  assert.ok(most() <= 8, `${most()} at once`);
});

test('the token comes from the Secret in the namespace of the operator, and is shown nowhere', async (t) => {
  const { inspections, batch, web, until, asked, answers, client, log } = await start(t);
  const token = 'open-sesame-1234';
  await client.create(Secret, secret('gate', { token: `${token}\n` }));
  answers.set('/smoke', { status: 400, body: `no: Bearer ${token}\u0007` });
  const list = [web('smoke', { secretName: 'gate' })];
  inspections.verdicts(batch(), list);
  await until('answered', () => inspections.verdicts(batch(), list).size === 1);
  assert.deepEqual(asked, [`/smoke Bearer ${token}`]);
  const { message } = inspections.verdicts(batch(), list).get('smoke') as Verdict;
  assert.match(message, /answers 400: no: Bearer \.\.\.$/);
  assert.ok(log.length > 0 && !log.join('').includes(token));
});

for (const [what, made, says] of [
  ['is not there', undefined, /Secret gate of the namespace kubenode-system does not exist; make it/],
  ['is empty', secret('gate', {}), /holds neither token nor ca\.crt; put one in/],
  ['is of two lines', secret('gate', { token: 'a\nb' }), /a token with spaces, line breaks/],
  [
    'is the token of a ServiceAccount',
    { ...secret('gate', { token: 'a' }), type: 'kubernetes.io/service-account-token' },
    /the token of a ServiceAccount, which goes nowhere/,
  ],
] as const) {
  test(`a Secret that ${what}: Inconclusive, and says what to do`, async (t) => {
    const { inspections, batch, web, until, asked, client } = await start(t);
    if (made !== undefined) await client.create(Secret, made);
    const list = [web('smoke', { secretName: 'gate' })];
    await until('answered', () => inspections.verdicts(batch(), list).size === 1);
    const verdict = inspections.verdicts(batch(), list).get('smoke');
    assert.equal(verdict?.result, 'Inconclusive');
    assert.match(verdict.message, says);
    assert.equal(asked.length, 0);
  });
}

test('an answer of any length makes a message that fits into the status', async (t) => {
  const { inspections, batch, web, until, answers } = await start(t);
  answers.set('/smoke', { status: 400, body: '\u{1F600}'.repeat(2_000) });
  const list = [web('smoke')];
  await until('answered', () => inspections.verdicts(batch(), list).size === 1);
  const message = inspections.verdicts(batch(), list).get('smoke')?.message ?? '';
  assert.ok(message.length > 50 && message.length <= 512 && message.isWellFormed());
});

function secret(name: string, data: Record<string, string>) {
  return {
    metadata: { name, namespace: systemNamespace },
    type: 'Opaque',
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  };
}
