import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hastyClock } from '../testing/clocks.ts';
import {
  type Answer,
  cut,
  event,
  events,
  list,
  refuse,
  type ScriptedServer,
  scriptedServer,
  status,
  thing,
} from '../testing/scripted-server.ts';
import type { WatchEvent, WatchOptions } from './client.ts';
import { isOlder } from './watch.ts';
import { ConnectionError } from './errors.ts';
import { Node } from './kinds.ts';
import { createClient } from './rest-client.ts';

function short(event: WatchEvent<Node>): string {
  if (event.type === 'RELIST') return event.type;
  return 'object' in event
    ? `${event.type} ${event.object.metadata.name} ${event.object.metadata.resourceVersion}`
    : `${event.type} ${event.resourceVersion}`;
}

/** What a watch tells, up to the event that stands as `last`. */
async function watched(server: ScriptedServer, last: string, options: Partial<WatchOptions> = {}) {
  const clock = hastyClock();
  const client = createClient({ server: server.url, clock, random: () => 1 });
  const stop = new AbortController();
  const told: string[] = [];
  const errors: string[] = [];
  const watch = client.watch(Node, {
    signal: stop.signal,
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
    ...options,
  });
  for await (const event of watch) {
    told.push(short(event));
    if (told.at(-1) === last) stop.abort();
  }
  return { told, errors, waits: clock.waits };
}

const queries = (server: ScriptedServer): (string | null)[] =>
  server.seen.map(({ query }) => (query.has('watch') ? `watch ${query.get('resourceVersion')}` : 'list'));

test('a watch lists, then goes on from there, with bookmarks', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', [thing('a', '1')], 'more'),
    list('5', [thing('b', '2')]),
    events([event('MODIFIED', 'a', '6'), event('BOOKMARK', '', '9'), event('DELETED', 'b', '11')], 'stay'),
  );
  const { told } = await watched(server, 'DELETED b 11', { labelSelector: 'x=y', limit: 1 });
  assert.deepEqual(told, [
    'RELIST',
    'LISTED a 1',
    'LISTED b 2',
    'SYNCED 5',
    'MODIFIED a 6',
    'BOOKMARK 9',
    'DELETED b 11',
  ]);
  const [, , watch] = server.seen;
  assert.equal(watch?.query.get('labelSelector'), 'x=y');
  assert.equal(watch?.query.get('allowWatchBookmarks'), 'true');
  const seconds = Number(watch?.query.get('timeoutSeconds'));
  assert.ok(seconds >= 300 && seconds <= 600, `${seconds} s`);
});

for (const how of ['end', 'cut', 'cut in a line'] as const) {
  test(`a connection that breaks (${how}) is taken up where it was, bookmarks counted, without a list`, async () => {
    await using server = await scriptedServer();
    server.next(
      list('5', []),
      events([event('ADDED', 'a', '7')], how),
      events([event('BOOKMARK', '', '20')], how),
      events([event('ADDED', 'b', '21')], 'stay'),
    );
    const { told } = await watched(server, 'ADDED b 21');
    assert.deepEqual(told, ['RELIST', 'SYNCED 5', 'ADDED a 7', 'BOOKMARK 20', 'ADDED b 21']);
    assert.deepEqual(queries(server), ['list', 'watch 5', 'watch 7', 'watch 20']);
  });
}

const tooOld: Readonly<Record<string, Answer>> = {
  'as an event': events([{ type: 'ERROR', object: status(410, 'Expired') }]),
  'as a status': refuse(410, 'Gone'),
};
for (const [how, answer] of Object.entries(tooOld)) {
  test(`a resourceVersion that got too old (${how}) makes a new list`, async () => {
    await using server = await scriptedServer();
    server.next(answer, list('100', [thing('a', '90')]), events([event('ADDED', 'b', '101')], 'stay'));
    const { told } = await watched(server, 'ADDED b 101', { resourceVersion: '5' });
    assert.deepEqual(told, ['RELIST', 'LISTED a 90', 'SYNCED 100', 'ADDED b 101']);
    assert.deepEqual(queries(server), ['watch 5', 'list', 'watch 100']);
  });
}

test('a version that got too old while the server was away is no reason to wait long', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', []),
    cut,
    cut,
    cut,
    refuse(410, 'Expired'),
    list('9', []),
    refuse(410, 'Expired'),
    list('12', []),
  );
  server.next(events([event('ADDED', 'a', '13')], 'stay'));
  const { waits } = await watched(server, 'ADDED a 13');
  assert.deepEqual(waits, [250, 500, 1000, 250, 500]);
});

test('a list that expires between its pages begins again in one piece', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', [thing('a', '1')], 'more'),
    refuse(410, 'Expired'),
    list('9', [thing('a', '1'), thing('b', '8')]),
    events([event('ADDED', 'c', '10')], 'stay'),
  );
  const { told } = await watched(server, 'ADDED c 10');
  assert.deepEqual(told, [
    'RELIST',
    'LISTED a 1',
    'RELIST',
    'LISTED a 1',
    'LISTED b 8',
    'SYNCED 9',
    'ADDED c 10',
  ]);
});

test('a server that refuses for now is asked again after as long as it says, and longer each time', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', []),
    refuse(429, 'TooManyRequests', { headers: { 'retry-after': '3' } }),
    refuse(503, 'ServiceUnavailable'),
    refuse(403, 'Forbidden'),
    cut,
    events([event('ADDED', 'a', '6')], 'stay'),
  );
  const { told, waits, errors } = await watched(server, 'ADDED a 6');
  assert.deepEqual(told, ['RELIST', 'SYNCED 5', 'ADDED a 6']);
  assert.deepEqual(waits, [3250, 500, 1000, 2000]);
  assert.equal(errors.length, 4);
  assert.match(errors[2] ?? '', /GET \/api\/v1\/nodes: 403 Forbidden/);
});

