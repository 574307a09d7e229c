import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { PrometheusInspection } from '@kubenode/api';
import { httpAsk } from './http.ts';
import type { InspectedBatch } from './inspections.ts';
import { askPrometheus, type Finding } from './prometheus.ts';
import { askWeb } from './web.ts';

const batch: InspectedBatch = {
  set: 'edge',
  component: 'node-exporter',
  revision: 'node-exporter-2',
  rollout: 'r1',
  number: 2,
  begunAt: 1_000,
  evidenceAfter: 2_000,
  machines: ['n1.zone-a', 'n2'],
};

type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let behave: Behaviour;
let asked: { method: string; url: URL; body: string; headers: IncomingMessage['headers'] }[];
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '', 'http://x');
    asked.push({ method: request.method ?? '', url, body, headers: request.headers });
    behave(request, response, body);
  });
});
const http = httpAsk(400);
let address = '';

before(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  http.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const never = new AbortController().signal;
const answers =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  (_, response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
const vector = (...values: string[]): object => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: values.map((value, i) => ({ metric: { i: `${i}` }, value: [0, value] })),
  },
});

/** What is found, or what the error says, which the asker makes Inconclusive. */
async function found(more: Partial<PrometheusInspection> = {}, token?: string): Promise<Finding> {
  const inspection = { url: address, query: 'sum(up)', max: '0.5', ...more };
  try {
    const credentials = token === undefined ? {} : { token };
    return await askPrometheus(inspection, batch, 94_100, http.ask, credentials, never);
  } catch (error) {
    return { result: 'Inconclusive', message: (error as Error).message };
  }
}

describe('a Prometheus inspection', () => {
  const cases: [string, Behaviour, Partial<PrometheusInspection>, Finding['result'], RegExp][] = [
    ['a sample within', answers(200, vector('0.5')), {}, 'Passed', /^0\.5 is within max 0\.5$/],
    ['a sample above', answers(200, vector('0.51')), {}, 'Failed', /^0\.51 is above max 0\.5$/],
    ['a sample below', answers(200, vector('-1e-3')), { min: '0' }, 'Failed', /^-0\.001 is below min 0$/],
    [
      'between both',
      answers(200, vector('1e-1')),
      { min: '0.1' },
      'Passed',
      /^0\.1 is within min 0\.1 and max 0\.5$/,
    ],
    [
      'a scalar',
      answers(200, { status: 'success', data: { resultType: 'scalar', result: [0, '0.25'] } }),
      {},
      'Passed',
      /^0\.25/,
    ],
    ['no series', answers(200, vector()), {}, 'Inconclusive', /finds no series.*or vector\(0\)/],
    ['two series', answers(200, vector('0', '0')), {}, 'Inconclusive', /gives 2 series, not one; aggregate/],
    ['NaN', answers(200, vector('NaN')), {}, 'Inconclusive', /gives NaN, as a division by zero/],
    ['infinity', answers(200, vector('+Inf')), {}, 'Inconclusive', /gives \+Inf, as a division by zero/],
    [
      'a histogram',
      answers(200, {
        status: 'success',
        data: { resultType: 'vector', result: [{ metric: {}, histogram: [0, {}] }] },
      }),
      {},
      'Inconclusive',
      /gives a histogram.*histogram_quantile/,
    ],
    [
      'a range',
      answers(200, { status: 'success', data: { resultType: 'matrix', result: [] } }),
      {},
      'Inconclusive',
      /gives a matrix, not a number/,
    ],
    [
      'half an answer',
      answers(200, { ...vector('0'), warnings: ['store 10.0.0.1 is away'] }),
      {},
      'Inconclusive',
      /has doubts about its answer: store 10\.0\.0\.1 is away/,
    ],
    [
      'a query that does not parse',
      answers(400, {
        status: 'error',
        errorType: 'bad_data',
        error: '1:5: parse error: unclosed left parenthesis',
      }),
      {},
      'Inconclusive',
      /cannot read prometheus\.query: 1:5: parse error: unclosed left parenthesis/,
    ],
    [
      'a query that takes too long there',
      answers(503, { status: 'error', errorType: 'timeout', error: 'query timed out' }),
      {},
      'Inconclusive',
      /cannot answer prometheus\.query: timeout: query timed out/,
    ],
    ['500', answers(500, 'oh no'), {}, 'Inconclusive', /answers 500; see its log/],
    ['404', answers(404, 'not found'), {}, 'Inconclusive', /answers 404;.*correct prometheus\.url/],
    ['401', answers(401, 'who?'), {}, 'Inconclusive', /answers 401; put a token.*secretName/],
    [
      'a redirect',
      answers(302, '', { location: 'http://login.example/in?secret=1' }),
      {},
      'Inconclusive',
      /answers 302 and points to http:\/\/login\.example;/,
    ],
    ['a page', answers(200, '<html>'), {}, 'Inconclusive', /does not answer as Prometheus does/],
    ['other JSON', answers(200, '[1]'), {}, 'Inconclusive', /does not answer as Prometheus does/],
    [
      'JSON without data',
      answers(200, { status: 'success' }),
      {},
      'Inconclusive',
      /gives a undefined|not a number/,
    ],
    ['a body without end', (_, response) => flood(response), {}, 'Inconclusive', /more than 1 MiB/],
    ['silence', () => {}, {}, 'Inconclusive', /did not answer within 400ms/],
    [
      'half a body, then silence',
      (_, response) => void response.writeHead(200).write('{"status":'),
      {},
      'Inconclusive',
      /did not answer within 400ms/,
    ],
    [
      'a closed connection',
      (request) => void request.socket.destroy(),
      {},
      'Inconclusive',
      /it closed the connection/,
    ],
    [
      'nobody there',
      answers(200, vector('0')),
      { url: 'http://127.0.0.1:1' },
      'Inconclusive',
      /http:\/\/127\.0\.0\.1:1 cannot be asked: nothing listens there.*ECONNREFUSED/,
    ],
    [
      'a name that is none',
      answers(200, vector('0')),
      { url: 'http://prometheus.invalid' },
      'Inconclusive',
      /prometheus\.invalid cannot be asked: .*name/,
    ],
    [
      'a placeholder that is none',
      answers(200, vector('0')),
      { query: 'up{job="{{ job }}"}' },
      'Inconclusive',
      /prometheus\.query holds \{\{ job \}\}/,
    ],
  ];
  for (const [name, behaviour, more, result, message] of cases) {
    test(`${name}: ${result}`, async () => {
      behave = behaviour;
      const finding = await found(more);
      assert.equal(finding.result, result, finding.message);
      assert.match(finding.message, message);
    });
  }

  test('puts in what the query asks for', async () => {
    behave = answers(200, vector('0'));
    await found({
      url: `${address}/prefix/`,
      query: 'f{c="{{component}}",r="{{ revision }}",instance=~"({{ machines }}):9100"}[{{ elapsed }}]',
    });
    const [question] = asked;
    assert.equal(question?.method, 'GET');
    assert.equal(question.url.pathname, '/prefix/api/v1/query');
    assert.equal(
      question.url.searchParams.get('query'),
      'f{c="node-exporter",r="node-exporter-2",instance=~"(n1[.]zone-a|n2):9100"}[94s]',
    );
    assert.equal(question.headers.authorization, undefined);
  });

  test('sends a long query as a form, and the token', async () => {
    behave = answers(200, vector('0'));
    const query = `sum(up) or vector(0) # ${'x'.repeat(3000)}`;
    assert.equal((await found({ query }, 'sesame')).result, 'Passed');
    const [question] = asked;
    assert.equal(question?.method, 'POST');
    assert.equal(new URLSearchParams(question.body).get('query'), query);
    assert.equal(question.headers.authorization, 'Bearer sesame');
  });
});

