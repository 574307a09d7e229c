/** The agent as a component: upgraded in batches, and back on the one before where the new one is bad, whatever is killed meanwhile. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MachineComponentStatus } from '@kubenode/api';
import type { LabHost } from '@kubenode/lab';
import { Machine, MachineComponentSet, NodeDisruptionBudget } from '@kubenode/machine';
import { applyManifests } from '../../demo/src/manifests.ts';
import { type AgentRevision, goodAgent, scriptAgent } from './agent-revisions.ts';
import { type Fleet, startFleet } from './fleet.ts';

const component = 'kubenode-agent';
const agentUnit = 'kubenode-agent.service';
const watchdogUnit = 'kubenode-agent-watchdog.service';
const executable = '/opt/kubenode/agent/current/kubenode-agent';
const upgradeMs = 120_000;

describe('upgrades of the agent', () => {
  let fleet: Fleet;
  let hosts: readonly LabHost[];
  let first: AgentRevision;
  let second: AgentRevision;
  let third: AgentRevision;
  /** The process of another component, by host. */
  const exporters = new Map<string, string>();

  before(async () => {
    fleet = await startFleet({ plane: 'embedded', hosts: 3, components: ['node-exporter'] });
    hosts = fleet.lab.hosts;
    const { fileServer } = fleet.supply;
    // What is killed on one host must not keep the others waiting for it.
    await fleet.until('the operator has made the budget', () =>
      fleet.client.get(NodeDisruptionBudget, 'default'),
    );
    await fleet.client.patch(NodeDisruptionBudget, 'default', {
      type: 'merge',
      body: {
        spec: {
          starts: { perMinute: 100, perHour: 1000, perDay: 1000 },
          concurrent: { cluster: '100%', perZone: '100%' },
          maxUnhealthy: '100%',
        },
      },
    });
    await fleet.applyComponents();
    for (const host of hosts) await fleet.import(host);
    first = await goodAgent(fileServer, '0.1.0');
    second = await goodAgent(fileServer, '0.2.0');
    third = await goodAgent(fileServer, '0.3.0');
    await fleet.untilReady(hosts, 1);
    for (const host of hosts) exporters.set(host.name, await pidOf(host, 'node-exporter.service'));
  });
  after(async () => fleet?.close());

  it('the agent that the import brought is adopted as it runs', async () => {
    const pids = await Promise.all(hosts.map((host) => pidOf(host, agentUnit)));
    await applyManifests(fleet.client, [first.manifest, setOf(first, [3])]);
    await untilOn(first, hosts);
    assert.deepEqual(await Promise.all(hosts.map((host) => pidOf(host, agentUnit))), pids);
  });

  it('the next one comes in batches of one and two, and nothing else is restarted', async (t) => {
    const begun = performance.now();
    const moved: string[][] = [];
    const stop = new AbortController();
    // A watcher of its own: who was moved while who had not reported yet.
    const watching = (async () => {
      for await (const event of fleet.client.watch(Machine, { signal: stop.signal })) {
        if (!('object' in event)) continue;
        const { items } = await fleet.client.list(Machine);
        const under = items.filter(({ spec }) =>
          spec.components?.some(({ name, revision }) => name === component && revision === second.name),
        );
        const names = under.map(({ metadata }) => metadata.name).toSorted();
        const ready = under.filter((machine) => isOn(machine.status?.components, second)).length;
        if (names.length > 1) assert.ok(ready > 0, `${names.join(', ')} were moved before one was Ready`);
        if (names.length > (moved.at(-1)?.length ?? 0)) moved.push(names);
      }
    })();
    await applyManifests(fleet.client, [second.manifest, setOf(second, [1, 2])]);
    await untilOn(second, hosts);
    stop.abort();
    await watching;
    assert.equal(moved[0]?.length, 1, 'one first');
    for (const host of hosts) {
      const machine = await fleet.client.get(Machine, host.name);
      assert.equal(machine?.status?.host?.agentVersion, second.version);
      await untilUnwatched(host);
    }
    await exportersRunOn();
    t.diagnostic(`three hosts in two batches: ${Math.round(performance.now() - begun)} ms`);
  });

  const badAgents: readonly {
    what: string;
    make: () => Promise<AgentRevision>;
    step: string;
    says: RegExp;
  }[] = [
    {
      what: 'that crashes at start',
      make: () =>
        scriptAgent(
          fleet.supply.fileServer,
          '0.2.1',
          '#!/bin/sh\necho "bad agent: the moon is missing" >&2\nexit 1\n',
        ),
      step: 'watchdog',
      says: /does not stay up; its log ends: .*the moon is missing/s,
    },
    {
      what: 'that starts and never reports',
      // It is waited for twice as long.
      make: () => scriptAgent(fleet.supply.fileServer, '0.2.2', '#!/bin/sh\nexec sleep 100000\n', '12s'),
      step: 'watchdog',
      says: /did not report within 24 s/,
    },
    {
      what: 'that is another version inside',
      make: () => goodAgent(fleet.supply.fileServer, '0.3.0', '0.2.3'),
      step: 'version',
      says: /does not find 0\.2\.3: it says 0\.3\.0/,
    },
  ];
  for (const { what, make, step, says } of badAgents) {
    it(`an agent ${what} reaches one host, which is back on the one before; the set stops and says why`, async (t) => {
      const bad = await make();
      const begun = performance.now();
      await applyManifests(fleet.client, [bad.manifest, setOf(bad, [1, 2])]);
      const failed = await untilFailed(bad);
      assert.equal(failed.status.failed?.step, step);
      assert.match(failed.status.failed?.message ?? '', says);
      assert.equal(failed.status.running, second.name);
      const halted = await fleet.until(
        'the set stops',
        async () => (await fleet.client.get(MachineComponentSet, component))?.status?.halted,
        30_000,
        async () => (await fleet.client.get(MachineComponentSet, component))?.status,
      );
      assert.equal(halted.cause, 'BatchFailed');
      assert.ok(halted.message.includes(failed.host.name), halted.message);
      assert.ok(halted.message.includes(step), halted.message);
      assert.match(halted.message, says);
      const { items } = await fleet.client.list(Machine);
      const moved = items.filter(({ spec }) =>
        spec.components?.some(({ name, revision }) => name === component && revision === bad.name),
      );
      assert.deepEqual(
        moved.map(({ metadata }) => metadata.name),
        [failed.host.name],
        'the first batch only',
      );
      assert.equal(await digestOf(failed.host), second.digest);
      await untilUnwatched(failed.host);
      await exportersRunOn();
      t.diagnostic(
        `back after ${Math.round(performance.now() - begun)} ms: ${failed.status.failed?.message}`,
      );
      await applyManifests(fleet.client, [setOf(second, [3])]);
      await untilOn(second, hosts);
    });
  }

  it('killed agents, killed watchdogs and a power cut in the middle do not keep a good one from coming', async (t) => {
    const [agentDies, watchdogDies, powerFails] = hosts as [LabHost, LabHost, LabHost];
    await applyManifests(fleet.client, [third.manifest, setOf(third, [3])]);
    const [steps, kills] = await Promise.all([
      killAtSteps(agentDies),
      killWatchdog(watchdogDies, 3),
      untilThere(powerFails, '/var/lib/kubenode/selfupgrade/armed.json').then(() =>
        powerFails.power('reset'),
      ),
    ]);
    assert.ok(steps.length >= 3, `the agent was killed at ${steps.join(', ')}`);
    await untilOn(third, hosts);
    for (const host of hosts) {
      assert.equal(await digestOf(host), third.digest);
      await untilUnwatched(host);
    }
    t.diagnostic(`the agent was killed at ${steps.join(', ')}; the watchdog ${kills} times`);
  });

  it('killed watchdogs and a power cut while the one before is brought back do not keep it from coming', async (t) => {
    const bad = await scriptAgent(fleet.supply.fileServer, '0.3.1', '#!/bin/sh\nexit 1\n');
    const [watchdogDies, powerFails] = hosts as [LabHost, LabHost, LabHost];
    await applyManifests(fleet.client, [bad.manifest, setOf(bad, [3])]);
    const [kills] = await Promise.all([
      untilThere(watchdogDies, '/var/lib/kubenode/selfupgrade/fired.json').then(() =>
        killWatchdog(watchdogDies, 2),
      ),
      untilThere(powerFails, '/var/lib/kubenode/selfupgrade/fired.json').then(() =>
        powerFails.power('reset'),
      ),
    ]);
    for (const host of hosts) {
      const status = await untilFailedOn(host, bad);
      assert.equal(status.running, third.name);
      assert.equal(await digestOf(host), third.digest);
      await untilUnwatched(host);
    }
    t.diagnostic(`the watchdog was killed ${kills} times`);
  });

  async function untilOn(revision: AgentRevision, on: readonly LabHost[]): Promise<void> {
    await fleet.until(
      `the agents are ${revision.name}`,
      async () => {
        const machines = await Promise.all(on.map(({ name }) => fleet.client.get(Machine, name)));
        return machines.every((machine) => isOn(machine?.status?.components, revision));
      },
      upgradeMs,
      statuses,
    );
  }

  async function untilFailed(
    revision: AgentRevision,
  ): Promise<{ host: LabHost; status: MachineComponentStatus }> {
    return await fleet.until(
      `${revision.name} fails`,
      async () => {
        for (const host of hosts) {
          const status = await statusOf(host);
          if (hasFailed(status, revision)) return { host, status };
        }
        return undefined;
      },
      upgradeMs,
      statuses,
    );
  }
  async function untilFailedOn(host: LabHost, revision: AgentRevision): Promise<MachineComponentStatus> {
    return await fleet.until(
      `${revision.name} fails on ${host.name}`,
      async () => {
        const status = await statusOf(host);
        return hasFailed(status, revision) ? status : undefined;
      },
      upgradeMs,
      statuses,
    );
  }
  async function statusOf({ name }: LabHost): Promise<MachineComponentStatus | undefined> {
    const machine = await fleet.client.get(Machine, name);
    return machine?.status?.components?.find((status) => status.name === component);
  }
  async function statuses(): Promise<unknown> {
    const logs = await Promise.all(
      hosts.map((host) =>
        host.exec(['journalctl', '--no-pager', '-o', 'cat', '-n', '15', '-u', 'kubenode-agent*'], {
          allowFailure: true,
        }),
      ),
    );
    return {
      statuses: await Promise.all(hosts.map(statusOf)),
      set: (await fleet.client.get(MachineComponentSet, component))?.status,
      logs: logs.map(({ stdout }) => stdout.split('\n')),
    };
  }
  async function untilUnwatched(host: LabHost): Promise<void> {
    await fleet.until(`${host.name} has no watchdog any more`, async () => {
      const { stdout } = await host.exec(['systemctl', 'show', '-P', 'LoadState', watchdogUnit]);
      const { code } = await host.exec(['ls', '/opt/kubenode/agent/previous'], { allowFailure: true });
      return stdout.trim() === 'not-found' && code !== 0;
    });
  }
  async function exportersRunOn(): Promise<void> {
    for (const host of hosts)
      assert.equal(await pidOf(host, 'node-exporter.service'), exporters.get(host.name), host.name);
  }
});

