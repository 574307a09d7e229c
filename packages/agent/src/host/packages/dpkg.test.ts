import assert from 'node:assert/strict';
import { existsSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

import type { RunResult } from '../../ports.ts';
import { sendFile, serve, sha256 } from '../artifacts/test-server.ts';
import type { CommandRequest } from '../command.ts';
import { DpkgPackages } from './dpkg.ts';

const never = new AbortController().signal;
const ok = (output = ''): RunResult => ({ exitCode: 0, timedOut: false, output });
const fails = (exitCode: number, output: string): RunResult => ({ exitCode, timedOut: false, output });
const locked = fails(2, 'dpkg: error: dpkg frontend lock was locked by another process with pid 4711');

interface Fake {
  readonly packages: DpkgPackages;
  readonly folder: string;
  /** Commands, without the options that are always the same. */
  readonly commands: string[];
}

/** dpkg as a script of answers: the first whose pattern is in the command. */
async function fakeHost(
  t: TestContext,
  answers: readonly (readonly [string, (call: CommandRequest) => RunResult])[],
  now: () => number = Date.now,
): Promise<Fake> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'kn-dpkg-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const commands: string[] = [];
  const run = (call: CommandRequest): Promise<RunResult> => {
    const command = call.command
      .filter((word) => !word.startsWith('--force') && !word.startsWith('--showformat'))
      .filter((word, _, [program]) => program !== 'sync' || word === program)
      .join(' ');
    commands.push(call.stdin === undefined ? command : `${command} < ${call.stdin.trim()}`);
    const answer = answers.find(([pattern]) => command.includes(pattern));
    return Promise.resolve(answer === undefined ? ok() : answer[1](call));
  };
  const noStartFolder = path.join(folder, 'no-start');
  const sourcesFile = path.join(folder, 'sources.json');
  const packages = new DpkgPackages({
    run,
    runApart: run,
    sourcesFile,
    noStartFolder,
    databaseFolder: path.join(folder, 'dpkg'),
    now,
    lockMs: 1_000,
    lockRetryMs: 5,
  });
  return { packages, folder, commands };
}

test('reads what dpkg says of a package', async (t) => {
  let output = '';
  let code = 0;
  const { packages } = await fakeHost(t, [['--show', () => fails(code, output)]]);
  const says = async (line: string): Promise<unknown> => {
    output = line;
    return await packages.installed('chrony');
  };
  assert.deepEqual(await says('ii |chrony|amd64|4.3-2\n'), { version: '4.3-2', complete: true, held: false });
  assert.deepEqual(await says('hi |chrony|amd64|1:4.3-2\n'), {
    version: '1:4.3-2',
    complete: true,
    held: true,
  });
  assert.deepEqual(await says('iU |chrony|amd64|4.3-2\n'), {
    version: '4.3-2',
    complete: false,
    held: false,
  });
  assert.deepEqual(await says('iHR|chrony|amd64|4.3-2\n'), {
    version: '4.3-2',
    complete: false,
    held: false,
  });
  assert.deepEqual(await says('iiR|chrony|amd64|4.3-2\n'), {
    version: '4.3-2',
    complete: false,
    held: false,
  });
  assert.equal(await says('rc |chrony|amd64|4.3-2\n'), undefined);
  assert.equal(await says('un |chrony|amd64|\n'), undefined);
  code = 1;
  assert.equal(await says('dpkg-query: no packages found'), undefined);
  code = 2;
  await assert.rejects(says('the status file is damaged'), {
    name: 'PackageError',
    message: /the status file is damaged/,
  });
  await assert.rejects(packages.installed('--remove'), /is no name of a Debian package/);
  code = 0;
  output = 'ii |libchrony|amd64|1\nrc |chrony|i386|2\nii |chrony|amd64|3\n';
  assert.equal((await packages.installed('chrony'))?.version, '3');
  assert.equal((await packages.installed('chrony:amd64'))?.version, '3');
  assert.equal(await packages.installed('chrony:i386'), undefined);
});

test('asks dpkg again only where its files have changed, and have been still for a moment', async (t) => {
  let later = 0;
  const { packages, folder, commands } = await fakeHost(
    t,
    [['--show', () => ok('ii |app|amd64|1\n')]],
    () => Date.now() + later,
  );
  const database = path.join(folder, 'dpkg');
  await mkdir(path.join(database, 'updates'), { recursive: true });
  const asksFor = async (count: number): Promise<void> => {
    commands.length = 0;
    for (let n = 0; n < count; n++) await packages.installed('app');
  };
  await writeFile(path.join(database, 'status'), 'a');
  later = -3_600_000;
  await asksFor(2);
  assert.equal(commands.length, 2);
  later = 3_600_000;
  await asksFor(3);
  assert.equal(commands.length, 1);
  // dpkg writes a new file and renames it.
  await writeFile(path.join(database, 'status-new'), 'b');
  await rename(path.join(database, 'status-new'), path.join(database, 'status'));
  await asksFor(3);
  assert.equal(commands.length, 1);
  // What it writes down while it works; all of this test may happen within one tick of the kernel's clock.
  await writeFile(path.join(database, 'updates/0000'), '');
  await utimes(path.join(database, 'updates'), 1, 2);
  await asksFor(3);
  assert.equal(commands.length, 1);
});

