import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { limiter } from '../../execute/limiter.ts';
import type { InstalledPackage, PackageManager, RunResult } from '../../ports.ts';
import type { DownloadOptions } from '../artifacts/download.ts';
import { checkDigest, download } from '../artifacts/download.ts';
import { readSources } from '../artifacts/sources.ts';
import type { CommandRequest } from '../command.ts';
import { ArtifactError, PackageError } from '../errors.ts';
import { removeDurably, renameDurably, syncFile } from '../files/atomic.ts';
import { hashFile } from '../files/digests.ts';
import { isMissing } from '../files/rooted-paths.ts';
import { changedConfiguration } from './configuration.ts';

const quickMs = 30_000;
/** A package with a slow maintainer script on a slow disk; containerd takes 1.5 s. */
const installMs = 15 * 60_000;
const aptMs = 10 * 60_000;
/** A slow disk with much to write. */
const syncMs = 5 * 60_000;
/** Where packages write; each may be a file system of its own. */
const packagePlaces = ['/', '/boot', '/etc', '/opt', '/usr', '/var'];
/** unattended-upgrades may hold dpkg's lock for minutes. */
const defaultLockMs = 10 * 60_000;
const defaultLockRetryMs = 2_000;
/** `dpkg-query --listfiles` of the largest packages is some MiB. */
const longOutput = 16 * 1024 * 1024;
/** Programs that maintainer scripts start and stop services with, by name: below here they are links to `true`. */
const noStartFolder = '/run/kubenode/no-start';
const starters = ['invoke-rc.d', 'deb-systemd-invoke'];
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const environment = { DEBIAN_FRONTEND: 'noninteractive', DEBIAN_PRIORITY: 'critical', PATH: searchPath };
/**
 * apt judges by what is installed alone: what could be had elsewhere does not matter. Reading Debian's lists took a second of a core for each
 * package, and without them it takes a tenth.
 */
const installedOnly = [
  '--option=Dir::State::lists=/nonexistent',
  '--option=Dir::Cache::pkgcache=',
  '--option=Dir::Cache::srcpkgcache=',
];
const keepConfig = ['--force-confold', '--force-confdef'];

export interface DpkgOptions {
  /** Runs a command that must outlive this process: in a unit of its own. */
  readonly runApart: (request: CommandRequest) => Promise<RunResult>;
  /** Runs a question. */
  readonly run: (request: CommandRequest) => Promise<RunResult>;
  /** Path of this machine. */
  readonly sourcesFile: string;
  readonly download?: Partial<Omit<DownloadOptions, 'sources' | 'resolve'>>;
  /** How long to wait for another program that holds dpkg's lock. */
  readonly lockMs?: number;
  readonly lockRetryMs?: number;
  readonly noStartFolder?: string;
}

/** Debian packages, by dpkg. Every effect runs apart from the agent, so that a restart of it leaves no package half installed. */
export class DpkgPackages implements PackageManager {
  readonly #options: DpkgOptions;
  /** dpkg does one thing at a time: whoever tries meanwhile only burns CPU, and the folder of `withoutStarting` is one. */
  readonly #oneAtATime = limiter(1);

  constructor(options: DpkgOptions) {
    this.#options = options;
  }