function setOf({ name }: AgentRevision, batches: readonly number[]) {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name: component },
    spec: { component, revision: name, rollout: { batches, maxUnavailable: '100%' } },
  };
}

function isOn(components: readonly MachineComponentStatus[] | undefined, revision: AgentRevision): boolean {
  return (
    components?.some(
      ({ name, state, running }) => name === component && state === 'Ready' && running === revision.name,
    ) ?? false
  );
}

function hasFailed(
  status: MachineComponentStatus | undefined,
  { name }: AgentRevision,
): status is MachineComponentStatus {
  return status?.state === 'Failed' && status.failed?.revision === name;
}

async function pidOf(host: LabHost, unit: string): Promise<string> {
  return (await host.exec(['systemctl', 'show', '-P', 'MainPID', unit])).stdout.trim();
}

async function digestOf(host: LabHost): Promise<string> {
  return `sha256:${(await host.exec(['sha256sum', executable])).stdout.slice(0, 64)}`;
}

async function untilThere(host: LabHost, path: string): Promise<void> {
  await read(host, path, upgradeMs);
}

/** What is in a file of the host, once it is there. */
async function read(host: LabHost, path: string, deadlineMs: number): Promise<string> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const text = await readFile(join(host.rootfs, path), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
    if (Date.now() > deadline) throw new Error(`${host.name} has no ${path} after ${deadlineMs / 1000} s`);
    await delay(5);
  }
}