test('mends what was left in the middle, by dpkg or by its journal, and nothing else', async (t) => {
  let other = 'ii ';
  const { packages, folder, commands } = await fakeHost(t, [
    ['--show', () => ok(`${other}|other|amd64|1\nii |app|amd64|2\n`)],
  ]);
  const mends = async (): Promise<boolean> => {
    commands.length = 0;
    await packages.install({ name: 'app', version: '2', deb: '/app.deb' });
    return commands.includes('dpkg --configure --pending');
  };
  assert.equal(await mends(), false);
  other = 'rc ';
  assert.equal(await mends(), false);
  for (other of ['iU ', 'iF ', 'iHR', 'it ', 'iiR']) assert.equal(await mends(), true, other);
  other = 'ii ';
  await mkdir(path.join(folder, 'dpkg/updates'), { recursive: true });
  await writeFile(path.join(folder, 'dpkg/updates/0001'), '');
  assert.equal(await mends(), true);
});

test('lets no service start meanwhile, judges by the outcome, holds at the end', async (t) => {
  let isInstalled = false;
  let link = '';
  const { packages, folder, commands } = await fakeHost(t, [
    ['--show', () => (isInstalled ? ok('ii |app|amd64|2\n') : fails(1, ''))],
    [
      'dpkg --install',
      ({ env }) => {
        isInstalled = true;
        link = readlinkSync(path.join(env?.['PATH']?.split(':')[0] ?? '', 'deb-systemd-invoke'));
        return ok();
      },
    ],
  ]);
  await packages.install({ name: 'app', version: '2', deb: '/staged/app.deb' });
  assert.equal(link, '/bin/true');
  assert.equal(existsSync(path.join(folder, 'no-start')), false);
  assert.deepEqual(
    commands.filter((command) => !command.startsWith('dpkg-query') && !command.startsWith('apt-get')),
    ['dpkg --install /staged/app.deb', 'dpkg --set-selections < app hold', 'sync'],
  );
});

test('success of dpkg is not believed where the package is not there, and its failure is told with its words', async (t) => {
  let result = ok();
  const { packages } = await fakeHost(t, [
    ['--show', () => ok('iHR|app|amd64|1\n')],
    ['dpkg --install', () => result],
  ]);
  const install = (): Promise<void> => packages.install({ name: 'app', version: '2', deb: '/app.deb' });
  await assert.rejects(install(), {
    name: 'PackageError',
    message: /dpkg ended with 0, the package is at 1, not completely installed/,
  });
  result = fails(1, 'no space left on device');
  await assert.rejects(install(), /dpkg ended with 1.*no space left on device/);
});

test('what apt would not do without other packages is not begun', async (t) => {
  let simulation = '';
  const { packages, commands } = await fakeHost(t, [
    ['--show', () => fails(1, '')],
    ['apt-get --simulate', () => fails(100, simulation)],
  ]);
  const install = (): Promise<void> => packages.install({ name: 'app', version: '2', deb: '/app.deb' });
  simulation = 'Inst libneeded (1.0)\nInst app (2)\nConf app (2)\n';
  await assert.rejects(
    install(),
    /does not fit this host, nothing was changed: libneeded would have to be installed/,
  );
  simulation = 'Remv other [1.0]\nInst app (2)\n';
  await assert.rejects(install(), /other would have to be removed/);
  simulation =
    'The following packages have unmet dependencies:\n app : Depends: libc6 (>= 99) but 2.36 is to be installed\nE: Unable\n';
  await assert.rejects(install(), /app : Depends: libc6 \(>= 99\) but 2\.36/);
  assert.ok(!commands.some((command) => command.startsWith('dpkg --install')));
});

test('waits for a lock that another program holds, for so long and no longer', async (t) => {
  let tries = 0;
  const { packages } = await fakeHost(t, [
    ['--show', () => (tries > 3 ? ok('ii |app|amd64|2\n') : fails(1, ''))],
    ['dpkg --install', () => (++tries > 3 ? ok() : locked)],
  ]);
  await packages.install({ name: 'app', version: '2', deb: '/app.deb' });
  assert.equal(tries, 4);
  const busy = await fakeHost(t, [['dpkg --', () => locked]]);
  await assert.rejects(
    busy.packages.install({ name: 'app', version: '2', deb: '/app.deb' }),
    /another program holds dpkg's lock.*pid 4711/,
  );
});

