/** A host loses its network in the middle of a download: it takes capacity while it is away, and catches up by itself when it is back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabHost } from '@kubenode/lab';
import { Machine, MachineComponentSet } from '@kubenode/machine';
import { applyManifests } from '../../demo/src/manifests.ts';
import { type Fleet, startFleet } from './fleet.ts';

/** How long the network is away: by default a little more than it takes to be counted unreachable. */
const cutMs = Number(process.env['KUBENODE_CUT_SECONDS'] ?? 210) * 1000;
const component = 'payload';
const bytes = 4 * 1024 * 1024;
/** So that a download takes ten seconds, and the cut is in the middle of it. */
const bytesPerSecond = bytes / 10;
const unreachableMs = 240_000;
const catchUpMs = 120_000;

describe('a host whose network is cut in the middle of a download', () => {
  let fleet: Fleet;
  let hosts: readonly LabHost[];
  let away: LabHost;
  let last: LabHost;
  let cutAt: number;
  /** How often the revision had been asked for before the cut. */
  let asked: number;

  before(async () => {
    fleet = await startFleet({ plane: 'embedded', hosts: 3, components: ['node-exporter'] });
    ({ hosts } = fleet.lab);
    await move(1);
    await Promise.all(hosts.map((host) => fleet.import(host)));
    await fleet.untilReady(hosts, 1);
  });
  after(() => fleet?.close());

  it('is the second of three, when one may be unavailable', async () => {
    await move(2);
    const [first] = await fleet.until('the first has it', async () => await having(2), 60_000, statuses);
    const moved = await fleet.until('the second is told', async () => {
      const names = await told(2);
      return names.length === 2 && names;
    });
    const [name = ''] = moved.filter((one) => one !== first);
    away = fleet.host(name);
    last = hosts.find((host) => !moved.includes(host.name)) as LabHost;
    await fleet.until(
      'the download is in its middle',
      async () => (await partOf(away)) > bytes / 4,
      60_000,
      statuses,
    );
    await away.net('cut');
    cutAt = Date.now();
    const part = await partOf(away);
    assert.ok(part < bytes, `${part} of ${bytes} bytes came`);
    asked = requests().length;
  });

  it('is counted unreachable', async (t) => {
    await fleet.until(
      `${away.name} is Unreachable`,
      async () => {
        const machine = await fleet.client.get(Machine, away.name);
        const set = await fleet.client.get(MachineComponentSet, component);
        return machine?.status?.phase === 'Unreachable' && set?.status?.unreachable === 1;
      },
      unreachableMs,
      statuses,
    );
    t.diagnostic(`told ${seconds(Date.now() - cutAt)} after the cut`);
    const ready = (await fleet.client.get(Machine, away.name))?.status?.conditions?.find(
      ({ type }) => type === 'Ready',
    );
    assert.equal(ready?.status, 'Unknown');
    assert.equal(ready.reason, 'AgentUnreachable');
  });

  it('takes capacity for as long as it is away: the third is not touched', async () => {
    do {
      assert.deepEqual((await told(2)).toSorted(), hosts.filter((host) => host !== last).map(nameOf));
      assert.deepEqual((await fleet.client.get(MachineComponentSet, component))?.status?.halted, undefined);
      await delay(Math.min(5_000, Math.max(0, cutAt + cutMs - Date.now())));
    } while (Date.now() < cutAt + cutMs);
    assert.equal(requests().length, asked, 'nobody downloaded meanwhile');
    const set = await fleet.client.get(MachineComponentSet, component);
    assert.equal(set?.status?.unreachable, 1);
    assert.equal(set.status.failed, 0);
  });

  it('goes on with its download when the network is back, and the rollout ends by itself', async (t) => {
    const part = await partOf(away);
    await away.net('join');
    const joinedAt = Date.now();
    await fleet.until(
      `${away.name} has it`,
      async () => (await having(2)).includes(away.name),
      catchUpMs,
      statuses,
    );
    t.diagnostic(
      `${away.name} has it ${seconds(Date.now() - joinedAt)} after the network was back; away for ${seconds(joinedAt - cutAt)}`,
    );
    const [resumed] = requests().slice(asked);
    assert.equal(resumed, `GET ${pathOf(2)} bytes=${part}-`);
    await fleet.until(
      'the rollout is over',
      async () => {
        const set = await fleet.client.get(MachineComponentSet, component);
        return set?.status?.currentRevision === revisionOf(2) && set.status.unreachable === 0;
      },
      catchUpMs,
      statuses,
    );
    await fleet.untilReady(hosts, 1, catchUpMs);
    t.diagnostic(`all have it ${seconds(Date.now() - joinedAt)} after the network was back`);
    const whole = createHash('sha256').update(contentOf(2)).digest('hex');
    for (const host of hosts)
      assert.ok((await host.exec(['sha256sum', '/opt/payload'])).stdout.startsWith(whole), host.name);
  });

  /** The next revision: a file of four MiB, which comes slowly, to one machine and then to two, of which one may be unavailable. */
  async function move(version: number): Promise<void> {
    const { fileServer } = fleet.supply;
    const digest = await fileServer.put(pathOf(version), contentOf(version));
    if (version > 1) fileServer.misbehave(pathOf(version), { kind: 'slow', bytesPerSecond });
    const file = { url: `http://artifacts.lab${pathOf(version)}`, digest, path: '/opt/payload' };
    const revision = revisionOf(version);
    const kubenode = { apiVersion: 'kubenode.io/v1alpha1' };
    await applyManifests(fleet.client, [
      {
        ...kubenode,
        kind: 'MachineComponent',
        metadata: { name: revision },
        spec: {
          component,
          version: String(version),
          artifacts: [{ arch: process.arch === 'x64' ? 'amd64' : process.arch, file }],
          disruption: 'None',
        },
      },
      {
        ...kubenode,
        kind: 'MachineComponentSet',
        metadata: { name: component },
        spec: { component, revision, rollout: { batches: [1, 2], maxUnavailable: 1 } },
      },
    ] as never);
  }

  /** Requests for the second revision. */
  function requests(): readonly string[] {
    return fleet.supply.fileServer.requests.filter((request) => request.includes(pathOf(2)));
  }

  /** Machines that were told of this version. */
  async function told(version: number): Promise<readonly string[]> {
    const { items } = await fleet.client.list(Machine);
    return items
      .filter(({ spec }) => spec.components?.some(({ revision }) => revision === revisionOf(version)))
      .map(({ metadata }) => metadata.name);
  }

  /** Machines that run this version and say so. */
  async function having(version: number): Promise<readonly string[]> {
    const { items } = await fleet.client.list(Machine);
    return items
      .filter(({ status }) =>
        status?.components?.some(
          ({ state, running }) => state === 'Ready' && running === revisionOf(version),
        ),
      )
      .map(({ metadata }) => metadata.name);
  }

  async function statuses(): Promise<unknown> {
    const { items } = await fleet.client.list(Machine);
    const log = ['journalctl', '--no-pager', '-o', 'cat', '-n', '20', '-u', 'kubenode-agent'];
    return {
      set: (await fleet.client.get(MachineComponentSet, component))?.status,
      machines: items.map(({ metadata, status }) => [metadata.name, status?.phase, status?.components]),
      requests: requests(),
      log: away === undefined ? [] : (await away.exec(log, { allowFailure: true })).stdout.split('\n'),
    };
  }
});

const pathOf = (version: number): string => `/payload-${version}`;
const revisionOf = (version: number): string => `${component}-${version}`;
const nameOf = ({ name }: LabHost): string => name;
const contentOf = (version: number): string => String(version).repeat(version === 1 ? 1 : bytes);

/** Bytes of the download that have come. */
async function partOf(host: LabHost): Promise<number> {
  const find = ['find', '/var/lib/kubenode/staged', '-name', '*.part', '-printf', '%s'];
  return Number((await host.exec(find, { allowFailure: true })).stdout);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`;
}