  async installed(name: string): Promise<InstalledPackage | undefined> {
    const format = '${db:Status-Abbrev}|${Version}\\n';
    const { exitCode, output } = await this.#ask([
      'dpkg-query',
      '--show',
      `--showformat=${format}`,
      checkName(name),
    ]);
    // 1: dpkg has never heard of it.
    if (exitCode === 1) return undefined;
    if (exitCode !== 0) throw new PackageError(name, `dpkg cannot be asked about ${name}: ${output.trim()}`);
    for (const line of output.split('\n')) {
      const [, want, status, broken, version = ''] = /^(.)(.)(.)\|(.*)$/.exec(line) ?? [];
      if (status === undefined || status === 'n' || status === 'c') continue;
      return { version, complete: status === 'i' && broken === ' ', held: want === 'h' };
    }
    return undefined;
  }

  async install(request: { name: string; version: string; deb: string }): Promise<void> {
    await this.#oneAtATime(() => this.#install(request));
  }

  async remove(name: string): Promise<void> {
    await this.#oneAtATime(() => this.#remove(name));
  }

  async purge(name: string, ours: readonly string[]): Promise<string | undefined> {
    return await this.#oneAtATime(() => this.#purge(name, ours));
  }

  async hold(name: string, held: boolean): Promise<void> {
    await this.#oneAtATime(() => this.#hold(name, held));
  }

  async #install(request: { name: string; version: string; deb: string }): Promise<void> {
    const { name, version, deb } = request;
    checkName(name);
    await this.#withoutStarting(async (env) => {
      // Another's broken package is not ours to fail on: what counts is what becomes of the one that is asked for.
      await this.#dpkg(name, [...keepConfig, '--configure', '--pending'], env);
      await this.#refuseMisfit(name, version, deb);
      const result = await this.#dpkg(name, [...keepConfig, '--install', deb], env);
      const now = await this.installed(name);
      if (result.exitCode === 0 && now?.complete === true && now.version === version) return;
      const is =
        now === undefined
          ? 'not installed'
          : `at ${now.version}${now.complete ? '' : ', not completely installed'}`;
      const why = result.timedOut
        ? `it was stopped after ${installMs / 60_000} minutes`
        : `dpkg ended with ${result.exitCode}`;
      throw new PackageError(
        name,
        `${name} ${version} was not installed: ${why}, the package is ${is}: ${lastLines(result.output)}`,
      );
    });
    // Installing takes a hold away.
    await this.#hold(name, true);
    await this.#sync(name);
  }

  async #remove(name: string): Promise<void> {
    if ((await this.installed(name)) === undefined) return;
    await this.#hold(name, false);
    await this.#dpkg(name, [...keepConfig, '--configure', '--pending'], environment);
    const result = await this.#dpkg(name, ['--remove', name], environment);
    if (result.exitCode !== 0)
      throw new PackageError(name, `${name} was not removed: ${lastLines(result.output)}`);
    await this.#sync(name);
  }

  async #purge(name: string, ours: readonly string[]): Promise<string | undefined> {
    if ((await this.installed(name)) === undefined) return undefined;
    const files = await this.files(name);
    const changed = await changedConfiguration({ name, files, ours }, (command) => this.#ask(command));
    await this.#remove(name);
    if (changed.length > 0)
      return `it was removed and its configuration stays, since the package did not bring ${changed.slice(0, 5).join(', ')} like this: apt-get purge ${name} takes all of it away`;
    const result = await this.#dpkg(name, ['--purge', name], environment);
    if (result.exitCode !== 0)
      throw new PackageError(
        name,
        `the configuration of ${name} was not removed: ${lastLines(result.output)}`,
      );
    await this.#sync(name);
    return undefined;
  }

  /**
   * dpkg syncs programs and its own records, but neither configuration files nor what maintainer scripts write: a power loss soon after
   * left an empty configuration file of a package that was installed for good. File systems of others (a network's) are left alone.
   */
  async #sync(name: string): Promise<void> {
    const places = packagePlaces.filter((place) => existsSync(place));
    const { exitCode, output } = await this.#run(['sync', '--file-system', ...places], syncMs);
    if (exitCode !== 0)
      throw new PackageError(name, `what ${name} changed could not be put to disk: ${lastLines(output)}`);
  }

  async #hold(name: string, held: boolean): Promise<void> {
    const result = await this.#whileLocked(() =>
      this.#run(['apt-mark', held ? 'hold' : 'unhold', checkName(name)]),
    );
    if (result.exitCode !== 0)
      throw new PackageError(
        name,
        `${name} could not be ${held ? 'held' : 'released'}: ${lastLines(result.output)}`,
      );
  }

  async fetch(
    request: { name: string; version: string; digest: string; url?: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { name, version, digest, url } = request;
    const address = url ?? `${checkName(name)}=${version} from the host's apt`;
    checkDigest(address, digest);
    const to = path.join(folder, `${name}_${digest.slice('sha256:'.length, 'sha256:'.length + 12)}.deb`);
    if (url === undefined) await this.#fetchByApt({ name, version, digest, to }, folder, signal);
    else {
      const sources = await readSources(this.#options.sourcesFile);
      const options = {
        ...this.#options.download,
        sources,
        resolve: (hostPath: string) => Promise.resolve(hostPath),
      };
      await download({ url, digest, to }, options, signal);
    }
    await this.#checkDeb(address, to, { name, version });
    return to;
  }

  async verify(name: string): Promise<readonly string[]> {
    const { exitCode, timedOut, output } = await this.#ask(['dpkg', '--verify', checkName(name)]);
    const wrong: string[] = [];
    for (const line of output.split('\n')) {
      const [, config, file] = /^(?:missing|[?.0-9A-Z]{9})\s+(c\s+)?(\/.*?)(?: \(.*\))?$/.exec(line) ?? [];
      if (file !== undefined && config === undefined) wrong.push(file);
    }
    // 1 says that something differs; that nothing can be said is another matter.
    if (timedOut || exitCode > 1)
      throw new PackageError(name, `dpkg --verify ${name} ended with ${exitCode}`);
    return wrong;
  }

  async files(name: string): Promise<readonly string[]> {
    const { exitCode, output } = await this.#ask(['dpkg-query', '--listfiles', checkName(name)]);
    if (exitCode !== 0)
      throw new PackageError(name, `the files of ${name} cannot be listed: it is not installed`);
    return output.split('\n').filter((line) => line.startsWith('/') && line !== '/.');
  }

  /**
   * dpkg unpacks a package whose dependencies are missing and then leaves it so; apt can tell before. A package that is half there is
   * not asked about: it can only be mended.
   */
  async #refuseMisfit(name: string, version: string, deb: string): Promise<void> {
    const before = await this.installed(name);
    if (before !== undefined && !before.complete) return;
    const flags = [
      '--simulate',
      ...installedOnly,
      '--quiet',
      '--no-install-recommends',
      '--allow-downgrades',
      '--allow-change-held-packages',
      '--reinstall',
    ];
    const { output } = await this.#run(['apt-get', ...flags, 'install', deb]);
    const own = name.replace(/:.*$/, '');
    const wants = [...output.matchAll(/^(Inst|Remv) (\S+)/gm)].filter(([, , other]) => other !== own);
    const unmet = new RegExp(`^ +${own.replace(/[.+]/g, String.raw`\$&`)}(?::\\S+)? : .*(?:\n {5,}.*)*`, 'm')
      .exec(output)?.[0]
      .trim();
    if (wants.length === 0 && unmet === undefined) return;
    const what =
      unmet ??
      wants
        .map(([, verb, other]) => `${other} would have to be ${verb === 'Inst' ? 'installed' : 'removed'}`)
        .join(', ');
    throw new PackageError(
      name,
      `${name} ${version} does not fit this host, nothing was changed: ${what.replace(/\s+/g, ' ')}: bring what it needs as components before it`,
    );
  }

  async #fetchByApt(
    wanted: { name: string; version: string; digest: string; to: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    if ((await digestOf(wanted.to)) === wanted.digest) return;
    const scratch = path.join(folder, 'apt');
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const command = ['env', `--chdir=${scratch}`, 'apt-get', '--quiet', '--option=APT::Sandbox::User=root'];
    const what = `${wanted.name}=${wanted.version}`;
    let result = await this.#run([...command, 'download', what], aptMs, signal);
    if (result.exitCode !== 0) {
      // The host's lists may be older than the version.
      signal.throwIfAborted();
      const update = await this.#whileLocked(() => this.#run([...command, 'update'], aptMs, signal));
      result = await this.#run([...command, 'download', what], aptMs, signal);
      if (update.exitCode !== 0) result = { ...result, output: `${update.output}\n${result.output}` };
    }
    signal.throwIfAborted();
    const [file] = (await readdir(scratch)).filter((entry) => entry.endsWith('.deb'));
    if (result.exitCode !== 0 || file === undefined) {
      throw new ArtifactError(
        what,
        'NotFound',
        `the host's apt has no ${what}: ${lastLines(result.output)}: correct the version, the host's apt sources, or give the package's url`,
      );
    }
    const got = await hashFile(path.join(scratch, file));
    if (got !== wanted.digest) {
      await rm(scratch, { recursive: true, force: true });
      throw new ArtifactError(
        what,
        'DigestMismatch',
        `${what} from the host's apt has digest ${got} and the revision says ${wanted.digest}: nothing of it was used; correct the digest in a new revision`,
      );
    }
    // apt leaves it to the kernel when the contents get on disk.
    await syncFile(path.join(scratch, file));
    await renameDurably(path.join(scratch, file), wanted.to);
    await removeDurably(scratch);
  }

  async #checkDeb(address: string, deb: string, wanted: { name: string; version: string }): Promise<void> {
    const { exitCode, output } = await this.#ask([
      'dpkg-deb',
      '--showformat=${Package} ${Version}',
      '--show',
      deb,
    ]);
    if (exitCode !== 0)
      throw new ArtifactError(
        address,
        'Malformed',
        `${address} is no Debian package: correct the address in the revision`,
      );
    const expected = `${wanted.name.replace(/:.*$/, '')} ${wanted.version}`;
    if (output.trim() === expected) return;
    throw new ArtifactError(
      address,
      'Invalid',
      `${address} is '${output.trim()}' and not '${expected}': correct name or version in the revision`,
    );
  }

  /** Packages start and restart services by themselves; the agent decides that. The links stand in /run, outside every search path but this. */
  async #withoutStarting(action: (env: Readonly<Record<string, string>>) => Promise<void>): Promise<void> {
    const folder = this.#options.noStartFolder ?? noStartFolder;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    try {
      for (const name of starters) {
        await rm(path.join(folder, name), { force: true });
        await symlink('/bin/true', path.join(folder, name));
      }
      await action({ ...environment, PATH: `${folder}:${searchPath}` });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #dpkg(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<RunResult> {
    const command = ['dpkg', ...args];
    const result = await this.#whileLocked(() =>
      this.#options.runApart({ command, env, timeoutMs: installMs }),
    );
    if (isLocked(result))
      throw new PackageError(
        name,
        `another program holds dpkg's lock: ${lastLines(result.output)}: it is tried again later`,
      );
    return result;
  }

  async #whileLocked(action: () => Promise<RunResult>): Promise<RunResult> {
    const deadline = Date.now() + (this.#options.lockMs ?? defaultLockMs);
    for (;;) {
      const result = await action();
      if (!isLocked(result) || Date.now() >= deadline) return result;
      await delay((this.#options.lockRetryMs ?? defaultLockRetryMs) * (0.5 + Math.random()));
    }
  }

  async #ask(command: readonly string[]): Promise<RunResult> {
    return await this.#options.run({
      command,
      timeoutMs: quickMs,
      env: environment,
      keepBytes: longOutput,
      stdoutOnly: true,
    });
  }

  async #run(command: readonly string[], timeoutMs = quickMs, signal?: AbortSignal): Promise<RunResult> {
    return await this.#options.run({
      command,
      timeoutMs,
      env: environment,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** By Debian policy, with an architecture where one is named. Nothing else ever becomes an argument of dpkg. */
function checkName(name: string): string {
  if (/^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?$/.test(name)) return name;
  throw new PackageError(name, `'${name}' is no name of a Debian package`);
}

function isLocked(result: RunResult): boolean {
  return (
    result.exitCode !== 0 &&
    /lock.*(locked by another process|is held by process|Could not get lock)|Could not get lock/i.test(
      result.output,
    )
  );
}

async function digestOf(file: string): Promise<string | undefined> {
  try {
    return await hashFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-6).join('; ');
}
