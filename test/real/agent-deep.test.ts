/**
 * What an agent does by itself on a real host: it slows down where something keeps changing a file back, goes back from a revision that does
 * not stay healthy, and reboots once, with leave. KUBENODE_CONTEST_SECONDS says how long the fight over a file lasts; default 60, 300 is the whole.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { MachineComponentStatus, Machine as MachineObject } from '@kubenode/api';
import type { LabHost } from '@kubenode/lab';
import { Machine } from '@kubenode/machine';
import { Event } from '@kubenode/runtime';
import { applyManifests } from '../../demo/src/manifests.ts';
import { packDeb } from './deb.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { Follower } from './follow.ts';

const contestSeconds = Number(process.env['KUBENODE_CONTEST_SECONDS'] ?? 60);
/** Ticks of a second in /proc/PID/stat (USER_HZ). */
const ticks = 100;

describe('an agent by itself', () => {
  let fleet: Fleet;
  let host: LabHost;
  /** The process of what was gone back to, by unit. */
  const running = new Map<string, string>();

  before(async () => {
    fleet = await startFleet({ plane: 'embedded', hosts: 1, components: ['rsyslog'] });
    [host] = fleet.lab.hosts as [LabHost];
    await fleet.applyComponents();
    await fleet.import(host);
    await fleet.untilReady([host], 1);
  });
  after(async () => fleet?.close());

  it('says that a file is contested, spends little on it, and is Ready by itself afterwards', async (t) => {
    const path = '/etc/contested.conf';
    await apply('contested', '1', { files: [{ path, content: 'right\n', onChange: 'None' }] });
    await using follower = new Follower(fleet.client, host.name, 'contested');
    await follower.until('it is Ready', 0, ({ state }) => state === 'Ready');
    const writes = new Writes();
    void writes.count(fleet, host.name);
    const begun = performance.now();
    const before = await cpuTicks();
    const program = `while (1) { open my $f, '>', '${path}'; print $f time, "\\n"; close $f; sleep 1 }`;
    await host.exec(['systemd-run', '--quiet', '--unit=rewriter', '/usr/bin/perl', '-e', program]);
    await fleet.until(
      'the fight has lasted long enough',
      async () => performance.now() - begun > contestSeconds * 1000,
      (contestSeconds + 60) * 1000,
    );
    const seconds = (performance.now() - begun) / 1000;
    const share = ((await cpuTicks()) - before) / ticks / seconds;
    const status = await statusOf('contested');
    assert.equal(status?.state, 'Degraded');
    assert.match(
      status?.message ?? '',
      /\/etc\/contested\.conf: content: contested, .*put right \d+ times in \d+ s; now/,
    );
    const during = writes.seen;
    await host.exec(['systemctl', 'stop', 'rewriter.service']);
    const stopped = performance.now();
    const ready = await follower.until(
      'it is Ready again',
      stopped,
      ({ state }) => state === 'Ready',
      75_000,
    );
    writes.end();
    assert.equal((await host.exec(['cat', path])).stdout, 'right\n');
    const { items } = await fleet.client.list(Event);
    const told = items.filter(
      ({ reason, message }) => /Drift/.test(reason ?? '') && /contested/.test(message ?? ''),
    );
    const events = told.reduce((sum, { count }) => sum + (count ?? 1), 0);
    t.diagnostic(
      `${Math.round(seconds)} s of fight: agent ${(share * 100).toFixed(2)} % of a core, ${during} writes by the agent, ${events} events; Ready ${Math.round(ready / 1000)} s after its end`,
    );
    assert.ok(share < 0.02, `the agent used ${(share * 100).toFixed(2)} % of a core`);
    assert.ok(during <= 6, `${during} writes of the Machine\n${follower.toldSince(begun)}`);
    assert.ok(events <= 6, told.map(({ message }) => message).join('\n'));
  });

  const mortalUnit = (name: string, command: string): object => ({
    disruption: 'Restart',
    progressDeadline: '2m',
    unit: {
      name: `${name}.service`,
      content: `[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=${command}\nRestart=always\nRestartSec=100ms\n[Install]\nWantedBy=multi-user.target\n`,
    },
  });
  const mortals: readonly {
    component: string;
    what: string;
    spec: (version: '1' | '2') => Promise<object>;
    /** Before the second version comes. */
    meanwhile?: () => Promise<void>;
    /** What tells that the first is there again. */
    sign: readonly string[];
    says: RegExp;
  }[] = [
    {
      component: 'mortal',
      what: 'a revision whose program is up again whenever somebody looks',
      spec: async (version) =>
        mortalUnit(
          'mortal',
          version === '1' ? '/bin/sleep infinity' : `/usr/bin/perl -e 'sleep 8; die qq(dies of old age)'`,
        ),
      sign: ['grep', '-o', 'sleep infinity', '/etc/systemd/system/mortal.service'],
      says: /^sleep infinity$/m,
    },
    {
      component: 'mortal-deb',
      what: 'a Debian package whose service crashes, by the package before, which nobody serves any more',
      spec: mortalPackage,
      meanwhile: () => rm(join(fleet.supply.fileServer.dir, debPath('1'))),
      sign: ['dpkg-query', '--show', '--showformat=${db:Status-Abbrev}${Version}\\n', 'mortal-deb'],
      says: /^hi +1$/m,
    },
  ];
  describe('goes back', { concurrency: true }, () => {
    for (const { component, what, spec, meanwhile, sign, says } of mortals) {
      it(`from ${what}`, async (t) => {
        const unit = `${component}.service`;
        await apply(component, '1', await spec('1'));
        await using follower = new Follower(fleet.client, host.name, component);
        await follower.until('the first is Ready', 0, ({ state }) => state === 'Ready');
        await meanwhile?.();
        const begun = performance.now();
        await apply(component, '2', await spec('2'));
        await follower.until(
          'the second is Ready',
          begun,
          ({ state, version }) => state === 'Ready' && version === '2',
        );
        const took = await follower.until('it is back', begun, ({ state }) => state === 'Failed', 90_000);
        const status = await fleet.until(
          'the first runs well',
          async () => {
            const now = await statusOf(component);
            return now?.version === '1' && now.correct?.running === 'True' ? now : undefined;
          },
          30_000,
          () => statusOf(component),
        );
        assert.equal(status.failed?.step, 'observe');
        assert.match(
          status.failed?.message ?? '',
          new RegExp(`${component}\\.service: its process ends.*dies of old age`, 's'),
        );
        assert.match((await host.exec(sign)).stdout, says);
        running.set(unit, await pidOf(unit));
        t.diagnostic(`back ${Math.round(took / 1000)} s after it was moved: ${status.failed?.message}`);
      });
    }
  });

  it('runs hooks within limits, without credentials, and ends one that hangs with its children', async () => {
    const hook = (command: readonly string[]): object => ({
      files: [{ path: '/run/kubenode-test/never', content: 'x' }],
      hooks: { preInstall: { command, timeout: '3s' } },
    });
    const look = 'cat /etc/kubenode/agent.json /var/lib/kubenode/status.json; echo looked; exit 3';
    await apply('hungry', '1', hook(['/usr/bin/perl', '-e', 'my $x = "x" x 700_000_000; print "got it"']));
    await apply('nosy', '1', hook(['/bin/sh', '-c', look]));
    await apply('hanging', '1', hook(['/bin/sh', '-c', 'echo begun; sleep 4242 & sleep 4242']));
    const failure = async (name: string): Promise<string> =>
      await fleet.until(
        `${name} has failed`,
        async () => (await statusOf(name))?.failed?.message,
        60_000,
        () => statusOf(name),
      );
    const hungry = await failure('hungry');
    assert.match(hungry, /hook preInstall ended with exit status/);
    assert.doesNotMatch(hungry, /got it/);
    const nosy = await failure('nosy');
    assert.match(nosy, /exit status 3: .*looked$/s);
    assert.doesNotMatch(nosy, /caFile|observedGeneration/);
    assert.match(await failure('hanging'), /hook preInstall did not end within 3 s: begun/);
    const left = await host.exec(['sh', '-c', `grep -alz '^4242$' /proc/[0-9]*/cmdline`], {
      allowFailure: true,
    });
    assert.equal(left.stdout, '', 'a child of the hook still runs');
  });

  it('is held on what it went back to', async () => {
    assert.equal(running.size, mortals.length);
    for (const { component, sign, says } of mortals) {
      const status = await statusOf(component);
      assert.equal(status?.state, 'Failed');
      assert.equal(status.failed?.attempts, 1, 'the bad revision was not tried again');
      assert.equal(status.correct?.running, 'True');
      assert.match((await host.exec(sign)).stdout, says);
      assert.equal(await pidOf(`${component}.service`), running.get(`${component}.service`));
    }
  });

  it('reboots once, with leave, for all that wait for it, and proves it by the boot ID', async (t) => {
    const boot = await bootID();
    const boots = new Set([boot]);
    assert.equal((await fleet.client.get(Machine, host.name))?.status?.host?.bootID, boot);
    const file = (path: string): object => ({
      disruption: 'Reboot',
      progressDeadline: '2m',
      files: [{ path, content: 'x\n', onChange: 'None' }],
    });
    const begun = performance.now();
    await apply('kernel-a', '1', file('/etc/kernel-a'));
    await apply('kernel-b', '1', file('/etc/kernel-b'));
    await fleet.until(
      'both are Ready',
      async () => {
        const machine = await fleet.client.get(Machine, host.name);
        const told = machine?.status?.host?.bootID;
        if (told !== undefined) boots.add(told);
        const both = ['kernel-a', 'kernel-b'].map((name) => find(machine, name));
        return both.every((status) => status?.state === 'Ready');
      },
      150_000,
      async () => (await fleet.client.get(Machine, host.name))?.status,
    );
    assert.notEqual(await bootID(), boot);
    boots.add(await bootID());
    t.diagnostic(`both Ready ${Math.round((performance.now() - begun) / 1000)} s after they were asked for`);
    assert.equal(boots.size, 2, [...boots].join(', '));
    const used = await host.exec(['cat', '/var/lib/kubenode/reboots.json']);
    assert.equal((JSON.parse(used.stdout) as unknown[]).length, 1, used.stdout);
    assert.equal((await host.exec(['cat', '/etc/kernel-a', '/etc/kernel-b'])).stdout, 'x\nx\n');
  });

  function debPath(version: string): string {
    return `mortal-deb/${version}.deb`;
  }
  /** A program that runs on, or in its second version dies, in a package. */
  async function mortalPackage(version: '1' | '2'): Promise<object> {
    const end = version === '1' ? 'exec sleep infinity' : 'sleep 8; echo dies of old age; exit 1';
    const program = '/usr/lib/mortal-deb/daemon';
    const deb = await packDeb(join(fleet.dir, `deb-${version}`), 'mortal-deb', version, [
      { path: program.slice(1), content: `#!/bin/sh\n${end}\n`, mode: 0o755 },
    ]);
    const digest = await fleet.supply.fileServer.put(debPath(version), deb);
    const url = `http://artifacts.lab/${debPath(version)}`;
    return {
      ...mortalUnit('mortal-deb', program),
      artifacts: [{ os: 'linux', arch: 'amd64', package: { name: 'mortal-deb', version, url, digest } }],
    };
  }
  async function pidOf(unit: string): Promise<string> {
    return (await host.exec(['systemctl', 'show', '-P', 'MainPID', unit])).stdout.trim();
  }
  async function bootID(): Promise<string> {
    return (await host.exec(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
  }
  /** CPU time of the agent and of what it has run and waited for. */
  async function cpuTicks(): Promise<number> {
    const pid = await pidOf('kubenode-agent.service');
    const { stdout } = await host.exec(['cat', `/proc/${pid}/stat`]);
    const fields = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  }
  async function statusOf(component: string): Promise<MachineComponentStatus | undefined> {
    return find(await fleet.client.get(Machine, host.name), component);
  }
  async function apply(component: string, version: string, spec: object): Promise<void> {
    await applyManifests(fleet.client, [
      {
        apiVersion: 'kubenode.io/v1alpha1',
        kind: 'MachineComponentSet',
        metadata: { name: component },
        spec: {
          component,
          selector: {},
          template: { spec: { component, version, ...spec } },
          rollout: { batches: ['100%'], maxUnavailable: '100%' },
        },
      } as never,
    ]);
  }
});

function find(machine: MachineObject | undefined, component: string): MachineComponentStatus | undefined {
  return machine?.status?.components?.find(({ name }) => name === component);
}

/** Counts what its agent writes of a Machine; what controllers write because of it is not the agent's. */
class Writes {
  readonly #stop = new AbortController();
  #last = '';
  seen = -1;

  async count(fleet: Fleet, name: string): Promise<void> {
    const selection = { fieldSelector: `metadata.name=${name}`, signal: this.#stop.signal };
    for await (const event of fleet.client.watch(Machine, selection)) {
      if (!('object' in event)) continue;
      const { components, conditions } = event.object.status ?? {};
      const told = JSON.stringify([components, conditions?.find(({ type }) => type === 'ComponentsReady')]);
      if (told !== this.#last) this.seen++;
      this.#last = told;
    }
  }
  end(): void {
    this.#stop.abort();
  }
}
