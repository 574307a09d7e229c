// Runs one of the project's programs on the pinned runtime. This file is the only one that the machine's own Node runs,
// so it is plain JavaScript that any Node from 18 on understands. It installs what the lockfile names when that is missing or
// changed, finds the pinned Node (an npm package, no download of its own), and hands over: arguments, signals, exit status.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldest = 24;

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.kubenode-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing what package-lock.json names (once, about half a minute) ...');
  // Not `npm ci`: it refuses a lockfile without the builds for other platforms, which not every mirror carries. `--no-save` keeps
  // the lockfile as it is, and what it names is still held to its version and integrity.
  const npm = spawnSync('npm', ['install', '--no-save', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) {
    console.error('npm install failed (its message is above). Mend that, then run the same command again.');
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

function runtime() {
  try {
    const found = createRequire(join(root, 'package.json')).resolve(
      `node-${process.platform}-${process.arch}/package.json`,
    );
    return join(dirname(found), 'bin', 'node');
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= oldest) return process.execPath;
    console.error(
      `KubeNode needs Node.js ${oldest} or newer. This one is ${process.versions.node}, and there is no pinned ` +
        `one for ${process.platform}-${process.arch}: install Node.js ${oldest} and run the command again.`,
    );
    return process.exit(1);
  }
}

install();
const [program, ...args] = process.argv.slice(2);
const child = spawn(runtime(), ['--disable-warning=ExperimentalWarning', join(root, program), ...args], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group; a supervisor sends SIGTERM to this process only. Wait for the child either way.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) =>
  process.exit(signal ? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1) : code),
);
