import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../object.ts';
import type { Change } from './change.ts';
import { WatchHub, type Watcher, type WatchEvent } from './watch.ts';

const object = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name } });

const change = (name: string): Change => ({
  rv: 1,
  resource: 'things',
  namespace: '',
  name,
  type: 'MODIFIED',
  body: new Uint8Array(),
  object: object(name),
  previous: object(name),
});

function watcherOf(name: string, asked: string[], seen: WatchEvent[] = []): Watcher {
  return {
    resource: 'things',
    namespace: undefined,
    index: { field: 'metadata.name', value: name, read: (o) => o.metadata.name },
    matches: (o) => {
      asked.push(o.metadata.name);
      return o.metadata.name === name;
    },
    send: (event) => seen.push(event),
  };
}

test('an event costs nothing to watchers of other names', () => {
  const hub = new WatchHub();
  const asked: string[] = [];
  const seen: WatchEvent[] = [];
  for (let i = 0; i < 1000; i++) hub.add(watcherOf(`n${i}`, asked));
  hub.add(watcherOf('mine', asked, seen));
  hub.publish(change('mine'));
  assert.equal(seen.length, 1);
  assert.deepEqual(asked, ['mine', 'mine'], 'before and after, of one watcher');
});

test('a watcher that has ended hears nothing, and leaves nothing behind', () => {
  const hub = new WatchHub();
  const seen: WatchEvent[] = [];
  const end = hub.add(watcherOf('mine', [], seen));
  end();
  end();
  hub.publish(change('mine'));
  assert.deepEqual([seen.length, hub.size], [0, 0]);
});
