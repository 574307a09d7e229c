import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hastyClock } from '../testing/clocks.ts';
import { event, events, list, scriptedServer, status, thing } from '../testing/scripted-server.ts';
import { Node } from './kinds.ts';
import { createClient } from './rest-client.ts';
import { watchObject } from './watch-object.ts';

test('one object: now, at each change, gone, back; a gap that changed nothing says nothing', async () => {
  await using server = await scriptedServer();
  const more = { uid: 'u' };
  server.next(
    list('5', [thing('a', '1', more)]),
    events([event('MODIFIED', 'a', '6', more)], 'end'),
    events([{ type: 'ERROR', object: status(410, 'Expired') }]),
    list('9', [thing('a', '6', more)]),
    events([event('DELETED', 'a', '10', more)], 'end'),
    events([event('ADDED', 'a', '12', { uid: 'v' })], 'stay'),
  );
  const stop = new AbortController();
  const client = createClient({ server: server.url, clock: hastyClock() });
  const seen: (string | undefined)[] = [];
  for await (const object of watchObject(client, Node, 'a', { signal: stop.signal })) {
    seen.push(object?.metadata.resourceVersion);
    if (object?.metadata.uid === 'v') stop.abort();
  }
  assert.deepEqual(seen, ['1', '6', undefined, '12']);
  assert.ok(server.seen.every(({ query }) => query.get('fieldSelector') === 'metadata.name=a'));
});

test('one object: who is slow gets the newest state', async () => {
  await using server = await scriptedServer();
  const sent = Promise.withResolvers<void>();
  server.next(list('5', [thing('a', '1')]), (request, response) => {
    void events(
      [event('MODIFIED', 'a', '6'), event('MODIFIED', 'a', '7'), event('MODIFIED', 'a', '8')],
      'end',
    )(request, response);
    response.on('close', () => sent.resolve());
  });
  server.otherwise(events([], 'stay'));
  const stop = new AbortController();
  const client = createClient({ server: server.url, clock: hastyClock() });
  const seen: (string | undefined)[] = [];
  for await (const object of watchObject(client, Node, 'a', { signal: stop.signal })) {
    seen.push(object?.metadata.resourceVersion);
    if (seen.length === 1) {
      // By the time the next watch request is there the events before it have been read.
      while (server.seen.length < 3) await new Promise((resolve) => void setImmediate(resolve));
    } else stop.abort();
  }
  assert.deepEqual(seen, ['1', '8']);
});