test('a server that ends each watch at once is not asked without a pause', async () => {
  await using server = await scriptedServer();
  server.next(list('5', []), events([]), events([]), events([]), events([event('ADDED', 'a', '6')], 'stay'));
  const { waits } = await watched(server, 'ADDED a 6');
  assert.deepEqual(waits, [250, 500, 1000]);
});

test('a kind that is gone and comes back is no reason to tell that its objects are gone', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', [thing('a', '1')]),
    events([{ type: 'ERROR', object: status(410, 'Expired') }]),
    refuse(404, 'NotFound'),
    refuse(404, 'NotFound'),
    list('50', [thing('a', '40')]),
    events([event('ADDED', 'b', '51')], 'stay'),
  );
  const { told } = await watched(server, 'ADDED b 51');
  assert.deepEqual(
    told.filter((one) => one !== 'RELIST'),
    ['LISTED a 1', 'SYNCED 5', 'LISTED a 40', 'SYNCED 50', 'ADDED b 51'],
  );
});

test('a connection on which nothing comes is taken for dead', async () => {
  await using server = await scriptedServer();
  server.next(list('5', []), events([], 'stay'), events([event('ADDED', 'a', '6')], 'stay'));
  const { told, errors } = await watched(server, 'ADDED a 6', { inactivityMs: 40 });
  assert.deepEqual(told, ['RELIST', 'SYNCED 5', 'ADDED a 6']);
  assert.match(errors[0] ?? '', /nothing came for 40 ms/);
});

test('a server that went back in time is listed again', async () => {
  await using server = await scriptedServer();
  server.next(
    events([event('BOOKMARK', '', '40')], 'stay'),
    list('40', [thing('a', '30')]),
    events([event('ADDED', 'b', '41')], 'stay'),
  );
  const { told } = await watched(server, 'ADDED b 41', { resourceVersion: '1000' });
  assert.deepEqual(told, ['RELIST', 'LISTED a 30', 'SYNCED 40', 'ADDED b 41']);
});

test('a server that stays behind what we know is listed again', async () => {
  await using server = await scriptedServer();
  const ahead = refuse(504, 'Timeout', {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: '' }] },
  });
  server.next(ahead, ahead, list('40', []), events([event('ADDED', 'b', '41')], 'stay'));
  const { told } = await watched(server, 'ADDED b 41', { resourceVersion: '1000' });
  assert.deepEqual(told, ['RELIST', 'SYNCED 40', 'ADDED b 41']);
});

test('rubbish in a line is a broken connection', async () => {
  await using server = await scriptedServer();
  server.next(
    list('5', []),
    (_, response) => void response.end('{"type":"ADDED","obj\n'),
    events([event('ADDED', 'a', '6')], 'stay'),
  );
  const { errors } = await watched(server, 'ADDED a 6');
  assert.match(errors[0] ?? '', /no JSON/);
});

test('lines cut anywhere, and of several megabytes, arrive whole', async () => {
  await using server = await scriptedServer();
  const big = 'ä'.repeat(1_000_000);
  server.next(list('5', []), async (_, response) => {
    const bytes = Buffer.from(
      [event('ADDED', 'a', '6', { annotations: { big } }), event('ADDED', 'b', '7')]
        .map((one) => JSON.stringify(one))
        .join('\n') + '\n',
    );
    for (let at = 0; at < bytes.length; at += 65_537) {
      response.write(bytes.subarray(at, at + 65_537));
      await new Promise((resolve) => void setImmediate(resolve));
    }
  });
  const stop = new AbortController();
  const client = createClient({ server: server.url });
  let size: number | undefined;
  for await (const one of client.watch(Node, { signal: stop.signal })) {
    if (one.type !== 'ADDED') continue;
    if (one.object.metadata.name === 'a') size = one.object.metadata.annotations?.['big']?.length;
    else stop.abort();
  }
  assert.equal(size, 1_000_000);
});

test('whoever stops listening closes the connection', async () => {
  await using server = await scriptedServer();
  const closed = Promise.withResolvers<void>();
  server.next(list('5', []), (request, response) => {
    response.on('close', () => closed.resolve());
    return events([event('ADDED', 'a', '6')], 'stay')(request, response);
  });
  const client = createClient({ server: server.url });
  for await (const one of client.watch(Node, { signal: new AbortController().signal }))
    if (one.type === 'ADDED') break;
  await closed.promise;
});

test('resourceVersions are compared as numbers', () => {
  assert.equal(isOlder('9', '10'), true);
  assert.equal(isOlder('10', '9'), false);
  assert.equal(isOlder('10', '10'), false);
  assert.equal(isOlder('90071992547409931', '90071992547409932'), true);
  assert.equal(isOlder('abc', '10'), false);
});

test('a watch that cannot even connect tells so and goes on', async () => {
  const seen: unknown[] = [];
  const stop = new AbortController();
  const client = createClient({ server: 'http://127.0.0.1:1', clock: hastyClock() });
  const watch = client.watch(Node, {
    signal: stop.signal,
    onError: (error) => {
      seen.push(error);
      stop.abort();
    },
  });
  for await (const _ of watch);
  assert.ok(seen[0] instanceof ConnectionError);
});
