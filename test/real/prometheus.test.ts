/** What a real Prometheus answers to good questions and bad ones, and what the inspection makes of it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Prometheus, startPrometheus } from '@kubenode/lab';
import { httpAsk } from '../../packages/machine/src/inspection/http.ts';
import { askPrometheus, type Finding } from '../../packages/machine/src/inspection/prometheus.ts';

describe('a real Prometheus is asked', () => {
  const http = httpAsk();
  let dir: string;
  let prometheus: Prometheus;

  const ask = async (query: string, more: object = {}, machines = ['n1.zone-a', 'n2']): Promise<Finding> => {
    const now = Date.now();
    const batch = {
      set: 's',
      component: 'c',
      revision: 'c-1',
      rollout: 'r',
      number: 1,
      begunAt: now - 90_000,
      evidenceAfter: now,
      machines,
    };
    const inspection = { url: prometheus.url, query, min: '1', ...more };
    return await askPrometheus(inspection, batch, now, http.ask, {}, AbortSignal.timeout(30_000));
  };

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubenode-prometheus-'));
    prometheus = await startPrometheus({ dir });
    const { host } = new URL(prometheus.url);
    // The same endpoint by two names: two machines, one with a dot.
    await prometheus.setTargets([
      { address: host, labels: { machine: 'n1.zone-a' } },
      { address: host.replace('127.0.0.1', 'localhost'), labels: { machine: 'n2' } },
    ]);
    const deadline = Date.now() + 30_000;
    while ((await ask('sum(up)', { min: '2' })).result !== 'Passed') {
      if (Date.now() > deadline) throw new Error('Prometheus does not scrape itself');
    }
  });
  after(async () => {
    http.close();
    await prometheus?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const inQuotes = 'sum(up{machine=~"{{ machines }}"})';
  const cases: readonly [string, string, object, Finding['result'], RegExp][] = [
    ['about the machines of the batch', inQuotes, { min: '2' }, 'Passed', /^2 is within min 2$/],
    ['the same in backticks', inQuotes.replaceAll('"', '`'), { min: '2' }, 'Passed', /^2/],
    ['over the time since the batch began', 'count(count_over_time(up[{{ elapsed }}]))', {}, 'Passed', /^2/],
    ['for a scalar', 'scalar(sum(up))', { min: '3' }, 'Failed', /^2 is below min 3$/],
    [
      'what it cannot read',
      'sum(up',
      {},
      'Inconclusive',
      /cannot read prometheus\.query: .*parse error: unclosed/,
    ],
    ['for two series', 'up', {}, 'Inconclusive', /gives 2 series, not one/],
    ['for none', 'up{machine="n9"}', {}, 'Inconclusive', /finds no series/],
    ['to divide by zero', 'sum(up - up) / sum(up - up)', {}, 'Inconclusive', /gives NaN/],
    ['for more than any number', 'sum(up) / 0', {}, 'Inconclusive', /gives \+Inf/],
    ['for a range', 'up[1m]', {}, 'Inconclusive', /gives a matrix, not a number/],
    ['for a text', '"up"', {}, 'Inconclusive', /gives a string, not a number/],
    [
      'what it cannot do',
      'up + on(job) up',
      {},
      'Inconclusive',
      /cannot answer prometheus\.query: execution: .*many-to-many/,
    ],
  ];
  for (const [what, query, more, result, says] of cases) {
    test(what, async () => {
      const finding = await ask(query, more);
      assert.equal(finding.result, result, finding.message);
      assert.match(finding.message, says);
    });
  }

  test('about ten thousand machines', async () => {
    const machines = Array.from({ length: 10_000 }, (_, i) => `node-${i}.rack-${i % 40}.example`);
    const { message, result } = await ask(inQuotes, { min: '2' }, [...machines, 'n1.zone-a', 'n2']);
    assert.equal(result, 'Passed', message);
  });
});
