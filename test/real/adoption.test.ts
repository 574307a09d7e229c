/** A host that somebody set up by hand, with a container running on it: planned, taken over without a restart, given back. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MachineImportStatus } from '@kubenode/api';
import { installDebs, type LabHost } from '@kubenode/lab';
import { Machine, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { changes, type Fingerprint, fingerprint } from './fingerprint.ts';
import { type Fleet, startFleet } from './fleet.ts';

/** Already right on the host, in the revisions that their sets name. */
const right = ['runc', 'containerd'];
/** Already there, with other files. */
const different = ['rsyslog', 'sysctl'];
const missing = ['cni-plugins', 'journald', 'logrotate', 'node-exporter'];

/** Data that a component makes while it runs is never taken away. */
const data = ['/var/lib/node-exporter'];

const conflist = '/etc/cni/net.d/10-kubenode.conflist';
const image = 'registry.lab:5000/pause:1';

describe('a host with containerd already right and a container running', () => {
  let fleet: Fleet;
  let host: LabHost;
  let first: Fingerprint;
  let packages: string;
  /** Process IDs of containerd and of the container, as they were before anything. */
  let pids: Awaited<ReturnType<typeof pidsOf>>;

  before(async () => {
    fleet = await startFleet({
      plane: 'embedded',
      hosts: 1,
      kubelet: true,
      components: [...right, ...different, ...missing],
    });
    [host] = fleet.lab.hosts as [LabHost];
    await setUpByHand(fleet, host);
    await fleet.applyComponents();
    // What a person changes on the held host stays changed: only told.
    await fleet.client.patch(MachineComponentSet, 'cni-plugins', {
      type: 'merge',
      body: { spec: { drift: 'Report' } },
    });
    pids = await pidsOf(host);
    first = await fingerprint(host, data);
    packages = await packagesOf(host);
  });
  after(async () => fleet?.close());

  it('Planned: lists what would change, and changes nothing', async (t) => {
    const begun = performance.now();
    await fleet.import(host, {}, 'Planned');
    const { plan = [] } = await reached(fleet, host, 'Planned');
    t.diagnostic(`${plan.length} changes planned in ${seconds(begun)}`);
    const planned = new Set(plan.map(({ component, action, target }) => `${component}: ${action} ${target}`));
    const touched = new Set(plan.map(({ component }) => component));
    assert.deepEqual([...touched].toSorted(), [...different, ...missing].toSorted());
    for (const change of [
      'rsyslog: replace file /etc/rsyslog.conf',
      'rsyslog: restart unit rsyslog.service',
      'sysctl: replace file /etc/sysctl.d/90-kubenode.conf',
      `cni-plugins: create file ${conflist}`,
      'cni-plugins: unpack /opt/cni/bin',
      'node-exporter: unpack /usr/local',
      'node-exporter: start unit node-exporter.service',
      'journald: create file /etc/systemd/journald.conf.d/50-kubenode.conf',
    ])
      assert.ok(planned.has(change), `${change} is not among ${[...planned].join('\n')}`);
    assert.ok([...planned].some((change) => change.startsWith('logrotate: install package logrotate=')));
    // A hook may do anything: that can't be promised to be undone.
    assert.deepEqual(
      plan
        .filter(({ revertible, action }) => !revertible && action !== 'restart unit')
        .map(({ action }) => action),
      ['run hook'],
    );
    assert.deepEqual(changes(first, await fingerprint(host, data)), []);
    assert.equal(await packagesOf(host), packages);
    assert.equal(await tracesOf(host), '');
    assert.deepEqual(await pidsOf(host), pids);
    assert.equal(await fleet.client.get(Machine, host.name), undefined, 'a plan makes no Machine');
  });

  it('Imported: what was right runs on with the same processes', async (t) => {
    const begun = performance.now();
    await fleet.import(host);
    const all = [...right, ...different, ...missing];
    await fleet.untilReady([host], all.length);
    await reached(fleet, host, 'Imported');
    t.diagnostic(`imported in ${seconds(begun)}`);
    const machine = await fleet.client.get(Machine, host.name);
    for (const name of right) {
      const status = machine?.status?.components?.find((component) => component.name === name);
      assert.equal(status?.state, 'Ready');
      assert.deepEqual(status?.correct, { version: 'True', config: 'True', running: 'True' });
    }
    assert.deepEqual(await pidsOf(host), pids);
    assert.match((await host.exec(['cat', '/etc/rsyslog.conf'])).stdout, /imtcp/);
    await host.exec(['sh', '-c', `echo ' ' >> ${conflist}`]);
  });

  it('Reverted: what was brought is gone, what was changed is back, what was adopted runs on', async (t) => {
    const begun = performance.now();
    await fleet.import(host, {}, 'Reverted');
    const { notReverted = [] } = await reached(fleet, host, 'Reverted');
    t.diagnostic(`reverted in ${seconds(begun)}`);
    assert.deepEqual(await pidsOf(host), pids);
    assert.equal(await packagesOf(host), packages);
    assert.equal(await tracesOf(host), '');
    const left = notReverted.map(({ target }) => target);
    assert.deepEqual(left.toSorted(), [conflist, '/var/lib/kubenode/originals'].toSorted());
    const otherwise = changes(first, await fingerprint(host, data)).map((line) =>
      line.slice(0, line.indexOf(': ')),
    );
    assert.deepEqual(
      otherwise.filter(
        (path) => !left.some((target) => isAtOrAbove(path, target) || isAtOrAbove(target, path)),
      ),
      [],
    );
    assert.equal(await fleet.client.get(Machine, host.name), undefined, 'the Machine is gone');
  });
});