describe('a web inspection', () => {
  const ask = (method: 'GET' | 'POST' = 'GET'): Promise<Finding> =>
    askWeb({ url: `${address}/check?a=b`, method }, batch, http.ask, {}, never);

  for (const [status, result] of [
    [200, 'Passed'],
    [204, 'Passed'],
    [400, 'Failed'],
    [404, 'Failed'],
    [401, 'Inconclusive'],
    [429, 'Inconclusive'],
    [302, 'Inconclusive'],
    [503, 'Inconclusive'],
  ] as const) {
    test(`${status}: ${result}`, async () => {
      behave = answers(status, status === 204 ? '' : 'three of five requests fail', { location: '/login' });
      const finding = await ask();
      assert.equal(finding.result, result);
      assert.match(
        finding.message,
        new RegExp(`^http://127.* answers ${status}${status === 204 ? '$' : ': three'}`),
      );
      assert.equal(asked.length, 1);
    });
  }

  test('POST says what is asked about', async () => {
    behave = answers(200, 'fine');
    await ask('POST');
    assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
      set: 'edge',
      component: 'node-exporter',
      revision: 'node-exporter-2',
      rollout: 'r1',
      batch: 2,
      machines: ['n1.zone-a', 'n2'],
    });
  });

  test('of a long answer only the beginning is read', async () => {
    behave = (_, response) => flood(response);
    const { result, message } = await ask();
    assert.equal(result, 'Passed');
    assert.ok(message.length < 400);
  });
});

/** Writes until the other end goes away. */
function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const write = (): void => {
    if (!response.destroyed && response.write('x'.repeat(1 << 16))) setImmediate(write);
  };
  response.on('drain', write).on('error', () => {});
  write();
}
