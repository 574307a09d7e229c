/** A GitOps tool's mistakes. Whatever it deletes, mistypes or forgets: on no host does anything stop, start or change. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { install, Machine, MachineComponent, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { CustomResourceDefinition, isNotFound, type Kind, type KubeObject } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { changes, type Fingerprint, fingerprint } from './fingerprint.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { processesOf } from './processes.ts';

const components = ['chrony', 'journald', 'logrotate', 'rsyslog', 'sysctl'];
const labels = { pool: 'web', 'kubenode.io/time-server': 'time.lab.invalid' };
/** What the agent itself notes down is no change of the host. */
const ownRecords = ['/var/lib/kubenode'];

describe('a mistake of a GitOps tool changes nothing on any host', () => {
  let fleet: Fleet;
  let was: Picture[];

  before(async () => {
    fleet = await startFleet({ plane: 'embedded', hosts: 2, components });
    await applyAll();
    await fleet.untilReady(fleet.lab.hosts, components.length);
    was = await pictures(fleet);
  });
  after(() => fleet?.close());

  /** All that stands in the repository of the GitOps tool. */
  async function applyAll(): Promise<void> {
    await fleet.applyComponents(undefined, (manifest) => {
      if (manifest.kind === 'MachineComponentSet')
        manifest.spec['selector'] = { matchLabels: { pool: 'web' } };
    });
    for (const host of fleet.lab.hosts) await fleet.import(host, { labels });
  }

  /** The hosts are told something else, and do it: so they and the operator are past what happened before. */
  let markers = 0;
  async function allHaveSeenIt(): Promise<void> {
    markers += 1;
    const name = `marker-${markers}`;
    const path = `/run/kubenode-test/${name}`;
    await applyManifests(fleet.client, [
      {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'MachineComponentSet',
        metadata: { name },
        spec: {
          component: name,
          template: {
            spec: { component: name, version: '1', disruption: 'None', files: [{ path, content: 'seen\n' }] },
          },
          rollout: { batches: ['100%'], maxUnavailable: '100%' },
        },
      } as never,
    ]);
    await fleet.until(`${name} is on all hosts`, async () => {
      const machines = await fleet.client.list(Machine);
      return machines.items.every(({ status }) =>
        status?.components?.some((found) => found.name === name && found.state === 'Ready'),
      );
    });
  }

  async function nothingChanged(): Promise<void> {
    assert.deepEqual(await harm(fleet, was), []);
  }

  async function entryOf(machine: string, component: string) {
    return (await fleet.client.get(Machine, machine))?.spec.components?.find(
      ({ name }) => name === component,
    );
  }

  test('a set is deleted', async () => {
    await fleet.client.delete(MachineComponentSet, 'chrony');
    await gone(MachineComponentSet, 'chrony');
    await allHaveSeenIt();
    await nothingChanged();
    assert.equal((await entryOf('h1', 'chrony'))?.state, 'Present');
    await mended();
  });

  test('all sets are deleted at once', async () => {
    await fleet.client.raw('DELETE', '/apis/kubenode.io/v1alpha1/machinecomponentsets');
    await allHaveSeenIt();
    await nothingChanged();
    await mended();
  });

  test('a selector is mistyped', async () => {
    await fleet.client.patch(MachineComponentSet, 'rsyslog', {
      type: 'merge',
      body: { spec: { selector: { matchLabels: { pool: 'wbe' } } } },
    });
    await fleet.until('the set decides for none', async () => {
      const set = await fleet.client.get(MachineComponentSet, 'rsyslog');
      return set?.status?.observedGeneration === set?.metadata.generation && set?.status?.machines === 0;
    });
    await allHaveSeenIt();
    await nothingChanged();
    await mended();
  });

  test('the labels of all Machines are wiped', async () => {
    for (const { name } of fleet.lab.hosts)
      await fleet.client.patch(Machine, name, { type: 'merge', body: { metadata: { labels: null } } });
    await fleet.until(
      'the sets decide for none',
      async () => (await fleet.client.get(MachineComponentSet, 'chrony'))?.status?.machines === 0,
    );
    await allHaveSeenIt();
    await nothingChanged();
    for (const { name } of fleet.lab.hosts)
      await fleet.client.patch(Machine, name, { type: 'merge', body: { metadata: { labels } } });
    await mended();
  });

  test('a revision is deleted: it stays while machines name it', async () => {
    const [revision] = await revisionsOf('rsyslog');
    assert.ok(revision);
    await fleet.client.delete(MachineComponent, revision);
    const found = await fleet.client.get(MachineComponent, revision);
    assert.ok(found?.metadata.deletionTimestamp);
    assert.deepEqual(found.metadata.finalizers, ['kubenode.io/in-use']);
    await allHaveSeenIt();
    await nothingChanged();
  });

  test('it is torn out, and made again with other content: agents refuse what only has its name', async () => {
    const [revision] = await revisionsOf('rsyslog');
    assert.ok(revision);
    // The operator would hold the revision, and would bring what is new under an old name batch by batch, as any change.
    await fleet.operator.kill();
    await tearOut(revision);
    await fleet.applyComponents(['rsyslog'], (manifest) => {
      if (manifest.kind === 'MachineComponent')
        manifest.spec['files'] = [{ path: '/etc/rsyslog.conf', content: '# empty\n' }];
    });
    for (const host of fleet.lab.hosts) {
      await host.exec(['systemctl', 'restart', 'kubenode-agent']);
      await fleet.until(`${host.name} reports again`, async () => {
        const machine = await fleet.client.get(Machine, host.name);
        const found = machine?.status?.components?.find(({ name }) => name === 'rsyslog');
        return found?.state === 'Ready' && found.running === revision;
      });
    }
    assert.deepEqual(
      (await harm(fleet, was)).filter((line) => !line.includes('kubenode-agent.service')),
      [],
    );
    was = await pictures(fleet);

    await tearOut(revision);
    await applyAll();
    await fleet.operator.start();
    await allHaveSeenIt();
    await fleet.untilReady(fleet.lab.hosts, components.length);
    await nothingChanged();
  });

  test('the imports are deleted', async () => {
    for (const { name } of fleet.lab.hosts) await fleet.client.delete(MachineImport, name);
    await allHaveSeenIt();
    await nothingChanged();
  });

  test('the definitions are deleted, and applied again with all that stood in the repository', async () => {
    const plurals = ['machines', 'machinecomponentsets', 'machinecomponents', 'machineimports'];
    for (const plural of plurals)
      await fleet.client.delete(CustomResourceDefinition, `${plural}.kubenode.io`);
    for (const plural of plurals) await gone(CustomResourceDefinition, `${plural}.kubenode.io`);
    await nothingChanged();
    await install(fleet.client, AbortSignal.timeout(30_000));
    await importedAgain();
  });

  test('a Machine with the policy Retain is deleted', async () => {
    for (const { name } of fleet.lab.hosts) {
      await fleet.client.delete(MachineImport, name);
      await fleet.client.delete(Machine, name);
      await gone(Machine, name);
    }
    for (const host of fleet.lab.hosts)
      await fleet.until(`the agent of ${host.name} says so`, async () => {
        const { stdout } = await host.exec(['journalctl', '-u', 'kubenode-agent', '-n', '20', '-o', 'cat']);
        return stdout.includes('the Machine does not exist; the host is held as it is');
      });
    await nothingChanged();
    await importedAgain();
  });

  /** Import starts the agent anew and gives it a new token; the components run on. */
  async function importedAgain(): Promise<void> {
    await applyAll();
    await fleet.untilReady(fleet.lab.hosts, components.length);
    const own = /kubenode-agent\.service|\/etc\/kubenode\/bootstrap-token/;
    assert.deepEqual(
      (await harm(fleet, was)).filter((line) => !own.test(line)),
      [],
    );
    was = await pictures(fleet);
  }

  /** The tool applies again what stands in its repository. */
  async function mended(): Promise<void> {
    await applyAll();
    await fleet.untilReady(fleet.lab.hosts, components.length);
    await nothingChanged();
  }

  async function gone<T extends KubeObject>(kind: Kind<T>, name: string): Promise<void> {
    await fleet.until(
      `${kind.kind} ${name} is gone`,
      async () => (await fleet.client.get(kind, name)) === undefined,
    );
  }

  async function tearOut(revision: string): Promise<void> {
    await fleet.client.delete(MachineComponent, revision);
    await fleet.client
      .patch(MachineComponent, revision, {
        type: 'merge',
        body: { metadata: { finalizers: null } },
      })
      .catch((error: unknown) => assert.ok(isNotFound(error), String(error)));
    await gone(MachineComponent, revision);
  }

  async function revisionsOf(component: string): Promise<string[]> {
    const { items } = await fleet.client.list(MachineComponent);
    return items.filter(({ spec }) => spec.component === component).map(({ metadata }) => metadata.name);
  }
});

interface Picture {
  readonly host: Fingerprint;
  readonly processes: ReadonlyMap<string, string>;
}

async function pictures({ lab }: Fleet): Promise<Picture[]> {
  return Promise.all(
    lab.hosts.map(async (host) => ({
      host: await fingerprint(host, ownRecords),
      processes: await processesOf(host),
    })),
  );
}

/** What is otherwise on the hosts than it was; services that run besides are none of KubeNode's. */
async function harm(fleet: Fleet, was: readonly Picture[]): Promise<string[]> {
  const is = await pictures(fleet);
  return was.flatMap((before, i) => {
    const now = is[i];
    if (now === undefined) return [`h${i + 1} is gone`];
    const services = [...before.processes]
      .filter(([name, line]) => now.processes.get(name) !== line)
      .map(([name, line]) => `${name}: ${line} -> ${now.processes.get(name) ?? 'not running'}`);
    return [...changes(before.host, now.host), ...services].map((line) => `h${i + 1}: ${line}`);
  });
}