test('verify tells changed and missing files, config files left out', async (t) => {
  const output =
    '??5?????? c /etc/app.conf\n??5??????   /usr/bin/app\nmissing   c /etc/gone\nmissing     /usr/share/a b (Permission denied)\n';
  const { packages } = await fakeHost(t, [['--verify', () => fails(1, output)]]);
  assert.deepEqual(await packages.verify('app'), ['/usr/bin/app', '/usr/share/a b']);
});

test('a package from an address is held to digest, name and version', async (t) => {
  const deb = Buffer.from('deb');
  const server = await serve(t, (request, response) => sendFile(request, response, deb));
  let shown = ok('app 2');
  const { packages, folder } = await fakeHost(t, [['dpkg-deb', () => shown]]);
  const request = { name: 'app', version: '2', digest: sha256(deb), url: `${server.url}/app.deb` };
  const file = await packages.fetch(request, folder, never);
  assert.ok(existsSync(file));
  shown = ok('other 2');
  await assert.rejects(packages.fetch(request, folder, never), {
    reason: 'Invalid',
    message: /is 'other 2' and not 'app 2'/,
  });
  shown = fails(2, 'not a debian format archive');
  await assert.rejects(packages.fetch(request, folder, never), { reason: 'Malformed' });
  await assert.rejects(packages.fetch({ ...request, digest: sha256('x') }, folder, never), {
    reason: 'DigestMismatch',
  });
});

test('without an address the host apt brings it, after an update where it did not know the version', async (t) => {
  const { packages, folder, commands } = await fakeHost(t, [
    ['update', () => ok()],
    ['dpkg-deb', () => ok('app 2')],
    ['download', () => fails(100, "E: Version '2' for 'app' was not found")],
  ]);
  const request = { name: 'app', version: '2', digest: sha256('deb') };
  await assert.rejects(packages.fetch(request, folder, never), {
    reason: 'NotFound',
    message: /the host's apt has no app=2/,
  });
  assert.deepEqual(
    commands.map((command) => command.split(' ').at(-1)),
    ['app=2', 'update', 'app=2'],
  );
  await writeFile(path.join(folder, `app_${sha256('deb').slice(7, 19)}.deb`), 'deb');
  assert.ok((await packages.fetch(request, folder, never)).endsWith('.deb'));
});

test('an apt that reaches nothing says nothing about the package', async (t) => {
  const { packages, folder } = await fakeHost(t, [
    ['update', () => fails(100, "E: Temporary failure resolving 'deb.example'")],
    ['download', () => fails(100, "E: Version '2' for 'app' was not found")],
  ]);
  await assert.rejects(packages.fetch({ name: 'app', version: '2', digest: sha256('deb') }, folder, never), {
    reason: 'Unreachable',
    message: /could not bring app=2: .*Temporary failure resolving.*mend the host's network/,
  });
});

test('packages that are wanted at once are installed one after the other', async (t) => {
  const { packages, commands } = await fakeHost(t, [
    ['dpkg-query', () => ok('ii |runc|amd64|1\nii |chrony|amd64|2\n')],
  ]);
  await Promise.all([
    packages.install({ name: 'runc', version: '1', deb: '/a.deb' }),
    packages.install({ name: 'chrony', version: '2', deb: '/b.deb' }),
  ]);
  const order = commands.filter((command) => command.includes('--install') || command.includes('hold'));
  assert.deepEqual(order, [
    'dpkg --install /a.deb',
    'dpkg --set-selections < runc hold',
    'dpkg --install /b.deb',
    'dpkg --set-selections < chrony hold',
  ]);
});

test('configuration goes with the package, and stays where somebody changed it', async (t) => {
  let verified = '';
  const { packages, commands } = await fakeHost(t, [
    ['dpkg-query --show', () => ok('ii |tool|amd64|1\n')],
    ['--listfiles', () => ok('/.\n/etc\n/etc/no-such-tool\n/etc/no-such-tool/conf\n')],
    ['--verify', () => ok(verified)],
    ['--search', () => ok('base, tool: /etc\ntool: /etc/no-such-tool\n')],
  ]);
  assert.equal(await packages.purge('tool', []), undefined);
  assert.ok(commands.includes('dpkg --purge tool'));
  commands.length = 0;
  verified = '??5?????? c /etc/no-such-tool/conf\n';
  assert.match((await packages.purge('tool', [])) ?? '', /configuration stays.*\/etc\/no-such-tool\/conf/);
  assert.ok(commands.includes('dpkg --remove tool') && !commands.includes('dpkg --purge tool'));
  assert.equal(await packages.purge('tool', ['/etc/no-such-tool/conf']), undefined);
});
