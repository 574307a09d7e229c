/** Twenty hosts go from one node-exporter to the next, in batches of 1, 5 and 10, past a gate that asks a real Prometheus. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Prometheus, startPrometheus } from '@kubenode/lab';
import { Machine, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/machine';
import { type Fleet, startFleet } from './fleet.ts';
import { type Asked, type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { RolloutWatch, type SeenBatch } from './rollout-watch.ts';

const hosts = 20;
const batches = [1, 5, 10];
const maxUnavailable = 8;
const observationMs = 4_000;
/** Between what happens and its coming by a watch to somebody who looks on, on a machine that twenty hosts keep busy. */
const slackMs = 1_000;
const [from, to] = ['node-exporter-1.11.1-1', 'node-exporter-1.12.1-1'];
const version = '1.12.1';

let dir: string;
let prometheus: Prometheus;
let proxy: RecordingProxy;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubenode-prometheus-'));
  prometheus = await startPrometheus({
    dir,
    parameters: { 'collect[]': ['uname'] },
    progress: (line) => process.stderr.write(`    ${line}\n`),
  });
  proxy = await startRecordingProxy(prometheus.url);
});
after(async () => {
  await proxy?.close();
  await prometheus?.close();
  await rm(dir, { recursive: true, force: true });
});

for (const plane of ['embedded', 'kubernetes'] as const) {
  describe(`twenty hosts on the ${plane} control plane`, () => {
    let fleet: Fleet;

    before(async () => {
      fleet = await startFleet({ plane, hosts, components: ['node-exporter'] });
      await fleet.client.apply(
        NodeDisruptionBudget,
        {
          metadata: { name: 'default' },
          spec: {
            starts: { perMinute: 100, perHour: 1000, perDay: 1000 },
            concurrent: { cluster: '100%', perZone: '100%' },
            maxUnhealthy: '100%',
          },
        } as never,
        { fieldManager: 'test', force: true },
      );
      await fleet.applyComponents(undefined, ({ spec }) => {
        const unit = spec['unit'] as { content: string } | undefined;
        // Prometheus looks from outside.
        if (unit !== undefined) unit.content = unit.content.replace('127.0.0.1:9100', '0.0.0.0:9100');
        else spec['rollout'] = { batches: ['100%'], maxUnavailable: '100%' };
      });
      await Promise.all(fleet.lab.hosts.map((host) => fleet.import(host)));
      await fleet.untilReady(fleet.lab.hosts, 1);
      await untilTold();
      await prometheus.setTargets(
        fleet.lab.hosts.map(({ name, address }) => ({
          address: `${address}:9100`,
          labels: { machine: name },
        })),
      );
    });
    after(() => fleet?.close());

    /** Nobody has anything left to write. */
    const untilTold = async (): Promise<void> => {
      await fleet.until('all statuses are of the present generation', async () => {
        const { items } = await fleet.client.list(Machine);
        return items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
      });
    };

    test('batch by batch, each looked at and watched before the next', async (t) => {
      await using watch = new RolloutWatch(fleet.client, 'node-exporter', to);
      await fleet.until('all machines are seen', async () => watch.machines === hosts);
      const begun = Date.now();
      await fleet.client.patch(MachineComponentSet, 'node-exporter', {
        type: 'merge',
        body: {
          spec: {
            revision: to,
            rollout: {
              batches,
              maxUnavailable,
              observation: `${observationMs}ms`,
              inspections: [
                { name: 'baseline', type: 'BuiltIn' },
                {
                  name: 'version',
                  type: 'Prometheus',
                  prometheus: {
                    url: proxy.url,
                    query:
                      `count(node_exporter_build_info{machine=~"{{ machines }}",version="${version}"}) ` +
                      '/ count(up{machine=~"{{ machines }}"} == 1)',
                    min: '1',
                  },
                },
              ],
            },
          },
        },
      });
      const set = await fleet.until(
        'rolled out',
        async () => {
          const found = await fleet.client.get(MachineComponentSet, 'node-exporter');
          return found?.status?.currentRevision === to ? found : undefined;
        },
        150_000,
        async () => (await fleet.client.get(MachineComponentSet, 'node-exporter'))?.status,
      );
      t.diagnostic(`${hosts} hosts from ${from} to ${to} in ${seconds(Date.now() - begun)}`);

      const seen = [...watch.batches.values()].sort((a, b) => a.number - b.number);
      for (const batch of seen) t.diagnostic(told(batch, begun));
      t.diagnostic(
        `in movement at most ${watch.mostInMovement}, unavailable at most ${watch.mostUnavailable}`,
      );
      assert.deepEqual(
        seen.map(({ machines }) => machines.size),
        [1, 5, 10, 4],
      );
      assert.equal(watch.mostBatchesAtOnce, 1);
      assert.ok(watch.mostUnavailable <= maxUnavailable, `${watch.mostUnavailable} unavailable at once`);
      assert.equal(set.status?.ready, hosts);
      for (const [i, batch] of seen.entries()) assertGated(batch, seen[i + 1]?.begunAt ?? Date.now());

      await untilTold();
      const writes = [...watch.writes.values()];
      t.diagnostic(`writes of each Machine: ${writes.join(' ')}`);
      assert.equal(writes.length, hosts);
      for (const [machine, count] of watch.writes)
        assert.ok(count <= 4, `${machine}: ${count} writes\n${watch.story(machine)}`);
    });

    test('every host runs it', async () => {
      for (const host of fleet.lab.hosts) {
        const response = await fetch(`http://${host.address}:9100/metrics?collect[]=uname`);
        assert.match(await response.text(), new RegExp(`node_exporter_build_info\\{.*version="${version}"`));
      }
    });
  });
}

/** Before the next began: it was asked about all machines when they were Ready, and once more when the observation was over. */
function assertGated(batch: SeenBatch, nextAt: number): void {
  const name = `batch ${batch.number}`;
  const { readyAt } = batch;
  assert.ok(readyAt !== undefined && readyAt <= nextAt + slackMs, `${name} was not Ready`);
  const passed = proxy.asked.filter(
    ({ query, value, at }) => value === 1 && at >= readyAt - slackMs && asksAll(query, batch),
  );
  const first = passed[0];
  assert.ok(
    first !== undefined && first.answeredAt <= nextAt,
    `${name}: the gate was not asked before the next`,
  );
  const observedAt = first.answeredAt + observationMs;
  assert.ok(
    nextAt >= observedAt,
    `${name}: the next began ${seconds(nextAt - first.answeredAt)} after the inspection`,
  );
  assert.ok(
    passed.some(({ at, answeredAt }: Asked) => at >= observedAt - slackMs && answeredAt <= nextAt),
    `${name}: the gate was not asked once more after the observation`,
  );
}

function asksAll(query: string, batch: SeenBatch): boolean {
  const machines = /machine=~"([^"]*)"/.exec(query)?.[1]?.split('|') ?? [];
  return machines.length === batch.machines.size && machines.every((machine) => batch.machines.has(machine));
}

function told({ number, machines, begunAt, readyAt }: SeenBatch, begun: number): string {
  const ready = readyAt === undefined ? 'never' : seconds(readyAt - begun);
  return `batch ${number}: ${machines.size} machines, begun at ${seconds(begunAt - begun)}, Ready at ${ready}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