/** Packages, files and units as somebody who reads the examples would set them up, and a container. */
async function setUpByHand(fleet: Fleet, host: LabHost): Promise<void> {
  const { files, components } = fleet.supply.examples;
  const revision = components.find(({ metadata }) => metadata.name === 'containerd-1.6.20-2');
  const version = String(revision?.spec.version);
  const debs = files.filter(({ path }) =>
    ['runc_', 'rsyslog_', `containerd_${version}_`].some((name) => path.includes(name)),
  );
  assert.equal(debs.length, 3, debs.map(({ path }) => path).join());
  const spec = revision?.spec as unknown as {
    readonly files: readonly { readonly path: string; readonly content: string }[];
    readonly unit: { readonly name: string; readonly content: string };
  };
  for (const { path, content } of spec.files)
    await write(host, path, content.replaceAll('{{ variables.pauseImage }}', image));
  await write(host, `/etc/systemd/system/${spec.unit.name}`, spec.unit.content);
  await write(host, '/etc/sysctl.d/90-kubenode.conf', 'net.ipv4.ip_forward = 1\n');
  await installDebs(
    host,
    debs.map(({ file }) => file),
  );
  await host.exec(['systemctl', 'enable', '--quiet', '--now', 'containerd.service', 'rsyslog.service']);
  await host.exec(['ctr', 'image', 'pull', '--plain-http', image]);
  await host.exec(['ctr', 'run', '--detach', image, 'by-hand']);
}

async function write(host: LabHost, path: string, content: string): Promise<void> {
  await host.exec(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', path], { stdin: content });
}

async function pidsOf(host: LabHost): Promise<{ containerd: string; container: string }> {
  const containerd = await host.exec(['systemctl', 'show', '-P', 'MainPID', 'containerd.service']);
  const tasks = await host.exec(['ctr', 'task', 'list']);
  const container = /^by-hand\s+(\d+)\s+RUNNING$/m.exec(tasks.stdout)?.[1];
  assert.ok(container, tasks.stdout);
  return { containerd: containerd.stdout.trim(), container };
}

/** Every package that dpkg knows, with its version, whether it is held, and what of it is left. */
async function packagesOf(host: LabHost): Promise<string> {
  const format = '${db:Status-Abbrev} ${Package} ${Version}\\n';
  return (await host.exec(['dpkg-query', '--show', `--showformat=${format}`])).stdout;
}

/** What is named for KubeNode where a fingerprint does not look, and processes of it. */
async function tracesOf(host: LabHost): Promise<string> {
  const files = await host.exec(['find', '/run', '/tmp', '/var/tmp', '/dev/shm', '-name', '*kubenode*']);
  const processes = await host.exec(['sh', '-c', 'cat /proc/[0-9]*/comm | grep kubenode || true']);
  return files.stdout + processes.stdout;
}

/** Waits until the import is where it should be. */
async function reached(
  fleet: Fleet,
  host: LabHost,
  phase: NonNullable<MachineImportStatus['phase']>,
): Promise<MachineImportStatus> {
  const look = () => fleet.client.get(MachineImport, host.name);
  return fleet.until(
    `the import of ${host.name} ${phase}`,
    async () => {
      const object = await look();
      const isCurrent = object?.status?.observedGeneration === object?.metadata.generation;
      return isCurrent && object?.status?.phase === phase && object.status;
    },
    120_000,
    async () => (await look())?.status,
  );
}

function isAtOrAbove(path: string, other: string): boolean {
  return other === path || other.startsWith(`${path}/`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
