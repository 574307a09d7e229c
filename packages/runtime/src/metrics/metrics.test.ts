import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsRegistry } from './registry.ts';
import { healthServer } from './server.ts';

test('metrics read as Prometheus has them', () => {
  const metrics = metricsRegistry();
  const requests = metrics.counter('requests_total', 'Requests.\nAll of them.');
  requests.inc({ code: '200', method: 'GET' });
  requests.inc({ method: 'GET', code: '200' }, 2);
  requests.inc({ code: '500', method: 'a"b\\c\n' });
  const queue = metrics.gauge('queue', 'Length.');
  queue.set(3, { name: 'a' });
  queue.add(-1, { name: 'a' });
  queue.collect(() => 7, { name: 'b' });
  queue.set(1, { name: 'c' });
  queue.remove({ name: 'c' });
  const seconds = metrics.histogram('seconds', 'Took.', [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 5]) seconds.observe(value, { x: 'y' });
  assert.equal(
    metrics.text(),
    `# HELP requests_total Requests.\\nAll of them.
# TYPE requests_total counter
requests_total{code="200",method="GET"} 3
requests_total{code="500",method="a\\"b\\\\c\\n"} 1
# HELP queue Length.
# TYPE queue gauge
queue{name="a"} 2
queue{name="b"} 7
# HELP seconds Took.
# TYPE seconds histogram
seconds_bucket{x="y",le="0.1"} 2
seconds_bucket{x="y",le="1"} 3
seconds_bucket{x="y",le="+Inf"} 4
seconds_sum{x="y"} 5.65
seconds_count{x="y"} 4
`,
  );
});

test('the same name is the same metric, and of one type', () => {
  const metrics = metricsRegistry();
  metrics.counter('a', 'x').inc();
  metrics.counter('a', 'x').inc();
  assert.match(metrics.text(), /^a 2$/m);
  assert.throws(() => metrics.gauge('a', 'x'), /a is a counter, asked for as a gauge/);
  assert.throws(() => metrics.counter('a b', 'x'), /no name of a metric/);
  assert.throws(() => metrics.counter('a', 'x').inc({}, -1), RangeError);
});

test('the server answers metrics and health, and ends cleanly', async () => {
  const metrics = metricsRegistry();
  metrics.counter('a', 'x').inc();
  let wrong: string[] = ['machines not listed yet'];
  const server = healthServer({ port: 0, metrics, readyz: () => wrong });
  const stop = new AbortController();
  const running = server.run(stop.signal);
  const { host, port } = await server.address();
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${host}:${port}${path}`, { method });
    return `${response.status} ${await response.text()}`;
  };
  assert.match(await get('/metrics'), /^200 .*\na 1\n/s);
  assert.equal(await get('/healthz'), '200 ok\n');
  assert.equal(await get('/readyz?verbose'), '503 machines not listed yet\n');
  wrong = [];
  assert.equal(await get('/readyz'), '200 ok\n');
  assert.match(await get('/secret'), /^404/);
  assert.match(await get('/healthz', 'POST'), /^405/);
  stop.abort();
  await running;
  await assert.rejects(fetch(`http://${host}:${port}/healthz`));
});

test('a port that is taken is said', async () => {
  const stop = new AbortController();
  const first = healthServer({ port: 0 });
  const running = first.run(stop.signal);
  const { port } = await first.address();
  const second = healthServer({ port });
  await assert.rejects(second.run(stop.signal), /EADDRINUSE/);
  await assert.rejects(second.address(), /EADDRINUSE/);
  stop.abort();
  await running;
});