/** SIGKILL at each step that is seen in the journal, once each, until the operation has ended. @returns the steps */
async function killAtSteps(host: LabHost): Promise<readonly string[]> {
  const journal = `/var/lib/kubenode/journal/${component}.json`;
  const killed: string[] = [];
  await read(host, journal, upgradeMs);
  const deadline = Date.now() + upgradeMs;
  while (Date.now() < deadline) {
    const text = await readFile(join(host.rootfs, journal), 'utf8').catch(() => undefined);
    if (text === undefined) return killed;
    const { step } = JSON.parse(text) as { step?: string };
    // Killed six times it would not count as staying up.
    if (step !== undefined && !killed.includes(step) && killed.length < 4 && step !== 'stage') {
      killed.push(step);
      await host.exec(['systemctl', 'kill', '--signal=SIGKILL', '--kill-who=main', agentUnit], {
        allowFailure: true,
      });
    }
    await delay(5);
  }
  throw new Error(`${host.name}: the operation did not end`);
}

/** SIGKILL of the watchdog as soon as it runs, so many times, as long as there is one. */
async function killWatchdog(host: LabHost, times: number): Promise<number> {
  const unitFile = `/etc/systemd/system/${watchdogUnit}`;
  await read(host, unitFile, upgradeMs);
  let killed = 0;
  let last = '0';
  while (killed < times) {
    const { stdout } = await host.exec(['systemctl', 'show', '-P', 'MainPID', watchdogUnit], {
      allowFailure: true,
    });
    const pid = stdout.trim();
    if (pid !== '0' && pid !== '' && pid !== last) {
      const { code } = await host.exec(['kill', '-9', pid], { allowFailure: true });
      if (code === 0) killed++;
      last = pid;
    }
    const there = await readFile(join(host.rootfs, unitFile)).catch(() => undefined);
    if (there === undefined) break;
    await delay(20);
  }
  return killed;
}
