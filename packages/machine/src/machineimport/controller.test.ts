import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type {
  Machine as MachineObject,
  MachineImport as ImportObject,
  MachineImportSpec,
} from '@kubenode/api';
import {
  CertificateSigningRequest,
  informer,
  Lease,
  manager,
  microTimestamp,
  Secret,
  silentLogger,
  timestamp,
} from '@kubenode/runtime';
import { Machine, MachineImport } from '../kinds.ts';
import { makeKey, startSshServer, type TestServer } from '../ssh/testserver.ts';
import { machineImportController } from './controller.ts';
import type { MachineImportDeps } from './deps.ts';
import { hostPaths, type HostPaths } from './host.ts';
import { type AgentSource, serveAgent } from './testing/fake-agent.ts';
import { type MemoryApi, memoryApi } from './testing/memory-api.ts';
import { localShell } from './local-shell.ts';
import { readFacts } from './inspect.ts';

describe('an import', () => {
  let folder: string;
  let paths: HostPaths;
  let agents: AgentSource;
  let host: TestServer;
  let key: string;
  let api: MemoryApi;
  let arch: string;
  let events: string[];
  let stop: () => Promise<void>;
  let count = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubenode-import-'));
    agents = await serveAgent();
    const pair = await makeKey();
    key = pair.private;
    host = await startSshServer({ user: 'root', publicKey: pair.public });
    arch = (await readFacts(localShell(), hostPaths())).arch;
  });
  after(async () => {
    await host.close();
    agents.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    paths = hostPaths(join(folder, `host${count++}`));
    for (const path of [paths.pid, paths.log]) await mkdir(dirname(path), { recursive: true });
    api = memoryApi();
    events = [];
    await api.create(Secret, {
      metadata: { namespace: 'kubenode-system', name: 'key' },
      stringData: { 'ssh-privatekey': key },
    });
    stop = start();
  });
  afterEach(async () => {
    await stop();
    if (existsSync(paths.pid)) process.kill(Number(await readFile(paths.pid, 'utf8')));
  });

  /** An operator with nothing but this controller; gives the function that ends it. */
  const start = (over: Partial<MachineImportDeps> = {}): (() => Promise<void>) => {
    const end = new AbortController();
    const machines = informer({ client: api, kind: Machine, project: () => true });
    const runs = manager({ log: silentLogger })
      .add(machines)
      .add(
        ...machineImportController({
          client: api,
          machines,
          agents: { [arch]: agents.binary },
          server: { url: 'https://10.0.0.1:6443', ca: 'CA' },
          events: { event: (_ref, type, reason, note) => void events.push(`${type} ${reason} ${note}`) },
          log: silentLogger,
          paths,
          ...over,
        }),
      )
      .run(end.signal);
    return async () => {
      end.abort();
      await runs.catch(() => undefined);
    };
  };
  const spec = (over: Partial<MachineImportSpec> = {}): MachineImportSpec => ({
    state: 'Imported',
    ssh: { address: '127.0.0.1', port: host.port, user: 'root', hostKey: host.hostKey, keySecretName: 'key' },
    machine: { name: 'n17', labels: { pool: 'web' } },
    retryToken: '',
    ...over,
  });
  const create = (over?: Partial<MachineImportSpec>, name = 'n17') =>
    api.create(MachineImport, { metadata: { name }, spec: spec(over) });
  const read = (): ImportObject => api.read(MachineImport, 'n17') as ImportObject;
  const phase = (wanted: string) => api.until(() => (read().status?.phase === wanted ? read() : undefined));
  const step = (name: string) => read().status?.steps?.find((entry) => entry.name === name);
  const change = (patch: Partial<MachineImportSpec>) =>
    api.change(MachineImport, 'n17', (object) => Object.assign(object.spec, patch));

  /** What the agent, the approver, the signer and the Machine controller do, as far as an import sees it. */
  const clusterPlaysAlong = async (): Promise<void> => {
    await api.until(() => existsSync(`${paths.config}.ran`) || step('Certificate')?.state === 'Running');
    const token = await readFile(paths.token, 'utf8');
    await api.create(CertificateSigningRequest, {
      metadata: { name: 'kubenode-agent-n17-0123456789' },
      spec: {
        request: '',
        signerName: 'kubernetes.io/kube-apiserver-client',
        username: `system:bootstrap:${token.split('.')[0]}`,
      },
      status: { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'abc' },
    });
    await api.until(() => api.read(Machine, 'n17'));
    await becomesReady();
  };
  const becomesReady = async (): Promise<void> => {
    const at = timestamp(Date.now());
    const conditions = (generation: number) =>
      ['AgentReady', 'ComponentsReady', 'Ready', 'NodeReady'].map((type) => ({
        type,
        status: 'True' as const,
        reason: 'Ready',
        message: '',
        lastTransitionTime: at,
        observedGeneration: generation,
      }));
    await Promise.resolve();
    api.change<MachineObject>(Machine, 'n17', (machine) => {
      machine.status = { summary: '1/1', conditions: conditions(machine.metadata.generation ?? 0) };
    });
  };

  test('goes through to Imported: identity on the host, agent started, Machine made', async () => {
    await create();
    await clusterPlaysAlong();
    const done = await phase('Imported');
    assert.deepEqual(
      done.status?.steps?.map(({ name, state }) => `${name} ${state}`),
      ['Connect', 'Inspect', 'Identity', 'Agent', 'Certificate', 'Machine', 'Components'].map(
        (name) => `${name} Done`,
      ),
    );
    const config = JSON.parse(await readFile(paths.config, 'utf8')) as Record<string, string>;
    assert.deepEqual(config, {
      machine: 'n17',
      server: 'https://10.0.0.1:6443',
      caFile: paths.ca,
      bootstrapTokenFile: paths.token,
    });
    assert.equal((await stat(paths.token)).mode & 0o777, 0o600);
    assert.equal(await readFile(`${paths.config}.ran`, 'utf8'), 'started\n');
    const machine = api.read(Machine, 'n17');
    assert.equal(machine?.metadata.labels?.['pool'], 'web');
    assert.ok(events.some((event) => event.startsWith('Normal Imported')));
    // The token did its work.
    assert.deepEqual(
      (await api.list(Secret)).items.map(({ metadata }) => metadata.name),
      ['key'],
    );
  });

  test('keeps secrets out of everything that can be read', async () => {
    await create({ machine: { name: 'n17', nodeName: 'n17' } });
    await clusterPlaysAlong();
    const done = JSON.stringify(await phase('Imported')) + events.join();
    const token = (await readFile(paths.token, 'utf8')).trim().split('.')[1] ?? 'none';
    const kubelet = await readFile(paths.kubeletKubeconfig, 'utf8');
    assert.equal((await stat(paths.kubeletKubeconfig)).mode & 0o777, 0o600);
    assert.match(kubelet, /"token": "[a-z0-9]{6}\.[a-z0-9]{16}"/);
    assert.ok(!done.includes(token));
  });

  test('Planned leaves no trace on the host and lists what would change', async () => {
    const files = async () =>
      (await readdir(dirname(paths.etc), { recursive: true }).catch(() => [])).toSorted((a, b) =>
        a < b ? -1 : 1,
      );
    const was = await files();
    await create({ state: 'Planned' });
    const { status } = await phase('Planned');
    assert.equal(status?.plan?.[0]?.target, '/usr/local/bin/runc');
    assert.deepEqual(await files(), was);
    assert.ok(!existsSync(paths.agents));
    assert.equal(api.read(Machine, 'n17'), undefined);
    assert.deepEqual(
      (await api.list(Secret)).items.map(({ metadata }) => metadata.name),
      ['key'],
    );
  });

  test('Reverted takes everything away, lists what could not be put back, and deletes the Machine', async () => {
    await create();
    await clusterPlaysAlong();
    await phase('Imported');
    await mkdir(join(paths.state, 'originals'), { recursive: true });
    await mkdir(join(paths.state, 'desired'), { recursive: true });
    await writeFile(join(paths.state, 'originals', 'motd'), 'before');
    const pid = Number(await readFile(paths.pid, 'utf8'));
    change({ state: 'Reverted' });
    const { status } = await phase('Reverted');
    assert.deepEqual(
      status?.notReverted?.map(({ target }) => target),
      ['/etc/motd', `${paths.state}/originals`],
    );
    assert.throws(() => process.kill(pid, 0));
    for (const path of [paths.etc, paths.agents, paths.unit, join(paths.state, 'desired')])
      assert.ok(!existsSync(path), path);
    assert.equal(await readFile(join(paths.state, 'originals', 'motd'), 'utf8'), 'before');
    assert.equal(api.read(Machine, 'n17'), undefined);
  });

  test('stops at Connect without a host key, shows it, and goes on when a person has set it', async () => {
    const { hostKey: _, ...ssh } = spec().ssh;
    await create({ ssh });
    const failed = await phase('Failed');
    assert.match(step('Connect')?.message ?? '', /SHA256:/);
    assert.ok(step('Connect')?.message?.includes(host.hostKey));
    assert.ok(events.some((event) => event.startsWith('Warning ConnectFailed')));
    assert.equal(failed.status?.conditions?.find(({ type }) => type === 'Connected')?.status, 'False');
    change({ ssh: spec().ssh });
    await clusterPlaysAlong();
    await phase('Imported');
  });

  test('says which Secret is missing and how to make it', async () => {
    await create({ ssh: { ...spec().ssh, keySecretName: 'other' } });
    await phase('Failed');
    assert.match(
      step('Connect')?.message ?? '',
      /Secret kubenode-system\/other .* does not exist; make it with: kubectl create secret/,
    );
  });

  test('does not take a name that is another host', async () => {
    await api.apply(Machine, { metadata: { name: 'n17' }, spec: { paused: false } }, { fieldManager: 'x' });
    api.change<MachineObject>(Machine, 'n17', (machine) => {
      machine.status = { host: { machineID: 'another' } };
    });
    await create();
    await phase('Failed');
    assert.match(step('Inspect')?.message ?? '', /Machine n17 exists and is another host/);
    assert.ok(!existsSync(paths.etc));
  });

  test('a host that is a Machine already is left alone', async () => {
    await localShell().writeFile(paths.config, '{"machine":"n18"}', { mode: 0o644 });
    await localShell().writeFile(join(paths.etc, 'pki/agent.crt'), 'certificate', { mode: 0o644 });
    await create();
    await phase('Failed');
    assert.match(step('Inspect')?.message ?? '', /already Machine n18/);
  });

  test('one of a wrong digest fails at Agent, names both, and leaves nothing', async () => {
    await stop();
    stop = start({ agents: { [arch]: { ...agents.binary, digest: `sha256:${'0'.repeat(64)}` } } });
    await create();
    await phase('Failed');
    assert.match(step('Agent')?.message ?? '', /has the digest sha256:[0-9a-f]+ and not sha256:0+/);
    assert.equal(step('Identity')?.state, 'Done');
  });

  test('a denied certificate is told with its reason', async () => {
    await create();
    await api.until(() => step('Certificate')?.state === 'Running');
    const id = (await readFile(paths.token, 'utf8')).split('.')[0];
    await api.create(CertificateSigningRequest, {
      metadata: { name: 'kubenode-agent-n17-1' },
      spec: {
        request: '',
        signerName: 'kubernetes.io/kube-apiserver-client',
        username: `system:bootstrap:${id}`,
      },
      status: { conditions: [{ type: 'Denied', status: 'True', message: 'not this one' }] },
    });
    await phase('Failed');
    assert.match(step('Certificate')?.message ?? '', /kubenode-agent-n17-1 was denied: not this one/);
  });

  test('an agent that has its certificate is not asked for another, though its Machine is gone', async () => {
    await api.create(Lease, {
      metadata: { namespace: 'kubenode-system', name: 'n17' },
      spec: { renewTime: microTimestamp(Date.now()) },
    });
    await create();
    await api.until(() => api.read(Machine, 'n17'));
    assert.equal(step('Certificate')?.message, 'the agent has its certificate already');
  });

  test('deleting it in the middle changes nothing on the host', async () => {
    await create();
    await api.until(() => step('Certificate')?.state === 'Running');
    await api.delete(MachineImport, 'n17');
    await stop();
    assert.ok(existsSync(paths.config));
    assert.ok(process.kill(Number(await readFile(paths.pid, 'utf8')), 0));
  });

  test('ends the same when the operator dies before any of its writes', async () => {
    // Each life ends before its second, third or fourth write; the next goes on from what was written.
    await create();
    const cluster = clusterPlaysAlong();
    const requests = agents.requests();
    let deaths = 0;
    while (read().status?.phase !== 'Imported') {
      await stop();
      const died = Promise.withResolvers<undefined>();
      let writes = 0;
      let end = (): Promise<void> => Promise.resolve();
      api.before = (write) => {
        // The test's own writes are another program's.
        if (/certificatesigningrequests/.test(write) || ++writes <= 1 + (deaths % 3)) return;
        void end();
        deaths += 1;
        died.resolve(undefined);
        throw new Error(`died before: ${write}`);
      };
      end = start();
      stop = end;
      await Promise.race([died.promise, api.until(() => read().status?.phase === 'Imported')]);
      await end();
      api.before = () => undefined;
    }
    assert.ok(deaths > 5);
    await cluster;
    assert.equal(agents.requests() - requests, 1, 'the agent is pulled once');
    assert.equal(read().status?.phase, 'Imported');
  });
});
