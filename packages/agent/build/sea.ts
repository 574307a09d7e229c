import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const packageFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const repository = path.resolve(packageFolder, '../..');

/** Marks the place in a Node binary that tells whether a program is inside; Node's documentation names it. */
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** Changed when this file makes another executable of the same bundle. */
const recipe = '3';
const keptMs = 86_400_000;
/**
 * Small heaps: a young generation of 1 MiB holds what a watch and a 10-s check allocate; with the default of 16 the process grows by as
 * much before it collects. No compilers: an agent that waits nearly all the time never earns back the pages that they touch (measured,
 * cold page cache, one component: 70 MB resident with them, 60 without). Optimized for size, since that halves what ten components
 * add (66 MB resident and 21 anonymous without it, 62 and 17 with it).
 */
const nodeOptions = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=1',
  '--max-old-space-size=96',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  '--optimize-for-size',
];

/** A built agent. */
export interface AgentExecutable {
  /** Where it lies; named by its digest, so it never changes. */
  readonly path: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}
export interface BuildOptions {
  /** Folder of built agents. Default: node_modules/.cache/kubenode/agent of this repository. */
  readonly cacheFolder?: string;
  /** Version that it says it is. Default: the project's. */
  readonly version?: string;
  /** The program's first file; default the agent's own. A test's may change the agent before it begins. */
  readonly entry?: string;
  /** Told what is being done. */
  readonly progress?: (line: string) => void;
}

/**
 * Makes the agent one executable for machines of this architecture: the bundle inside a stripped copy of the Node that runs this. Takes
 * some seconds; the second time for the same sources only the bundling, a tenth of one.
 * @throws Error when esbuild, strip or postject failed
 */
export async function buildAgent(options: BuildOptions = {}): Promise<AgentExecutable> {
  const cache = options.cacheFolder ?? path.join(repository, 'node_modules/.cache/kubenode/agent');
  const progress = options.progress ?? (() => undefined);
  const bundle = await bundleAgent(
    options.entry ?? path.join(packageFolder, 'src/start.ts'),
    options.version ?? (await projectVersion()),
  );
  const key = createHash('sha256')
    .update([recipe, process.version, process.arch, ...nodeOptions].join('\n'))
    .update(bundle)
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cache, key);
  const known = await readKnown(folder);
  if (known) return known;
  progress(
    `building the agent: ${Math.round(bundle.length / 1024)} KiB of program into Node ${process.version}`,
  );
  const work = path.join(cache, `.${key}-${randomUUID()}`);
  await mkdir(work, { recursive: true });
  try {
    await inject(work, bundle, progress);
    const executable = path.join(work, 'kubenode-agent');
    const digest = await digestOf(executable);
    const { size } = await stat(executable);
    await writeFile(path.join(work, 'agent.json'), JSON.stringify({ digest, size }));
    await rename(work, folder).catch(async (error: unknown) => {
      // Somebody else built the same meanwhile: theirs is as good.
      if ((await readKnown(folder)) === undefined) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await prune(cache);
  const built = await readKnown(folder);
  if (built === undefined)
    throw new Error(`the agent was built into ${folder} and is not there: is the disk full?`);
  return built;
}

async function projectVersion(): Promise<string> {
  const text = await readFile(path.join(repository, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function bundleAgent(entry: string, version: string): Promise<Buffer> {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: 'node24',
    // CommonJS starts in 75 to 120 ms, an ES module in 150 and with 3 MiB more.
    format: 'cjs',
    minify: true,
    keepNames: false,
    write: false,
    legalComments: 'none',
    logLevel: 'silent',
    define: { KUBENODE_VERSION: JSON.stringify(version), 'import.meta.url': '"file:///kubenode-agent"' },
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild gave no bundle');
  return Buffer.from(file.contents);
}

async function inject(work: string, bundle: Buffer, progress: (line: string) => void): Promise<void> {
  const executable = path.join(work, 'kubenode-agent');
  const main = path.join(work, 'agent.cjs');
  const blob = path.join(work, 'agent.blob');
  const config = path.join(work, 'sea.json');
  await writeFile(main, bundle);
  await copyFile(process.execPath, executable);
  await chmod(executable, 0o755);
  await strip(executable, progress);
  await writeFile(
    config,
    JSON.stringify({
      main,
      output: blob,
      useCodeCache: true,
      disableExperimentalSEAWarning: true,
      execArgv: nodeOptions,
      // Deaf to NODE_OPTIONS: whoever can set the environment of a unit should not set the agent's program.
      execArgvExtension: 'none',
    }),
  );
  // V8 takes a code cache only under the flags that it was made with.
  await run(process.execPath, [...nodeOptions, '--experimental-sea-config', config]);
  // As a program of its own: it writes warnings about Node's section names that mean nothing, and holds hundreds of megabytes.
  const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
  await run(process.execPath, [postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', sentinelFuse]);
  await Promise.all([main, blob, config].map((file) => rm(file)));
}

/** Takes the symbols out, before the program goes in: after that it would be lost without an error. */
async function strip(executable: string, progress: (line: string) => void): Promise<void> {
  try {
    await run('strip', ['--strip-all', executable]);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    progress('strip is not installed (package binutils): the agent gets a few megabytes larger');
  }
}

/** Takes away builds that are older than a day: each is 109 MB, and hosts pull only what was built for a running operator. */
async function prune(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    // Another build may have moved or removed it meanwhile.
    const found = await stat(path.join(cache, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < Date.now() - keptMs)
      await rm(path.join(cache, name), { recursive: true, force: true });
  }
}

async function readKnown(folder: string): Promise<AgentExecutable | undefined> {
  try {
    const { digest, size } = JSON.parse(await readFile(path.join(folder, 'agent.json'), 'utf8')) as {
      digest: string;
      size: number;
    };
    const executable = path.join(folder, 'kubenode-agent');
    return (await stat(executable)).size === size ? { path: executable, digest, size } : undefined;
  } catch {
    return undefined;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
