/** The API server is gone for five minutes. Hosts hold their components from their own disks meanwhile, and tell it all afterwards. */
import assert from 'node:assert/strict';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LabHost } from '@kubenode/lab';
import { Machine } from '@kubenode/machine';
import { type Fleet, startFleet } from './fleet.ts';
import { processesOf } from './processes.ts';

const components = ['chrony', 'logrotate', 'rsyslog', 'sysctl'];
const outageMs = 5 * 60_000;

describe('the API server is gone for five minutes', () => {
  let fleet: Fleet;
  let h1: LabHost;
  let h2: LabHost;
  let goneAt: number;
  let requests: number;
  /** How often each component of a host was put right, by `host/component`. */
  const harmed = new Map<string, number>();

  before(async () => {
    fleet = await startFleet({ plane: 'kubernetes', hosts: 2, components });
    [h1, h2] = [fleet.host('h1'), fleet.host('h2')];
    await fleet.applyComponents();
    for (const host of [h1, h2]) await fleet.import(host);
    await fleet.untilReady([h1, h2], components.length);
    requests = fleet.supply.fileServer.requests.length;
    await fleet.plane.stopApiserver();
    goneAt = performance.now();
    await assert.rejects(fleet.client.raw('GET', '/readyz', undefined, { timeoutMs: 1000 }));
  });
  after(() => fleet?.close());

  test('what is broken meanwhile is put right without it', async (t) => {
    for (const { component, what, harm, isHealed } of harms)
      t.diagnostic(`${component}: ${what}: right after ${await heal(h1, component, harm, isHealed)} ms`);
  });

  test('the agent is killed, and things break before it is back', async (t) => {
    await h1.exec(['systemctl', 'stop', 'kubenode-agent']);
    const was = await processesOf(h1);
    const begin = performance.now();
    for (const { component, harm } of harms) {
      await harm(h1);
      count(h1, component);
    }
    await h1.exec(['systemctl', 'start', 'kubenode-agent']);
    for (const { what, isHealed } of harms)
      await fleet.until(
        `put right by an agent that knows no API server: ${what}`,
        () => isHealed(h1),
        30_000,
      );
    t.diagnostic(
      `${harms.length} harms, found by an agent started without an API server: right after ${Math.round(performance.now() - begin)} ms`,
    );
    // Nothing but what had been broken was started anew.
    const is = await processesOf(h1);
    const others = (all: ReadonlyMap<string, string>): string[] =>
      [...all].filter(([name]) => !/rsyslog|chrony|kubenode-agent/.test(name)).map(String);
    assert.deepEqual(others(is), others(was));
  });

  test('a host loses its power, and a file besides: it comes back with everything', async (t) => {
    await h2.power('off');
    await rm(join(h2.rootfs, 'etc/rsyslog.conf'));
    count(h2, 'rsyslog');
    const begin = performance.now();
    await h2.power('on');
    await fleet.until('rsyslog runs with its configuration', () => isRsyslogRight(h2));
    await fleet.until('chrony runs', () => isActive(h2, 'chrony.service'));
    t.diagnostic(
      `a host without power: all right ${Math.round(performance.now() - begin)} ms after it came back`,
    );
  });

  test('for as long as it takes, and with nothing asked of the network', async (t) => {
    let rounds = 0;
    while (performance.now() - goneAt < outageMs) {
      const next = harms[rounds % harms.length];
      assert.ok(next);
      await heal(h2, next.component, next.harm, next.isHealed);
      rounds += 1;
      // Where it breaks again and again the agent takes its time; so does this.
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(20_000, Math.max(0, outageMs - (performance.now() - goneAt)))),
      );
    }
    const asked = fleet.supply.fileServer.requests.slice(requests);
    assert.deepEqual(asked, [], 'artifacts were downloaded anew');
    const { stdout } = await h1.exec(['journalctl', '-u', 'kubenode-agent', '--since', '-5min', '-o', 'cat']);
    const lines = stdout.split('\n').length;
    assert.ok(lines < 300, `the agent wrote ${lines} lines in five minutes:\n${stdout.slice(-3000)}`);
    t.diagnostic(`${rounds} further harms; the agent of h1 wrote ${lines} lines to its journal`);
  });

  test('afterwards it is all reported', async (t) => {
    const begin = performance.now();
    t.diagnostic(`the API server was gone for ${Math.round((begin - goneAt) / 1000)} s`);
    await fleet.plane.startApiserver();
    const back = performance.now();
    await fleet.untilReady([h1, h2], components.length);
    for (const [key, times] of harmed) {
      const [host = '', component = ''] = key.split('/');
      await fleet.until(
        `${key} is told with its repairs`,
        async () => {
          const drift = (await driftOf(host, component))?.drift;
          return (drift?.repaired ?? 0) >= 1 && Date.parse(drift?.last?.at ?? '') > Date.now() - outageMs * 2;
        },
        120_000,
        () => driftOf(host, component),
      );
      const drift = (await driftOf(host, component))?.drift;
      t.diagnostic(
        `${key}: harmed ${times} times, told: ${drift?.repaired} times, last "${drift?.last?.what}"`,
      );
    }
    t.diagnostic(`all told ${Math.round(performance.now() - back)} ms after the API server was back`);
    const machine = await fleet.client.get(Machine, 'h2');
    const bootID = (
      await readFile(join(h2.rootfs, 'proc/sys/kernel/random/boot_id'), 'utf8').catch(() => '')
    ).trim();
    if (bootID !== '') assert.equal(machine?.status?.host?.bootID, bootID);
    assert.equal(machine?.status?.conditions?.find(({ type }) => type === 'AgentReady')?.status, 'True');
  });

  /** @returns milliseconds from harm to health. */
  async function heal(
    host: LabHost,
    component: string,
    harm: (host: LabHost) => Promise<unknown>,
    isHealed: (host: LabHost) => Promise<boolean>,
  ): Promise<number> {
    await harm(host);
    count(host, component);
    const begin = performance.now();
    await fleet.until(`${component} of ${host.name} is put right`, () => isHealed(host), 60_000);
    return Math.round(performance.now() - begin);
  }

  function count(host: LabHost, component: string): void {
    const key = `${host.name}/${component}`;
    harmed.set(key, (harmed.get(key) ?? 0) + 1);
  }

  async function driftOf(machine: string, component: string) {
    const found = await fleet.client.get(Machine, machine);
    return found?.status?.components?.find(({ name }) => name === component);
  }
});

