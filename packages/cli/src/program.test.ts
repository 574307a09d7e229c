import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MachineComponent, MachineComponentSet, MachineImport } from '@kubenode/machine';
import { type Client, createClient, loadKubeconfig, Secret } from '@kubenode/runtime';
import { type ApiServer, startApiServer } from '@kubenode/standalone';
import { main } from './index.ts';
import { publishJoinInfo } from './join-info.ts';
import { serveAgents } from './serve-agents.ts';
import { testTerminal } from './testing/terminal.ts';

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPRb1pBbYi9bZN683UBH1PsuD1uPS4Qn65IRIZxiKL4C';

describe('the kubenode program', () => {
  let folder: string;
  let server: ApiServer;
  let client: Client;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubenode-cli-'));
    server = await startApiServer({ dataDir: join(folder, 'server') });
    const file = join(folder, 'kubeconfig');
    await writeFile(file, server.kubeconfig);
    env = { KUBECONFIG: file };
    client = createClient(await loadKubeconfig(file));
    const { status, err } = await run('install', '--kubeconfig', file);
    assert.equal(status, 0, err);
  });
  after(async () => {
    client.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
    const terminal = testTerminal(env);
    const named =
      args[0] === 'install' || args[0] === undefined || args.includes('--help')
        ? args
        : [...args, '--kubeconfig', join(folder, 'kubeconfig')];
    const status = await main(named, terminal);
    return { status, ...terminal.printed() };
  }

  test('lists its commands, and finds the one that was meant', async () => {
    const terminal = testTerminal();
    assert.equal(await main(['--help'], terminal), 0);
    for (const name of [
      'import',
      'join',
      'token',
      'why',
      'tree',
      'get',
      'plan',
      'wait',
      'pause',
      'resume',
      'retry',
      'rollback',
      'promote',
      'install',
      'operator',
      'agent',
      'apiserver',
    ]) {
      assert.match(terminal.printed().out, new RegExp(`^  ${name} +\\S`, 'm'));
    }
    const wrong = testTerminal();
    assert.equal(await main(['improt'], wrong), 2);
    assert.match(wrong.printed().err, /did you mean "import"/);
  });

  test('every command explains itself', async () => {
    for (const name of [
      'import',
      'join',
      'token',
      'why',
      'tree',
      'get',
      'plan',
      'wait',
      'pause',
      'resume',
      'retry',
      'rollback',
      'promote',
      'install',
      'operator',
      'apiserver',
    ]) {
      const terminal = testTerminal();
      assert.equal(await main([name, '--help'], terminal), 0);
      assert.match(terminal.printed().out, new RegExp(`Usage: kubenode ${name} `));
      assert.match(terminal.printed().out, /kubenode .*\n/);
    }
  });

  test('an option that does not exist is a wrong command line, and says so', async () => {
    const { status, err } = await run('get', '--nope');
    assert.equal(status, 2);
    assert.match(err, /nope/);
    assert.match(err, /Usage: kubenode get/);
  });

  test('install prints what it would apply', async () => {
    const { out, status } = await run('install', '-o', 'yaml');
    assert.equal(status, 0);
    assert.equal(out.match(/^kind: CustomResourceDefinition$/gm)?.length, 5);
  });

  test('import makes a Secret and a MachineImport, which get, why and wait then show', async () => {
    const key = join(folder, 'key');
    await writeFile(key, 'PRIVATE');
    const asked = await run(
      'import',
      'root@10.0.0.7:2222',
      '--ssh-key',
      key,
      '--host-key',
      hostKey,
      '--name',
      'n17',
      '--labels',
      'pool=web,zone=a',
      '--node-name',
      'n17',
      '--node-taints',
      'gpu=yes:NoSchedule',
      '--plan',
      '--no-wait',
    );
    assert.equal(asked.status, 0, asked.err);
    const made = await client.get(MachineImport, 'n17');
    assert.equal(made?.spec.state, 'Planned');
    assert.deepEqual(made?.spec.ssh, {
      address: '10.0.0.7',
      port: 2222,
      user: 'root',
      hostKey,
      keySecretName: 'import-n17',
    });
    assert.deepEqual(made?.spec.machine.labels, { pool: 'web', zone: 'a' });
    assert.deepEqual(made?.spec.machine.node?.taints, [
      { key: 'gpu', value: 'yes', effect: 'NoSchedule', propagation: 'Always' },
    ]);
    const secret = await client.get(Secret, 'kubenode-system/import-n17');
    assert.equal(Buffer.from(secret?.data?.['ssh-privatekey'] ?? '', 'base64').toString(), 'PRIVATE');
    assert.ok(!(asked.out + asked.err).includes('PRIVATE'));

    // The second command need not say again what the first one said.
    assert.equal(
      (await run('import', 'root@10.0.0.7:2222', '--ssh-key', key, '--name', 'n17', '--no-wait')).status,
      0,
    );
    const imported = await client.get(MachineImport, 'n17');
    assert.equal(imported?.spec.state, 'Imported');
    assert.deepEqual(imported?.spec.machine, made?.spec.machine);

    assert.match((await run('get', 'imports')).out, /^NAME .*\nn17 +Imported/);
    assert.equal(
      (JSON.parse((await run('get', 'import/n17', '-o', 'json')).out) as { kind: string }).kind,
      'MachineImport',
    );
    const asking = await run('why', 'n17');
    assert.equal(asking.status, 1);
    assert.match(asking.out, /the operator has not taken notice/);
    assert.equal((await run('wait', 'import/n17', '--timeout', '200ms')).status, 1);
    assert.equal((await run('retry', 'import/n17')).status, 0);
    assert.notEqual((await client.get(MachineImport, 'n17'))?.spec.retryToken, '');
  });

  describe('a rollout that goes wrong', () => {
    before(async () => {
      for (const name of ['tool-1', 'tool-2']) {
        const version = name.slice('tool-'.length);
        const spec = { component: 'tool', version, files: [{ path: '/etc/tool', content: version }] };
        await client.apply(MachineComponent, { metadata: { name }, spec }, { fieldManager: 'test' });
      }
      const made = await client.apply(
        MachineComponentSet,
        { metadata: { name: 'tool' }, spec: { component: 'tool', revision: 'tool-2' } },
        { fieldManager: 'test' },
      );
      await client.patch(
        MachineComponentSet,
        'tool',
        {
          type: 'merge',
          body: {
            status: {
              observedGeneration: made.metadata.generation,
              currentRevision: 'tool-1',
              updateRevision: 'tool-2',
              machines: 6,
              updated: 1,
              batch: { number: 1, size: 1, state: 'Paused', reason: 'batch 1 failed' },
              halted: {
                rollout: 'r',
                batch: 1,
                cause: 'BatchFailed',
                at: new Date().toISOString(),
                message: 'n1: step start: exit 1',
              },
            },
          },
        },
        { subresource: 'status' },
      );
    });

    test('wait ends early, and says why', async () => {
      const { status, err } = await run('wait', 'set/tool', '--timeout', '1m');
      assert.equal(status, 1);
      assert.match(err, /set\/tool is stopped in batch 1 \(BatchFailed\): n1: step start: exit 1/);
    });

    test('promote is not done without being asked about, and names the revision', async () => {
      const refused = await run('promote', 'set/tool');
      assert.equal(refused.status, 2);
      assert.match(refused.err, /say --yes/);
      const { status, out } = await run('promote', 'set/tool', '--yes', '-o', 'json');
      assert.equal(status, 0);
      const [change] = JSON.parse(out) as { target: string; field: string; value: string }[];
      assert.equal(change?.target, 'set/tool');
      assert.equal(change?.field, 'spec.promote');
      assert.equal((await client.get(MachineComponentSet, 'tool'))?.spec.promote, 'tool-2');
    });

    test('promote says where closed windows hold the next batch all the same', async () => {
      const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
      const day = names[(new Date().getUTCDay() + 2) % 7];
      const setWindows = (windows: readonly object[]) =>
        client.patch(MachineComponentSet, 'tool', {
          type: 'merge',
          body: { spec: { rollout: { windows } } },
        });
      await setWindows([{ days: [day], from: '10:00', to: '11:00', timeZone: 'UTC' }]);
      const { out } = await run('promote', 'set/tool', '--yes');
      assert.match(out, /goes on without inspection .*its windows are closed until \S+T10:00:00Z: the next/);
      await setWindows([]);
    });

    test('rollback brings back what was completed last, and only once', async () => {
      assert.match((await run('rollback', 'set/tool', '--to', 'tool-9')).err, /no MachineComponent tool-9/);
      const { status, out } = await run('rollback', 'set/tool');
      assert.equal(status, 0);
      assert.match(out, /goes from tool-2 back to tool-1/);
      assert.equal((await client.get(MachineComponentSet, 'tool'))?.spec.revision, 'tool-1');
      const again = await run('rollback', 'set/tool');
      assert.equal(again.status, 1);
      assert.match(again.err, /no rollout to take back: name one with --to/);
    });

    test('a manifest is planned as the server would store it, and nothing is stored', async () => {
      const file = join(folder, 'plan.yaml');
      const text = [
        'apiVersion: kubenode.io/v1alpha1',
        'kind: MachineComponent',
        'metadata: {name: gadget-1}',
        'spec: {component: gadget, version: "1", files: [{path: /etc/gadget, content: x}]}',
        '---',
        'apiVersion: kubenode.io/v1alpha1',
        'kind: MachineComponentSet',
        'metadata: {name: gadget}',
        'spec: {component: gadget, revision: gadget-1}',
      ];
      await writeFile(file, text.join('\n'));
      const { status, out, err } = await run('plan', '-f', file, '-o', 'json');
      assert.equal(status, 0, err);
      const { previews } = JSON.parse(out) as { previews: { set: string; to: string }[] };
      assert.deepEqual([previews[0]?.set, previews[0]?.to], ['gadget', 'gadget-1']);
      assert.equal(await client.get(MachineComponentSet, 'gadget'), undefined);
      await writeFile(
        file,
        text.join('\n').replace('revision: gadget-1', 'revision: gadget-1, rollout: {batches: [0]}'),
      );
      const refused = await run('plan', '-f', file);
      assert.equal(refused.status, 1);
      assert.match(refused.err, /the API server refused: .*batches/s);
      assert.match((await run('plan', '-f', join(folder, 'none'))).err, /none cannot be read/);
    });

    test('what cannot be asked for is told with the way out', async () => {
      assert.match((await run('rollback', 'machine/n1')).err, /machine\/n1 is no set: say set\/NAME/);
      assert.match(
        (await run('wait', 'set/tool', '--for', 'Ready=Maybe')).err,
        /--for: "Ready=Maybe" is neither/,
      );
      assert.match((await run('pause', 'set/tool', '-o', 'yaml')).err, /-o yaml: only json/);
    });
  });

  test('revert is not done without being asked about', async () => {
    const { status, err } = await run('import', '--revert', 'n17');
    assert.equal(status, 2);
    assert.match(err, /say --yes/);
    assert.equal((await client.get(MachineImport, 'n17'))?.spec.state, 'Imported');
    assert.equal((await run('import', '--revert', 'n17', '--yes', '--no-wait')).status, 0);
    assert.equal((await client.get(MachineImport, 'n17'))?.spec.state, 'Reverted');
  });

  test('what does not exist is said to, without a stack', async () => {
    for (const args of [
      ['get', 'machine', 'none'],
      ['tree', 'none'],
      ['plan', 'set/none'],
      ['retry', 'machine/none'],
      ['import', '--revert', 'none', '--yes'],
      ['pause', 'set/none'],
    ]) {
      const { status, err } = await run(...args);
      assert.notEqual(status, 0, args.join(' '));
      assert.match(err, /there is no|not found|NotFound/i, args.join(' '));
      assert.ok(!err.includes('    at '), err);
    }
  });

  test('token create prints the token alone, and beside it how to join', async () => {
    const agents = { amd64: { url: 'http://files.example/agent', digest: `sha256:${'a'.repeat(64)}` } };
    await publishJoinInfo(
      client,
      { server: server.url, ca: server.caPem, agents },
      new AbortController().signal,
    );
    const { out, err, status } = await run('token', 'create', '--machine', 'n18', '--ttl', '1h');
    assert.equal(status, 0, err);
    assert.match(out, /^[a-z0-9]{6}\.[a-z0-9]{16}\n$/);
    assert.match(
      err,
      /kubenode join --server https:\S+ --ca-data \S+ --agent amd64=http\S+ --name n18 --token-file/,
    );
    assert.ok(!err.includes(out.trim()));
    assert.match((await run('token', 'list')).out, /n18/);
    assert.equal((await run('token', 'delete', out.trim())).status, 0);
    assert.match((await run('token', 'list')).err, /no join tokens/);
  });

  test('an operator without agents is told so by the files that are missing', async () => {
    const { status, err } = await run(
      'operator',
      '--agent-file',
      `amd64=${join(folder, 'none')}`,
      '--serve-agents',
      '127.0.0.1:0',
    );
    assert.equal(status, 1);
    assert.match(err, /the agent for amd64, .*none, cannot be read/);
  });

  test('agents are served under their digest', async () => {
    const file = join(folder, 'agent');
    await writeFile(file, 'binary');
    const served = await serveAgents({ amd64: file }, { host: '127.0.0.1', port: 0 });
    try {
      const { url = '', digest } = served.agents['amd64'] ?? {};
      const answer = await fetch(url);
      assert.equal(await answer.text(), await readFile(file, 'utf8'));
      assert.equal(digest, 'sha256:9a3a45d01531a20e89ac6ae10b0b0beb0492acd7216a368aa062d1a5fecaf9cd');
      assert.equal((await fetch(new URL('/etc/passwd', url))).status, 404);
    } finally {
      served.close();
    }
  });

  test('join says what is missing before it touches anything', async () => {
    const terminal = testTerminal({}, 'nonsense');
    const status = await main(
      [
        'join',
        '--server',
        'https://x',
        '--ca-data',
        Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64'),
        '--token-file',
        '-',
        '--agent',
        `amd64=http://x@sha256:${'a'.repeat(64)}`,
      ],
      terminal,
    );
    assert.equal(status, 2);
    assert.match(terminal.printed().err, /no join token/);
  });
});
