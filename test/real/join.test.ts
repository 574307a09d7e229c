/** A host that nobody reaches by ssh brings itself in: `kubenode join` with a token, as cloud-init or Ansible would run it there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { systemNamespace } from '@kubenode/api';
import { Machine, MachineImport } from '@kubenode/machine';
import { CertificateSigningRequest, ConfigMap } from '@kubenode/runtime';
import { type Fleet, startFleet } from './fleet.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');
const components = ['sysctl'];

/** What `kubenode token create -o json` prints. */
interface Joining {
  readonly token: string;
  readonly server: string;
  readonly ca: string;
  readonly agents: Readonly<Record<string, { readonly url: string; readonly digest: string }>>;
}

describe('a host joins with a token', () => {
  let fleet: Fleet;
  let joining: Joining;

  before(async () => {
    const source = { source: repository, target: '/opt/kubenode-source' };
    const runtime = { source: dirname(process.execPath), target: '/opt/node' };
    fleet = await startFleet({
      plane: 'embedded',
      hosts: [{ binds: [source, runtime] }, { binds: [source, runtime] }],
      components,
    });
    await fleet.applyComponents();
    await fleet.until('the operator has published how hosts join', () =>
      fleet.client.get(ConfigMap, { namespace: systemNamespace, name: 'kubenode-join' }),
    );
    const { stdout } = await run(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      join(repository, 'packages/cli/src/main.ts'),
      'token',
      'create',
      '--kubeconfig',
      fleet.plane.kubeconfig,
      '-o',
      'json',
    ]);
    joining = JSON.parse(stdout) as Joining;
  });
  after(() => fleet?.close());

  const joinAs = async (host: string, name: string, ...more: string[]) => {
    const [arch = '', agent] = Object.entries(joining.agents)[0] ?? [];
    assert.ok(agent);
    return fleet
      .host(host)
      .exec(
        [
          '/opt/node/node',
          '--disable-warning=ExperimentalWarning',
          '/opt/kubenode-source/packages/cli/src/main.ts',
          'join',
          '--server',
          joining.server,
          '--ca-data',
          Buffer.from(joining.ca).toString('base64'),
          '--agent',
          `${arch}=${agent.url}@${agent.digest}`,
          '--name',
          name,
          '--labels',
          'pool=web',
          '--token-file',
          '-',
          ...more,
        ],
        { stdin: `${joining.token}\n`, allowFailure: true, timeoutMs: 180_000 },
      );
  };

  test('it becomes a Machine with its labels, and Ready with its components', async (t) => {
    const begin = performance.now();
    const { code, stdout, stderr } = await joinAs('h1', 'joined');
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /This host is Machine joined/);
    const machine = await fleet.until('it is Ready', async () => {
      const found = await fleet.client.get(Machine, 'joined');
      const isReady = found?.status?.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      );
      // The operator's Ready follows the agent's report by a moment.
      const told = found?.status?.components?.filter(({ state }) => state === 'Ready');
      return isReady === true && told?.length === components.length ? found : undefined;
    });
    t.diagnostic(`Ready ${Math.round(performance.now() - begin)} ms after kubenode join was begun`);
    assert.equal(machine.metadata.labels?.['pool'], 'web');
    assert.deepEqual((await fleet.client.list(MachineImport)).items, []);
    const value = await fleet.host('h1').exec(['cat', '/proc/sys/net/ipv4/tcp_keepalive_time']);
    assert.equal(value.stdout.trim(), '600');
  });

  test('no secret stands where others could read it', async () => {
    const { stdout } = await fleet.host('h1').exec(['stat', '-c', '%a %U', '/etc/kubenode/pki/agent.key']);
    assert.equal(stdout.trim(), '600 root');
    const [id = '', secret = ''] = joining.token.split('.');
    assert.ok(id !== '' && secret !== '');
    const journal = await fleet.host('h1').exec(['journalctl', '--no-pager', '-o', 'cat']);
    assert.ok(!journal.stdout.includes(secret));
  });

  test('the same token does not make another host out of a machine that has an agent', async () => {
    const name = /kubenode-agent-joined-/;
    const { code, stderr } = await joinAs('h2', 'joined', '--no-wait');
    assert.equal(code, 0, stderr);
    const request = await fleet.until('the request is denied', async () => {
      const { items } = await fleet.client.list(CertificateSigningRequest);
      return items.find(
        ({ metadata, status }) =>
          name.test(metadata.name) && status?.conditions?.some(({ type }) => type === 'Denied'),
      );
    });
    assert.match(
      request.status?.conditions?.[0]?.message ?? '',
      /joined has an agent already: choose another name/,
    );
    assert.equal(request.status?.certificate, undefined);
  });

  test('it is told how that host is let go, and joins under a name of its own', async () => {
    const refused = await joinAs('h2', 'second');
    assert.notEqual(refused.code, 0);
    const command = /run there: (.*), and try again/.exec(refused.stderr)?.[1];
    assert.ok(command, refused.stderr);
    await fleet.host('h2').exec(['sh', '-c', command]);
    const { code, stdout, stderr } = await joinAs('h2', 'second');
    assert.equal(code, 0, stdout + stderr);
    await fleet.until('it is Ready', async () =>
      (await fleet.client.get(Machine, 'second'))?.status?.conditions?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      ),
    );
  });
});
