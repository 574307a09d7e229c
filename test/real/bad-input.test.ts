/** Bad input of every sort: told clearly, in status and as an event, with what to do; and everything else goes on. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MachineComponentStatus, MachineImportSpec } from '@kubenode/api';
import { Machine, MachineComponent, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { ApiError, Event } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { type BadComponent, badComponents } from './bad-components.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { processesOf } from './processes.ts';

describe('bad input', () => {
  let fleet: Fleet;
  let cases: readonly BadComponent[];

  before(async () => {
    fleet = await startFleet({ plane: 'embedded', hosts: 2, components: ['rsyslog'] });
    const h1 = fleet.host('h1');
    await fleet.applyComponents();
    await fleet.import(h1, { labels: { bad: 'yes' } });
    await fleet.untilReady([h1], 1);
    cases = await badComponents(fleet.supply.fileServer, h1);
  });
  after(() => fleet?.close());

  test('in components: each is told, and what is well comes in beside them', async (t) => {
    const was = await processesOf(fleet.host('h1'));
    await applyManifests(fleet.client, [
      ...cases.map(({ name, spec }) => setOf(name, spec)),
      setOf('well', { files: [{ path: '/run/kubenode-test/well', content: 'well\n' }] }),
    ]);
    await fleet.until('what is well is Ready', async () => (await told('well'))?.state === 'Ready', 60_000);
    for (const { name, says, reason } of cases) {
      await t.test(name, async () => {
        const found = await fleet.until(
          `${name} is told`,
          async () => {
            const status = await told(name);
            return says.test(textOf(status)) ? status : undefined;
          },
          120_000,
          () => told(name),
        );
        assert.notEqual(found.state, 'Ready');
        await toldAsEvent('Machine', 'h1', reason, says);
      });
    }
    const h1 = fleet.host('h1');
    const leftovers = await h1.exec(['find', '/bad', '-type', 'f'], { allowFailure: true });
    assert.equal(leftovers.stdout, '', 'something half done was left');
    const is = await processesOf(h1);
    for (const [name, line] of was) if (/rsyslog|kubenode/.test(name)) assert.equal(is.get(name), line);
    assert.equal((await told('rsyslog'))?.state, 'Ready');
  });

  test('a download that stops half-way once is carried on', async () => {
    const { fileServer } = fleet.supply;
    const digest = await fileServer.put('/half', 'x'.repeat(100_000));
    fileServer.misbehave('/half', { kind: 'truncate', bytes: 50_000, times: 1 });
    const url = 'http://artifacts.lab/half';
    await applyManifests(fleet.client, [
      setOf('half', {
        artifacts: [{ arch: 'amd64', file: { url, digest, path: '/run/kubenode-test/half', mode: '0644' } }],
      }),
    ]);
    await fleet.until('it is Ready', async () => (await told('half'))?.state === 'Ready', 60_000);
    const asked = fileServer.requests.filter((request) => request.includes('/half'));
    assert.equal(asked.length, 2, asked.join(', '));
  });

  test('what was wrong is mended, and the object goes on', async () => {
    fleet.supply.fileServer.behave();
    await applyManifests(fleet.client, [
      setOf('unknown-variable', { files: [{ path: '/run/kubenode-test/mended', content: 'now well\n' }] }),
    ]);
    await fleet.until('it is Ready', async () => (await told('unknown-variable'))?.state === 'Ready', 60_000);
  });

  describe('in sets', () => {
    test('two of the same priority', async () => {
      const spec = { files: [{ path: '/run/kubenode-test/tied', content: 'tied\n' }] };
      await applyManifests(fleet.client, [
        setOf('tied', spec),
        { ...setOf('tied', spec), metadata: { name: 'tied-too' } } as never,
      ]);
      for (const name of ['tied', 'tied-too']) {
        const other = name === 'tied' ? 'tied-too' : 'tied';
        const message = await conditionOf(name, 'Conflicted', 'True');
        assert.match(message, new RegExp(`${other}.*priority|priority.*${other}`, 's'));
        await toldAsEvent('MachineComponentSet', name, 'Conflicted', new RegExp(other));
      }
      await fleet.client.delete(MachineComponentSet, 'tied-too');
      await fleet.until('the other goes on', async () => (await told('tied'))?.state === 'Ready', 60_000);
    });

    test('a revision that does not exist', async () => {
      await applyManifests(fleet.client, [
        {
          ...setOf('nowhere', {}),
          spec: { component: 'nowhere', revision: 'nowhere-1' },
        } as never,
      ]);
      assert.match(await conditionOf('nowhere', 'Ready', 'False'), /spec\.revision.*nowhere-1/);
      await toldAsEvent('MachineComponentSet', 'nowhere', 'RevisionNotFound', /nowhere-1/);
    });

    test('a revision of another component', async () => {
      const { items } = await fleet.client.list(MachineComponent);
      const revision = items.find(({ spec }) => spec.component === 'rsyslog')?.metadata.name;
      await applyManifests(fleet.client, [
        { ...setOf('stray', {}), spec: { component: 'stray', revision } } as never,
      ]);
      assert.match(await conditionOf('stray', 'Ready', 'False'), /rsyslog/);
      await toldAsEvent('MachineComponentSet', 'stray', 'WrongComponent', /rsyslog/);
    });

    test('a field misspelt', async () => {
      const wrong = {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'MachineComponentSet',
        metadata: { name: 'misspelt' },
        spec: { component: 'x', revision: 'x-1', prioriti: 3 },
      };
      await assert.rejects(
        fleet.client.raw(
          'POST',
          '/apis/kubenode.io/v1alpha1/machinecomponentsets?fieldValidation=Strict',
          wrong,
        ),
        (error: unknown) => error instanceof ApiError && /unknown field "spec\.prioriti"/.test(error.message),
      );
      const { prioriti: _, ...spec } = wrong.spec;
      await assert.rejects(
        fleet.client.raw('POST', '/apis/kubenode.io/v1alpha1/machinecomponentsets', {
          ...wrong,
          spec: { ...spec, priority: 'high' },
        }),
        (error: unknown) => error instanceof ApiError && /spec\.priority/.test(error.message),
      );
    });
  });

  describe('in imports', () => {
    const attempts: Readonly<Record<string, () => Attempt>> = {
      'a host key that differs': () => ({
        ssh: { hostKey: fleet.host('h1').hostKey },
        says: /spec\.ssh\.hostKey/,
      }),
      'no host key': () => ({
        ssh: { hostKey: undefined },
        says: new RegExp(keyOf(fleet.host('h2').hostKey)),
      }),
      'ssh refused': () => ({ ssh: { port: 23 }, says: /port 23|:23/ }),
      'nobody at the address': () => ({
        ssh: { address: fleet.lab.address.replace(/\d+$/, '250') },
        says: /\.250/,
      }),
      'a wrong user': () => ({ ssh: { user: 'nobody-here' }, says: /nobody-here/ }),
      'no root': () => ({ ssh: { user: 'alice' }, says: /alice.*sudo/s }),
      'no such Secret': () => ({ ssh: { keySecretName: 'no-key' }, says: /no-key/ }),
      'a name in use': () => ({ machine: 'h1', says: /h1/ }),
    };
    let count = 0;

    before(async () => {
      const h2 = fleet.host('h2');
      await h2.exec(['useradd', '--create-home', '--shell', '/bin/sh', 'alice']);
      await h2.exec(['cp', '-r', '/root/.ssh', '/home/alice/.ssh']);
      await h2.exec(['chown', '-R', 'alice:alice', '/home/alice/.ssh']);
    });

    for (const [what, attempt] of Object.entries(attempts)) {
      test(what, async () => {
        await isRefused(attempt());
      });
    }

    /** What these programs say is all that an import knows of a host's system, clock and room. */
    const hosts: Readonly<Record<string, { program: string; script: string; says: RegExp }>> = {
      'not Linux': { program: 'uname', script: 'echo Plan9', says: /Plan9.*only Linux/ },
      'an architecture without an agent': {
        program: 'uname',
        script: 'case $1 in -m) echo riscv64 ;; *) exec /usr/bin/uname "$@" ;; esac',
        says: /riscv64/,
      },
      'a clock wrong by a day': {
        program: 'date',
        script: 'exec /usr/bin/date -d "-1 day" "$@"',
        says: /clock is 24 hours behind.*set it/,
      },
    };
    for (const [what, { program, script, says }] of Object.entries(hosts)) {
      test(what, async () => {
        const h2 = fleet.host('h2');
        const path = `/usr/local/bin/${program}`;
        await h2.exec(['sh', '-c', 'cat > "$1" && chmod +x "$1"', 'sh', path], {
          stdin: `#!/bin/sh\n${script}\n`,
        });
        try {
          await isRefused({ says });
        } finally {
          await h2.exec(['rm', path]);
        }
      });
    }

    test('a full disk', async () => {
      const h2 = fleet.host('h2');
      await h2.exec(['mkdir', '-p', '/opt/kubenode']);
      await h2.exec(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/opt/kubenode']);
      try {
        await isRefused({ says: /\/opt\/kubenode.*make room/ });
      } finally {
        await h2.exec(['umount', '/opt/kubenode']);
      }
    });

    test('after all of it nothing of KubeNode is on that host, and it can be imported', async () => {
      const h2 = fleet.host('h2');
      const { stdout } = await h2.exec(
        ['find', '/etc/kubenode', '/var/lib/kubenode', '/opt/kubenode', '-type', 'f'],
        { allowFailure: true },
      );
      // The lab's own, about its registry.
      assert.equal(stdout.trim(), '/etc/kubenode/sources.json');
      const { items } = await fleet.client.list(MachineImport);
      for (const { metadata } of items)
        if (metadata.name.startsWith('bad-')) await fleet.client.delete(MachineImport, metadata.name);
      await fleet.import(h2, { labels: { bad: 'no' } });
      await fleet.until('h2 is Ready', async () =>
        (await fleet.client.get(Machine, 'h2'))?.status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
      );
    });

    async function isRefused({ ssh = {}, machine, says }: Attempt): Promise<void> {
      count += 1;
      const name = `bad-${count}`;
      const host = fleet.host('h2');
      const { hostKey, ...rest } = { hostKey: host.hostKey, ...ssh };
      await applyManifests(fleet.client, [
        {
          apiVersion: 'kubenode.io/v1alpha1',
          kind: 'MachineImport',
          metadata: { name },
          spec: {
            state: 'Imported',
            ssh: {
              address: host.address,
              keySecretName: 'lab-ssh-key',
              ...rest,
              ...(hostKey === undefined ? {} : { hostKey }),
            },
            machine: { name: machine ?? name },
          },
        } as never,
      ]);
      const read = async () => (await fleet.client.get(MachineImport, name))?.status;
      const step = await fleet.until(
        `${name} fails with ${says}`,
        async () =>
          (await read())?.steps?.find(({ state, message }) => state === 'Failed' && says.test(message ?? '')),
        60_000,
        read,
      );
      const status = await read();
      assert.equal(status?.phase, 'Failed');
      assert.match(status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', says);
      await toldAsEvent('MachineImport', name, `${step.name}Failed`, says);
      if (machine === undefined) assert.equal(await fleet.client.get(Machine, name), undefined);
    }
  });

  async function told(component: string): Promise<MachineComponentStatus | undefined> {
    const machine = await fleet.client.get(Machine, 'h1');
    return machine?.status?.components?.find(({ name }) => name === component);
  }

  async function conditionOf(set: string, type: string, status: string): Promise<string> {
    const find = async () => (await fleet.client.get(MachineComponentSet, set))?.status?.conditions;
    const found = await fleet.until(
      `${set} is ${type}=${status}`,
      async () => (await find())?.find((one) => one.type === type && one.status === status),
      60_000,
      find,
    );
    return found.message;
  }

  async function toldAsEvent(kind: string, name: string, reason: string, says: RegExp): Promise<void> {
    const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
    const list = async () => (await fleet.client.list(Event, { fieldSelector })).items;
    const event = await fleet.until(
      `an event ${reason} of ${kind} ${name} with ${says}`,
      async () => (await list()).find((one) => one.reason === reason && says.test(one.message ?? '')),
      30_000,
      async () => (await list()).map((one) => `${one.reason}: ${one.message}`),
    );
    assert.equal(event.type, 'Warning');
  }
});

interface Attempt {
  readonly ssh?: Partial<Omit<MachineImportSpec['ssh'], 'hostKey'>> & { hostKey?: string | undefined };
  readonly machine?: string;
  readonly says: RegExp;
}

/** A set for the machines labelled bad=yes, with its revision written in place. */
function setOf(name: string, spec: object) {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name },
    spec: {
      component: name,
      selector: { matchLabels: { bad: 'yes' } },
      template: { spec: { component: name, version: '1', disruption: 'None', ...spec } },
      rollout: { batches: ['100%'], maxUnavailable: '100%' },
    },
  };
}

function textOf(status: MachineComponentStatus | undefined): string {
  return `${status?.message ?? ''}\n${status?.failed?.message ?? ''}`;
}

/** The key itself, of `ssh-ed25519 AAAA...`, for a pattern. */
function keyOf(hostKey: string): string {
  return (hostKey.split(' ')[1] ?? '').replaceAll('+', '\\+');
}
