import { statSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';

import { limiter } from '../../execute/limiter.ts';
import type { InstalledPackage, PackageManager, RunResult } from '../../ports.ts';
import { PackageError } from '../errors.ts';
import { checkName, Commands, type CommandsOptions, environment, isLocked, searchPath } from './commands.ts';
import { endOf } from '../../words.ts';
import { changedConfiguration } from './configuration.ts';
import { type DatabaseOptions, PackageDatabase } from './database.ts';
import { DebFetcher, type DebFetcherOptions } from './fetch.ts';

/** A package with a slow maintainer script on a slow disk; containerd takes 1.5 s. */
const installMs = 15 * 60_000;
/** A slow disk with much to write. */
const syncMs = 5 * 60_000;
/** Where packages write; each may be a file system of its own. */
const packagePlaces = ['/', '/boot', '/etc', '/opt', '/usr', '/var'];
/** Programs that maintainer scripts start and stop services with, by name: below here they are links to `true`. */
const noStartFolder = '/run/kubenode/no-start';
const starters = ['invoke-rc.d', 'deb-systemd-invoke'];
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

export interface DpkgOptions extends CommandsOptions, DebFetcherOptions, DatabaseOptions {
  readonly noStartFolder?: string;
}

/** One of the places that are there for each file system that they are on. */
function fileSystemsOf(places: readonly string[]): readonly string[] {
  const byDevice = new Map<number, string>();
  for (const place of places) {
    const stat = statSync(place, { throwIfNoEntry: false });
    if (stat !== undefined && !byDevice.has(stat.dev)) byDevice.set(stat.dev, place);
  }
  return [...byDevice.values()];
}

/** Debian packages, by dpkg. Every effect runs apart from the agent, so that a restart of it leaves no package half installed. */
export class DpkgPackages implements PackageManager {
  readonly #commands: Commands;
  readonly #database: PackageDatabase;
  readonly #fetcher: DebFetcher;
  readonly #noStartFolder: string;
  /** dpkg does one thing at a time: whoever tries meanwhile only burns CPU, and the folder of `withoutStarting` is one. */
  readonly #oneAtATime = limiter(1);

  constructor(options: DpkgOptions) {
    this.#commands = new Commands(options);
    this.#database = new PackageDatabase((command) => this.#commands.ask(command), options);
    this.#fetcher = new DebFetcher(options, this.#commands);
    this.#noStartFolder = options.noStartFolder ?? noStartFolder;
  }

  async installed(name: string): Promise<InstalledPackage | undefined> {
    return (await this.#database.look(checkName(name))).installed;
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
      const before = await this.#mend(name, env);
      // A package that is half there is not asked about: it can only be mended.
      if (before?.complete !== false) await this.#refuseMisfit(name, version, deb);
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
        `${name} ${version} was not installed: ${why}, the package is ${is}: ${endOf(result.output)}`,
      );
    });
    // Installing takes a hold away.
    await this.#hold(name, true);
    await this.#sync(name);
  }

  /**
   * Ends what was left in the middle. A broken package of others is not ours to fail on: what counts is what becomes of the one asked for.
   * @returns that, as it is then
   */
  async #mend(name: string, env: Readonly<Record<string, string>>): Promise<InstalledPackage | undefined> {
    const { installed, unfinished } = await this.#database.look(name);
    if (!unfinished) return installed;
    await this.#dpkg(name, [...keepConfig, '--configure', '--pending'], env);
    return await this.installed(name);
  }

  async #remove(name: string): Promise<void> {
    if ((await this.installed(name)) === undefined) return;
    await this.#hold(name, false);
    await this.#mend(name, environment);
    const result = await this.#dpkg(name, ['--remove', name], environment);
    if (result.exitCode !== 0)
      throw new PackageError(name, `${name} was not removed: ${endOf(result.output)}`);
    await this.#sync(name);
  }

  async #purge(name: string, ours: readonly string[]): Promise<string | undefined> {
    if ((await this.installed(name)) === undefined) return undefined;
    const files = await this.files(name);
    const changed = await changedConfiguration({ name, files, ours }, (command) =>
      this.#commands.ask(command),
    );
    await this.#remove(name);
    if (changed.length > 0)
      return `it was removed and its configuration stays, since the package did not bring ${changed.slice(0, 5).join(', ')} like this: apt-get purge ${name} takes all of it away`;
    const result = await this.#dpkg(name, ['--purge', name], environment);
    if (result.exitCode !== 0)
      throw new PackageError(name, `the configuration of ${name} was not removed: ${endOf(result.output)}`);
    await this.#sync(name);
    return undefined;
  }

  /**
   * dpkg syncs programs and its own records, but neither configuration files nor what maintainer scripts write: a power loss soon after
   * left an empty configuration file of a package that was installed for good. File systems of others (a network's) are left alone.
   */
  async #sync(name: string): Promise<void> {
    const places = fileSystemsOf(packagePlaces);
    const { exitCode, output } = await this.#commands.run(['sync', '--file-system', ...places], {
      timeoutMs: syncMs,
    });
    if (exitCode !== 0)
      throw new PackageError(name, `what ${name} changed could not be put to disk: ${endOf(output)}`);
  }

  /** As `apt-mark hold` does, which opens all of apt's cache before: a tenth of a second of a core, and the first time four tenths. */
  async #hold(name: string, held: boolean): Promise<void> {
    const result = await this.#commands.whileLocked(() =>
      this.#commands.run(['dpkg', '--set-selections'], {
        stdin: `${checkName(name)} ${held ? 'hold' : 'install'}\n`,
      }),
    );
    if (result.exitCode !== 0)
      throw new PackageError(
        name,
        `${name} could not be ${held ? 'held' : 'released'}: ${endOf(result.output)}`,
      );
  }

  async fetch(
    request: { name: string; version: string; digest: string; url?: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<string> {
    return await this.#fetcher.fetch(request, folder, signal);
  }

  async verify(name: string): Promise<readonly string[]> {
    const { exitCode, timedOut, output } = await this.#commands.ask(['dpkg', '--verify', checkName(name)]);
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
    const { exitCode, output } = await this.#commands.ask(['dpkg-query', '--listfiles', checkName(name)]);
    if (exitCode !== 0)
      throw new PackageError(name, `the files of ${name} cannot be listed: it is not installed`);
    return output.split('\n').filter((line) => line.startsWith('/') && line !== '/.');
  }

  /** dpkg unpacks a package whose dependencies are missing and then leaves it so; apt can tell before. */
  async #refuseMisfit(name: string, version: string, deb: string): Promise<void> {
    const flags = [
      '--simulate',
      ...installedOnly,
      '--quiet',
      '--no-install-recommends',
      '--allow-downgrades',
      '--allow-change-held-packages',
      '--reinstall',
    ];
    const { output } = await this.#commands.run(['apt-get', ...flags, 'install', deb]);
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

  /** Packages start and restart services by themselves; the agent decides that. The links stand in /run, outside every search path but this. */
  async #withoutStarting(action: (env: Readonly<Record<string, string>>) => Promise<void>): Promise<void> {
    const folder = this.#noStartFolder;
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
    const result = await this.#commands.runApart({ command: ['dpkg', ...args], env, timeoutMs: installMs });
    if (isLocked(result))
      throw new PackageError(
        name,
        `another program holds dpkg's lock: ${endOf(result.output)}: it is tried again later`,
      );
    return result;
  }
}
