/** npm start without root, as a person uses it: started, killed, started again, something broken, ended. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stopLocalHost } from '@kubenode/agent';
import type { Machine as MachineObject } from '@kubenode/api';
import { Machine } from '@kubenode/machine';
import { createClient, loadKubeconfig } from '@kubenode/runtime';

const program = join(import.meta.dirname, '../../demo/src/main.ts');
const hosts = ['local1', 'local2'];
let dir: string;
let demo: Demo | undefined;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubenode-demo-'));
});
after(async () => {
  await demo?.kill();
  for (const host of hosts) await stopLocalHost(rootOf(host), 5000);
  await rm(dir, { recursive: true, force: true });
});

test('hosts get Ready, and the end says how to go on', async () => {
  demo = new Demo();
  await demo.says(/local1, local2: Ready/);
  await demo.says(/kubectl get machines\.kubenode\.io/);
  assert.deepEqual(await summaries(), { local1: '4/4', local2: '4/4' });
});

test('killed with SIGKILL and started again, it goes on with the same processes', async () => {
  const before = await processes('local1');
  assert.equal(before.length, 2, `two daemons run: ${before.join(', ')}`);
  await demo?.kill();
  demo = new Demo();
  await demo.says(/local1, local2: Ready/);
  assert.deepEqual(await processes('local1'), before);
});

test('a file that somebody changes is put back, and counted', async () => {
  const file = join(rootOf('local1'), 'etc/motd');
  const right = await readFile(file, 'utf8');
  await writeFile(file, 'broken\n');
  await until('the file is put back', async () => (await readFile(file, 'utf8')) === right);
  await until('the repair is counted', async () => {
    const motd = (await machine('local1'))?.status?.components?.find(({ name }) => name === 'motd');
    return (motd?.drift?.repaired ?? 0) > 0;
  });
});

test('a daemon that somebody kills is started again', async () => {
  const [victim] = await processes('local2');
  process.kill(Number(victim), 'SIGKILL');
  await until('two daemons run again', async () => {
    const now = await processes('local2');
    return now.length === 2 && !now.includes(victim ?? '');
  });
});

test('Ctrl-C ends all of it, and another start goes on where it was', async () => {
  const uid = (await machine('local1'))?.metadata.uid;
  assert.equal(await demo?.end(), 0);
  assert.deepEqual(await processes('local1'), []);
  demo = new Demo();
  await demo.says(/local1, local2: Ready/);
  assert.equal((await machine('local1'))?.metadata.uid, uid);
  assert.equal(await demo.end(), 0);
});

class Demo {
  readonly #child: ChildProcess;
  #output = '';

  constructor() {
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, '--hosts', 'local', '--count', String(hosts.length)],
      { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (data: Buffer) => (this.#output += data.toString()));
  }

  async says(pattern: RegExp): Promise<void> {
    await until(`npm start says ${pattern}`, async () => {
      if (this.#child.exitCode !== null) throw new Error(`npm start ended:\n${this.#output}`);
      return pattern.test(this.#output);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#output}`, { cause: error });
    });
  }

  /** As Ctrl-C does. @returns its exit status. */
  async end(): Promise<number | null> {
    return this.#signal('SIGINT');
  }

  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  async #signal(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exited;
    }
    return this.#child.exitCode;
  }
}

function rootOf(host: string): string {
  return join(dir, '.kubenode/hosts', host, 'root');
}

async function machine(name: string): Promise<MachineObject | undefined> {
  const client = createClient(await loadKubeconfig(join(dir, '.kubenode/kubeconfig')));
  try {
    return await client.get(Machine, name);
  } finally {
    client.close();
  }
}

async function summaries(): Promise<Record<string, string | undefined>> {
  const found = await Promise.all(
    hosts.map(async (name) => [name, (await machine(name))?.status?.summary] as const),
  );
  return Object.fromEntries(found);
}

/** Process IDs of the daemons of a host: their program stands below its root. */
async function processes(host: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (
      command[1]?.startsWith(rootOf(host)) &&
      !command.includes('--probe') &&
      !command.includes('--version')
    )
      found.push(pid);
  }
  return found.toSorted();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
