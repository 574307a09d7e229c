import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../clock/fake-clock.ts';
import { jsonLogger, type LogLevel } from './log.ts';

function logger(level: LogLevel = 'info') {
  const lines: string[] = [];
  const log = jsonLogger({
    level,
    clock: fakeClock(),
    write: (line) => void lines.push(line),
    fields: { app: 'x' },
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

test('one line of JSON with time, level, message and fields', () => {
  const it = logger();
  it.log.with({ key: 'n17' }).warn('slow', { tookMs: 5, nothing: undefined });
  assert.equal(
    it.lines[0],
    '{"time":"2026-01-01T00:00:00.000Z","level":"warn","msg":"slow","app":"x","key":"n17","tookMs":5}\n',
  );
});

test('lines below the level are left out', () => {
  const it = logger('warn');
  it.log.debug('a');
  it.log.info('b');
  it.log.error('c');
  assert.equal(it.lines.length, 1);
});

test('a field cannot take the place of what every line has', () => {
  const it = logger();
  it.log.info('hello', { level: 'fake', msg: 'fake' });
  assert.deepEqual(
    [it.last()['level'], it.last()['msg'], it.last()['field.level']],
    ['info', 'hello', 'fake'],
  );
});

test('errors show their message and causes, whatever else cannot be JSON is text', () => {
  const it = logger();
  const error = new Error('could not apply', {
    cause: new AggregateError([new Error('a'), new Error('b')], 'two'),
  });
  const circle: Record<string, unknown> = { big: 1n };
  circle['self'] = circle;
  it.log.error('x', { error, circle, bytes: Buffer.from('abc') });
  assert.equal(it.last()['error'], 'could not apply: two: a; b');
  assert.equal(it.last()['bytes'], '[3 bytes]');
  assert.match(JSON.stringify(it.last()['circle']), /\[deep\]/);
});

test('secrets are not shown, by name and by look', () => {
  const it = logger();
  const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----';
  it.log.info(`sent Bearer abcdefgh.ijk with ${key}`, {
    token: 'abc',
    bootstrapToken: 'abc',
    password: 'abc',
    nested: { 'client-key-data': 'abc', authorization: 'Bearer abc' },
    list: ['Bearer abcdefghi'],
    error: new Error('token 07401b.f395accd246ae52d refused'),
  });
  const line = it.lines[0] ?? '';
  for (const secret of ['abc"', 'abcdefgh', 'MHcC', 'f395accd246ae52d'])
    assert.ok(!line.includes(secret), secret);
  assert.match(line, /07401b\.\[redacted\] refused/);
});

test('names of things that hold secrets are shown', () => {
  const it = logger();
  it.log.info('x', {
    keySecretName: 'ssh',
    secretName: 'a',
    tokenFile: '/x',
    retryToken: '1',
    hasToken: true,
    name: 'bootstrap-token-07401b',
  });
  assert.deepEqual(
    ['keySecretName', 'secretName', 'tokenFile', 'retryToken', 'hasToken', 'name'].map(
      (name) => it.last()[name],
    ),
    ['ssh', 'a', '/x', '1', true, 'bootstrap-token-07401b'],
  );
});

test('a log that cannot be written harms nothing', () => {
  jsonLogger({
    write: () => {
      throw new Error('disk full');
    },
  }).error('x');
});
