/** An upgrade as a person lives it: the real program, the real operator, the embedded control plane. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MachineComponentSet } from '@kubenode/machine';
import { parseKubeconfig } from '@kubenode/runtime';
import { type ApiServer, startApiServer } from '@kubenode/standalone';
import { Cluster, eventually, waitMs } from '../operator/cluster.ts';

const program = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const machines = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

describe('an upgrade with kubenode', () => {
  let folder: string;
  let server: ApiServer;
  let cluster: Cluster;
  let kubeconfig: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubenode-rollout-'));
    server = await startApiServer({ dataDir: join(folder, 'server') });
    kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, server.kubeconfig);
    cluster = new Cluster(parseKubeconfig(server.kubeconfig, folder));
    await cluster.install();
    await cluster.startOperator();
    const token = await cluster.token('aaaaaa');
    for (const name of machines) cluster.runAgent(await cluster.join(token, name), name);
    token.close();
    for (const version of [1, 2, 3, 4, 5]) await cluster.revision(`tool-${version}`);
    await cluster.set('tool', {
      revision: 'tool-1',
      rollout: { batches: [1, 2, 3], maxUnavailable: '100%' },
    });
    await cluster.rolledOut('tool');
  });
  after(async () => {
    await cluster.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function kubenode(...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', program, ...args, '--kubeconfig', kubeconfig],
        { timeout: waitMs },
        (error, out, err) => resolve({ status: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  const upgrade = (revision: string): Promise<unknown> =>
    cluster.admin.patch(MachineComponentSet, 'tool', { type: 'merge', body: { spec: { revision } } });

  test('the plan tells of the batches before anything is changed', async () => {
    const { status, out, err } = await kubenode('plan', 'set/tool', '--revision', 'tool-2');
    assert.equal(status, 0, err);
    assert.match(out, /^set\/tool: tool-1 → tool-2 on 6 machines in 3 batches$/m);
    assert.match(out, /batch 1 +now +1 machine +h\d$/m);
    assert.match(out, /batch 2 .*2 machines +h\d h\d$/m);
    assert.match(out, /batch 3 .*3 machines/m);
    assert.match(out, /file \/etc\/tool-2 added/);
    const json = await kubenode('plan', 'set/tool', '--revision', 'tool-2', '-o', 'json');
    const { previews } = JSON.parse(json.out) as { previews: { isDone: boolean; batches: unknown[] }[] };
    assert.equal(previews[0]?.isDone, true);
    assert.equal(previews[0]?.batches.length, 3);
    const set = await cluster.admin.get(MachineComponentSet, 'tool');
    assert.equal(set?.spec.revision, 'tool-1');
  });

  test('the tree on a terminal follows the upgrade, is quiet after it, and ends with Ctrl-C', async () => {
    const terminal = new TestTerminal(kubeconfig, 50);
    try {
      await terminal.shows(/set\/tool {2}tool-1 {2}6\/6 {2}Done/);
      await upgrade('tool-2');
      await terminal.shows(/set\/tool {2}tool-2 {2}6\/6 {2}Done/);
      assert.equal((await kubenode('wait', 'set/tool')).status, 0);
      terminal.interrupt();
      assert.equal(await terminal.ended, 130);
      assert.ok(terminal.text.includes('\x1b[?25h'), 'the cursor is shown again');
    } finally {
      terminal.close();
    }
  });

  test('a bad revision stops in the first batch, and the program says where and why', async () => {
    cluster.bad.set('tool-3', 'tool.service: exit 1: bad option --turbo');
    await upgrade('tool-3');
    const waited = await kubenode('wait', 'set/tool', '--timeout', '20s');
    assert.equal(waited.status, 1);
    assert.match(waited.err, /set\/tool is stopped in batch 1 .*bad option --turbo/);
    assert.ok(!waited.err.includes('the time is over'), waited.err);

    const why = await kubenode('why', 'set/tool');
    assert.equal(why.status, 1);
    assert.match(why.out, /stopped \(BatchFailed\): .*h\d.*bad option --turbo/);
    assert.match(why.out, /kubenode rollback set\/tool goes back to tool-2/);

    const tree = await kubenode('tree', 'set/tool');
    assert.equal(tree.status, 0);
    assert.match(tree.out, /^set\/tool {2}tool-2 → tool-3 {2}1\/6$/m);
    assert.match(tree.out, /stopped {2}BatchFailed/);
    assert.match(tree.out, /h\d {2}Failed.*bad option --turbo/);
    assert.match(tree.out, /5 machines: their turn has not come/);
  });

  test('retry goes on once the cause is mended', async () => {
    cluster.bad.delete('tool-3');
    const { status, out } = await kubenode('retry', 'set/tool');
    assert.equal(status, 0);
    assert.match(out, /set\/tool is tried again/);
    const waited = await kubenode('wait', 'set/tool', '--timeout', '20s');
    assert.equal(waited.status, 0, waited.err);
    assert.equal((await cluster.rolledOut('tool')).status?.currentRevision, 'tool-3');
  });

  test('rollback brings back what was completed last', async () => {
    cluster.bad.set('tool-4', 'no');
    await upgrade('tool-4');
    assert.equal((await kubenode('wait', 'set/tool', '--timeout', '20s')).status, 1);
    const { status, out } = await kubenode('rollback', 'set/tool');
    assert.equal(status, 0);
    assert.match(out, /goes from tool-4 back to tool-3/);
    const waited = await kubenode('wait', 'set/tool', '--timeout', '20s');
    assert.equal(waited.status, 0, waited.err);
  });

  test('promote does not wait for the observation', async () => {
    const rollout = { batches: [1, 2, 3], maxUnavailable: '100%', observation: '1h' };
    await cluster.set('tool', { revision: 'tool-5', rollout });
    await eventually(
      'batch 1 is observed',
      () => cluster.admin.get(MachineComponentSet, 'tool'),
      (set) => set?.status?.batch?.state === 'Observing',
    );
    const why = await kubenode('why', 'set/tool', '-o', 'json');
    const { findings } = JSON.parse(why.out) as { findings: { why: string; at?: string }[] };
    assert.match(findings[0]?.why ?? '', /^Observing: /);
    assert.ok(Date.parse(findings[0]?.at ?? '') > Date.now() + 3_000_000);
    const refused = await kubenode('promote', 'set/tool');
    assert.equal(refused.status, 2);
    assert.equal((await kubenode('promote', 'set/tool', '--yes')).status, 0);
    const waited = await kubenode('wait', 'set/tool', '--timeout', '20s');
    assert.equal(waited.status, 0, waited.err);
    assert.equal((await cluster.rolledOut('tool')).status?.promoted?.revision, 'tool-5');
  });
});

/** `kubenode tree` on a pseudo-terminal, made by script(1). */
class TestTerminal {
  text = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(kubeconfig: string, columns: number) {
    const command = `stty cols ${columns} rows 40; exec "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" tree --kubeconfig "$CONFIG"`;
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], {
      env: { ...process.env, NODE: process.execPath, PROGRAM: program, CONFIG: kubeconfig, TERM: 'xterm' },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('utf8');
    });
    this.ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(
      String(pattern),
      () => Promise.resolve(this.text),
      (text) => pattern.test(text),
    );
  }

  /** Ctrl-C, as the keyboard sends it. */
  interrupt(): void {
    this.#child.stdin?.write('\x03');
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
