/**
 * A rollout is disturbed in every state of a batch: the leading operator is killed and another one leads, or the API server is away. A watcher
 * of its own sees every machine moved once, every batch whole, and none begun before the one before was inspected and observed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type BatchStatus, type Rollout, systemNamespace } from '@kubenode/api';
import { MachineComponentSet, operatorLease } from '@kubenode/machine';
import { Lease, loadKubeconfig } from '@kubenode/runtime';
import { Cluster } from '../operator/cluster.ts';
import { type Plane, type PlaneKind, startPlane } from './fleet.ts';
import { Gate } from './gate.ts';
import { Moves } from './moves.ts';
import { Process } from './process.ts';

const names = Array.from({ length: 9 }, (_, i) => `n${i + 1}`);
const sizes = [1, 2, 3, 3];
const observationMs = 3_000;
/** How long a machine takes to install, so that a batch can be met in the middle. */
const installMs = 2_000;
/** A minute, as the whole story has it, or less where time is short. */
const awayMs = Number(process.env['KUBENODE_AWAY_SECONDS'] ?? 8) * 1000;
const program = join(import.meta.dirname, '../../packages/cli/src/main.ts');

for (const kind of ['embedded', 'kubernetes'] satisfies PlaneKind[]) {
  describe(`a rollout that is disturbed in every state of a batch, on the ${kind} control plane`, () => {
    const undo: (() => Promise<void>)[] = [];
    const gate = new Gate();
    let plane: Plane;
    let cluster: Cluster;
    let operators: readonly Process[];

    before(async () => {
      const dir = await mkdtemp(join(tmpdir(), 'kubenode-leader-'));
      undo.push(() => rm(dir, { recursive: true, force: true }));
      plane = await startPlane(kind, dir, '127.0.0.1', () => undefined, undo);
      await gate.start();
      undo.push(() => gate.stop());
      cluster = new Cluster(await loadKubeconfig(plane.kubeconfig));
      undo.push(() => cluster.stop());
      await cluster.install();
      operators = [operator(dir, 'first', plane), operator(dir, 'second', plane)];
      for (const one of operators) undo.push(() => one.end());
      undo.push(supervise(operators));
      await leader(plane);
      const token = await cluster.token('aaaaaa');
      for (const name of names) cluster.runAgent(await cluster.join(token, name), name, installMs);
      token.close();
      await cluster.revision('svc-1');
      await cluster.set('svc', { revision: 'svc-1', rollout: { batches: ['100%'], maxUnavailable: '100%' } });
      await reached(plane, 'svc-1', ({ state }) => state === 'Done');
    });
    after(async () => {
      for (const step of undo.reverse()) await step();
    });

    it('by the death of the leading operator', async (t) => {
      await disturbed(t, 'svc-2', async () => {
        const was = await leader(plane);
        const leading = operators.find(({ pid }) => pid !== undefined && was.includes(`_${pid}_`));
        assert.ok(leading, `${was} leads`);
        await leading.kill();
        await until('another operator leads', async () => (await leader(plane)) !== was);
      });
    });

    it(`by an API server that is away for ${awayMs / 1000} s`, async (t) => {
      await disturbed(t, 'svc-3', async () => {
        await plane.stopApiserver();
        await delay(awayMs);
        await plane.startApiserver();
      });
    });

    /** One batch after the other is met in one state after the other. */
    async function disturbed(t: TestContext, revision: string, disturb: () => Promise<void>): Promise<void> {
      await using moves = new Moves(plane.client, 'svc');
      const met = async (state: BatchStatus['state'], number?: number): Promise<void> => {
        await reached(
          plane,
          revision,
          (batch) => batch.number === (number ?? batch.number) && batch.state === state,
        );
        const begun = performance.now();
        await disturb();
        t.diagnostic(`${kind}: ${state}: disturbed for ${seconds(begun)}`);
      };
      await cluster.revision(revision);
      await cluster.set('svc', { revision, rollout: gated(gate.url), paused: true });
      await met('Paused');
      await setPaused(false);
      await met('Updating', 1);
      await reached(plane, revision, (batch) => batch.number === 2);
      gate.close();
      await met('Inspecting', 2);
      await setWindows([{ days: [dayAfterTomorrow()], from: '10:00', to: '11:00', timeZone: 'UTC' }]);
      gate.open();
      await met('Waiting', 2);
      await setWindows([]);
      await met('Observing', 3);
      await reached(plane, revision, ({ state }) => state === 'Done');
      await moves.end();
      assert.deepEqual(moves.problems(revision, names, sizes, installMs + observationMs), []);
    }

    const setPaused = (paused: boolean): Promise<void> => change({ paused });
    const setWindows = (windows: Rollout['windows']): Promise<void> => change({ rollout: { windows } });

    /** Resolves when the operator knows of it: its watch may have waited since the API server was away. */
    async function change(spec: object): Promise<void> {
      const patch = { type: 'merge', body: { spec } } as const;
      const { metadata } = await plane.client.patch(MachineComponentSet, 'svc', patch);
      await until('the operator knows of the change', async () => {
        const { status } = (await plane.client.get(MachineComponentSet, 'svc')) ?? {};
        return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
      });
    }
  });
}

function gated(url: string): Partial<Rollout> {
  return {
    batches: sizes.slice(0, 3),
    maxUnavailable: '100%',
    observation: `${observationMs / 1000}s`,
    inspections: [
      { name: 'all-well', type: 'BuiltIn', deadline: '10m' },
      { name: 'gate', type: 'Web', deadline: '10m', web: { url, method: 'GET' } },
    ],
  };
}

/** A window on that day is closed now, whatever the time. */
function dayAfterTomorrow(): NonNullable<Rollout['windows'][number]['days']>[number] {
  const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
  return days[(new Date().getUTCDay() + 2) % 7] ?? 'Sun';
}

function operator(dir: string, name: string, plane: Plane): Process {
  return new Process(name, join(dir, `${name}.log`), [program, 'operator', '--kubeconfig', plane.kubeconfig]);
}

/** Starts again what has ended, as whoever runs operators does. */
function supervise(operators: readonly Process[]): () => Promise<void> {
  const stop = new AbortController();
  const ended = (async () => {
    while (!stop.signal.aborted) {
      for (const one of operators) if (one.pid === undefined) await one.start();
      await delay(500, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stop.abort();
    await ended;
  };
}

/** Who leads, once somebody does. */
async function leader(plane: Plane): Promise<string> {
  return await until('an operator leads', async () => {
    const lease = await plane.client.get(Lease, { namespace: systemNamespace, name: operatorLease });
    return lease?.spec?.holderIdentity;
  });
}

async function reached(plane: Plane, revision: string, fits: (batch: BatchStatus) => boolean): Promise<void> {
  let last: unknown;
  await until(
    `the rollout of ${revision} gets on`,
    async () => {
      const { status } = (await plane.client.get(MachineComponentSet, 'svc')) ?? {};
      last = status?.batch;
      return status?.updateRevision === revision && status.batch !== undefined && fits(status.batch);
    },
    () => last,
  );
}

async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  seen: () => unknown = () => '',
): Promise<T> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false && found !== '') return found;
    if (Date.now() > deadline) throw new Error(`not in time: ${what} ${JSON.stringify(seen())}`);
    await delay(20);
  }
}

function seconds(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}
