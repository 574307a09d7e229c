import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram } from '../hosts/requirements.ts';
import { cacheFolder, cacheRoot } from '../system/cache.ts';
import { withLock } from '../system/lock.ts';
import { type Progress, timed } from '../system/progress.ts';
import { run } from '../system/run.ts';

/** A program built from a Go module that is pinned, with all it needs, under `lab/modules/`. */
export interface GoProgram {
  name: string;
  /** The folder under `lab/modules/` whose go.mod and go.sum pin the sources by digest. */
  module: string;
  /** Its main package. */
  package: string;
  version: string;
  /** Values of string variables that the linker sets. */
  variables?: Readonly<Record<string, string>>;
}

/** What this machine lacks for building from Go modules, a sentence each; empty where it lacks nothing. */
export async function missingForBuilds(): Promise<string[]> {
  if (!(await hasProgram('go')))
    return [
      'Go is missing (1.21 or newer; it fetches the pinned toolchain by itself): on Debian, apt-get install golang-go of a recent release.',
    ];
  return [];
}

/** Where a program is once it is built; the name says what it was built from, so a changed pin is another file. */
async function builtFile(program: GoProgram): Promise<string> {
  const pins = [await moduleFile(program.module, 'go.mod'), await moduleFile(program.module, 'go.sum')];
  const key = createHash('sha256')
    .update(JSON.stringify([pins, program, buildFlags, process.arch]))
    .digest('hex')
    .slice(0, 12);
  return join(cacheRoot(), 'bin', `${program.name}-${program.version}-${key}`, program.name);
}

/** No path of this machine and no state of a checkout gets into the file: the same pins make the same bytes everywhere. */
const buildFlags = ['-trimpath', '-buildvcs=false'] as const;

/** Whether a program is in the cache. */
export async function isBuilt(program: GoProgram): Promise<boolean> {
  return existsSync(await builtFile(program));
}

/** Builds a program, or takes it from the cache. @param hint how long it takes when nothing is cached, for people. @returns its file. */
export async function ensureBuilt(program: GoProgram, progress: Progress, hint: string): Promise<string> {
  const file = await builtFile(program);
  if (existsSync(file)) return file;
  const lacks = await missingForBuilds();
  if (lacks.length > 0) throw new Error(lacks.join('\n'));
  await mkdir(join(file, '..'), { recursive: true });
  await withLock(join(await cacheFolder('bin'), `${program.module}.lock`), progress, async () => {
    if (existsSync(file)) return;
    await timed(
      progress,
      `Building ${program.name} ${program.version} from its Go module (once, ${hint} when cold)`,
      async () => {
        const temporary = `${file}.building`;
        await rm(temporary, { force: true });
        await compile(program, temporary);
        await rename(temporary, file);
      },
    );
  });
  return file;
}

async function compile(program: GoProgram, output: string): Promise<void> {
  const toolchain = /^toolchain (\S+)$/m.exec(await moduleFile(program.module, 'go.mod'))?.[1];
  if (toolchain === undefined) throw new Error(`lab/modules/${program.module}/go.mod names no toolchain.`);
  const set = Object.entries(program.variables ?? {}).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
  const env = {
    CGO_ENABLED: '0',
    GOTOOLCHAIN: toolchain,
    GOFLAGS: undefined,
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    GOWORK: 'off',
    GOEXPERIMENT: undefined,
  };
  await run(
    ['go', 'build', ...buildFlags, '-ldflags', ['-s', '-w', ...set].join(' '), '-o', output, program.package],
    {
      cwd: moduleFolder(program.module),
      env,
    },
  );
}

const moduleFolder = (module: string): string =>
  fileURLToPath(new URL(`../../modules/${module}`, import.meta.url));

async function moduleFile(module: string, name: string): Promise<string> {
  return await readFile(join(moduleFolder(module), name), 'utf8');
}
