import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Node } from '../client/kinds.ts';
import { createClient } from '../client/rest-client.ts';
import { hastyClock } from '../testing/clocks.ts';
import { seeded } from '../testing/random.ts';
import { cut, event, list, refuse, scriptedServer, status, thing } from '../testing/scripted-server.ts';
import { informer } from './informer.ts';

/** An API server of one kind with a history, which breaks off, forgets and refuses at random. */
async function flakyServer(random: () => number) {
  const server = await scriptedServer();
  const objects = new Map<string, string>();
  const history: { version: number; line: object }[] = [];
  const watches = new Set<ServerResponse>();
  let version = 10;
  let compacted = 0;
  let calm = false;
  const chance = (share: number): boolean => !calm && random() < share;
  const pages = new Map<string, { version: number; rest: object[] }>();

  server.otherwise((request, response) => {
    if (chance(0.1)) return cut(request, response);
    if (chance(0.1)) return refuse(503, 'ServiceUnavailable')(request, response);
    if (chance(0.1))
      return refuse(429, 'TooManyRequests', { headers: { 'retry-after': '1' } })(request, response);
    if (!request.query.has('watch')) {
      const token = request.query.get('continue');
      const page =
        token === null
          ? { version, rest: [...objects].map(([name, at]) => thing(name, at)) }
          : pages.get(token);
      if (page === undefined || (token !== null && chance(0.2)))
        return refuse(410, 'Expired')(request, response);
      const limit = Number(request.query.get('limit') ?? Infinity);
      const next = page.rest.length > limit ? `${page.version}-${page.rest.length}` : undefined;
      if (next !== undefined) pages.set(next, { version: page.version, rest: page.rest.slice(limit) });
      return list(String(page.version), page.rest.slice(0, limit), next)(request, response);
    }
    const from = Number(request.query.get('resourceVersion'));
    response.writeHead(200);
    response.flushHeaders();
    if (from < compacted) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
      return undefined;
    }
    for (const { version: at, line } of history) if (at > from) response.write(`${JSON.stringify(line)}\n`);
    watches.add(response);
    response.on('close', () => watches.delete(response));
    return undefined;
  });

  const tell = (line: object): void => {
    const text = `${JSON.stringify(line)}\n`;
    history.push({ version, line });
    for (const watch of watches) {
      if (chance(0.1)) {
        watches.delete(watch);
        watch.write(text.slice(0, Math.floor(text.length / 2)), () => watch.socket?.destroy());
      } else if (chance(0.05)) {
        watches.delete(watch);
        watch.end(text);
      } else watch.write(text);
    }
  };
  return {
    server,
    objects,
    version: () => String(version),
    /** One random write. */
    write() {
      version++;
      const name = `n${Math.floor(random() * 12)}`;
      const known = objects.has(name);
      if (known && random() < 0.3) {
        objects.delete(name);
        tell(event('DELETED', name, String(version)));
      } else {
        objects.set(name, String(version));
        tell(event(known ? 'MODIFIED' : 'ADDED', name, String(version)));
      }
      if (random() < 0.1) {
        compacted = version;
        history.length = 0;
      }
    },
    calmDown() {
      calm = true;
    },
  };
}

for (let seed = 1; seed <= 12; seed++) {
  test(`whatever breaks, the cache ends as the server is, and handlers saw a consistent story (seed ${seed})`, async () => {
    const random = seeded(seed);
    const flaky = await flakyServer(random);
    await using server = flaky.server;
    const client = createClient({ server: server.url, clock: hastyClock(), random });
    const nodes = informer({
      client: { ...client, watch: (kind, options) => client.watch(kind, { ...options, limit: 3 }) },
      kind: Node,
      project: (node) => node.metadata.resourceVersion ?? '',
    });
    /** What handlers were told, put together. */
    const story = new Map<string, string>();
    nodes.on((change) => {
      assert.equal(change.old, story.get(change.key), `${change.key}: old state as told before`);
      if (change.new === undefined) story.delete(change.key);
      else story.set(change.key, change.new);
    });
    const stop = new AbortController();
    const running = nodes.run(stop.signal);
    try {
      for (let step = 0; step < 300; step++) {
        flaky.write();
        if (random() < 0.3) await new Promise((resolve) => void setImmediate(resolve));
        if (random() < 0.02) server.reset();
      }
      flaky.calmDown();
      // Once the last write has arrived, by a watch or a list, all before it has.
      await nodes.synced(AbortSignal.timeout(10_000));
      flaky.write();
      await nodes.atLeast('any', flaky.version(), AbortSignal.timeout(10_000));
      assert.deepEqual(new Map(nodes.entries()), flaky.objects);
      assert.deepEqual(story, flaky.objects);
    } finally {
      stop.abort();
      await running;
    }
  });
}
