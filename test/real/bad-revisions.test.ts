/**
 * Bad revisions, each bad in a way of its own: the first batch gets it and no other, is back on the last good one by itself, and the set is
 * paused and says where, at which step and why. A fixed revision goes through without anybody touching the hosts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import { applyManifests } from '../../demo/src/manifests.ts';
import { type BadRevision, badRevisions } from './bad-revisions.ts';
import { type Fleet, type PlaneKind, startFleet } from './fleet.ts';

for (const plane of ['embedded', 'kubernetes'] satisfies PlaneKind[]) {
  describe(`bad revisions, on the ${plane} control plane`, () => {
    let fleet: Fleet;
    let made: Awaited<ReturnType<typeof badRevisions>>;

    before(async () => {
      fleet = await startFleet({ plane, hosts: 3, components: ['sysctl'] });
      made = await badRevisions(fleet.supply.fileServer);
      await applyManifests(
        fleet.client,
        made.cases.flatMap(({ name }) => [made.revision(name, 1) as never, setOf(name, 1)]),
      );
      await Promise.all(fleet.lab.hosts.map((host) => fleet.import(host)));
      await fleet.untilReady(fleet.lab.hosts, made.cases.length);
    });
    after(async () => fleet?.close());

    test('reach the first batch only, which is back on the good one; the set is paused and says why', async (t) => {
      const begun = performance.now();
      await applyManifests(
        fleet.client,
        made.cases.flatMap(({ name, bad }) => [made.revision(name, 2, bad) as never, setOf(name, 2, '40s')]),
      );
      await Promise.all(
        made.cases.map((bad) =>
          t.test(bad.name, async (one) => {
            await isPaused(fleet, bad);
            one.diagnostic(`${plane}: ${bad.name}: paused after ${seconds(begun)}`);
            const host = await isBack(fleet, bad.name);
            one.diagnostic(`${plane}: ${bad.name}: ${host} back on the good one after ${seconds(begun)}`);
          }),
        ),
      );
    });

    test('a fixed revision goes through, and nobody touches the hosts', async () => {
      await applyManifests(
        fleet.client,
        made.cases.flatMap(({ name }) => [made.revision(name, 3) as never, setOf(name, 3)]),
      );
      await fleet.untilReady(fleet.lab.hosts, made.cases.length);
      for (const { name } of made.cases) {
        const set = await fleet.client.get(MachineComponentSet, name);
        assert.deepEqual([set?.status?.currentRevision, set?.status?.ready], [`${name}-3`, 3]);
        assert.equal(set?.status?.halted, undefined);
      }
    });
  });
}

function setOf(name: string, number: number, observation = '0s'): never {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name },
    spec: {
      component: name,
      revision: `${name}-${number}`,
      rollout: {
        batches: [1, 2],
        maxUnavailable: 2,
        observation,
        inspections: [{ name: 'all-well', type: 'BuiltIn' }],
      },
    },
  } as never;
}

async function isPaused(fleet: Fleet, { name, step, cause }: BadRevision): Promise<void> {
  const seen = async () => (await fleet.client.get(MachineComponentSet, name))?.status;
  const status = await fleet.until(
    `${name} is paused`,
    async () => {
      const now = await seen();
      const paused = now?.conditions?.find(({ type }) => type === 'Paused');
      return now?.batch?.state === 'Paused' && paused?.status === 'True' && now;
    },
    180_000,
    seen,
  );
  const said = `${status.batch?.reason} ${status.conditions?.find(({ type }) => type === 'Paused')?.message}`;
  assert.match(said, /\bh[123]\b/, said);
  assert.match(said, step, said);
  assert.match(said, cause, said);
  assert.deepEqual([status.failedRevision, status.currentRevision], [`${name}-2`, `${name}-1`]);
}

/** One machine was told the bad revision and runs the good one; the others were told nothing. @returns its name. */
async function isBack(fleet: Fleet, name: string): Promise<string> {
  const look = async () => {
    const { items } = await fleet.client.list(Machine);
    return items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      told: spec.components?.find((entry) => entry.name === name)?.revision,
      is: status?.components?.find((component) => component.name === name),
    }));
  };
  const machines = await fleet.until(
    `all run ${name}-1 again`,
    async () => {
      const all = await look();
      return all.every(({ is }) => is?.running === `${name}-1` && is.correct?.running === 'True') && all;
    },
    60_000,
    look,
  );
  const told = machines.filter(({ told }) => told === `${name}-2`);
  assert.equal(told.length, 1, JSON.stringify(machines));
  const [first] = told;
  assert.equal(first?.is?.failed?.revision, `${name}-2`);
  for (const host of fleet.lab.hosts) {
    const { stdout } = await host.exec(['systemctl', 'is-active', `${name}.service`], { allowFailure: true });
    assert.equal(stdout.trim(), 'active', `${name} on ${host.name}`);
  }
  return first?.name ?? '';
}

function seconds(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}