interface Harm {
  readonly component: string;
  readonly what: string;
  harm(host: LabHost): Promise<unknown>;
  isHealed(host: LabHost): Promise<boolean>;
}

const harms: readonly Harm[] = [
  {
    component: 'rsyslog',
    what: 'its unit stopped',
    harm: (host) => host.exec(['systemctl', 'stop', 'rsyslog.service', 'syslog.socket']),
    isHealed: (host) => isActive(host, 'rsyslog.service'),
  },
  {
    component: 'sysctl',
    what: 'a byte more in its file',
    harm: (host) => appendFile(join(host.rootfs, 'etc/sysctl.d/90-kubenode.conf'), '#'),
    isHealed: async (host) =>
      (await readFile(join(host.rootfs, 'etc/sysctl.d/90-kubenode.conf'), 'utf8')).endsWith('= 600\n'),
  },
  {
    component: 'logrotate',
    what: 'its file deleted',
    harm: (host) => rm(join(host.rootfs, 'etc/logrotate.d/kubenode'), { force: true }),
    isHealed: async (host) =>
      (await readFile(join(host.rootfs, 'etc/logrotate.d/kubenode'), 'utf8').catch(() => '')).includes(
        'rotate 4',
      ),
  },
  {
    component: 'chrony',
    what: 'its unit disabled and stopped',
    harm: (host) => host.exec(['systemctl', 'disable', '--now', '--quiet', 'chrony.service']),
    isHealed: async (host) =>
      (await isActive(host, 'chrony.service')) &&
      (await host.exec(['systemctl', 'is-enabled', 'chrony.service'], { allowFailure: true })).code === 0,
  },
];

async function isActive(host: LabHost, unit: string): Promise<boolean> {
  return (await host.exec(['systemctl', 'is-active', '--quiet', unit], { allowFailure: true })).code === 0;
}

async function isRsyslogRight(host: LabHost): Promise<boolean> {
  const config = await readFile(join(host.rootfs, 'etc/rsyslog.conf'), 'utf8').catch(() => '');
  return config.includes('port="6514"') && (await isActive(host, 'rsyslog.service'));
}
