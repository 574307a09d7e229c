import { spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';

import { cleanEnvironment, findProgram, outputLimit } from '../command.ts';
import { ServiceError } from '../errors.ts';
import { makeFolders } from '../files/atomic.ts';
import { parseOwner } from '../files/owners.ts';
import type { RootedPaths } from '../files/rooted-paths.ts';
import { isMissing } from '../files/rooted-paths.ts';
import type { CommandLine } from './command-line.ts';
import { expandCommand } from './command-line.ts';
import { unitMark } from './records.ts';
import type { UnitConfig } from './unit-config.ts';
import { parseEnvironmentFile } from './unit-config.ts';

/** A unit's log is set aside once when it is longer at a start. */
const maxLogBytes = 1024 * 1024;

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
export interface Launched {
  readonly pid: number;
  readonly exited: Promise<Exit>;
}

/** Starts the processes of one unit, apart from this process: they live on when it dies. */
export class Launcher {
  readonly #paths: RootedPaths;
  readonly #log: (message: string) => void;

  constructor(paths: RootedPaths, log: (message: string) => void) {
    this.#paths = paths;
    this.#log = log;
  }

  /** Rejects with ServiceError where the command cannot be started. `mainPID` becomes $MAINPID. */
  async launch(unit: string, config: UnitConfig, command: CommandLine, mainPID?: number): Promise<Launched> {
    const environment = await this.#environment(unit, config, mainPID);
    const [name = '', ...args] = expandCommand(command, environment, config.specifiers);
    const program = await findProgram(this.#paths.root, name);
    if (program === undefined) {
      throw new ServiceError(
        unit,
        'exec',
        `${unit}: command '${name}' is not an executable file on this host`,
      );
    }
    const log = await open(await this.#logFile(unit), 'a', 0o640);
    try {
      const child = spawn(program, args, {
        detached: true,
        cwd: await this.#folder(config),
        env: environment,
        stdio: ['ignore', log.fd, log.fd],
        ...(await this.#identity(unit, config)),
      });
      const exited = new Promise<Exit>((resolve) => {
        child.on('exit', (code, signal) => resolve({ code, signal }));
      });
      await new Promise<void>((resolve, reject) => {
        child.on('spawn', resolve);
        child.on('error', (error) =>
          reject(new ServiceError(unit, 'exec', `${unit}: '${name}' cannot be started: ${error.message}`)),
        );
      });
      child.unref();
      return { pid: child.pid ?? 0, exited };
    } finally {
      await log.close();
    }
  }

  /** The words that the unit's main process was started with, to know it again. */
  async words(unit: string, config: UnitConfig): Promise<readonly string[]> {
    const [command] = config.start;
    return command === undefined
      ? []
      : expandCommand(command, await this.#environment(unit, config), config.specifiers);
  }

  /** The last the unit's processes said. */
  async lastWords(unit: string): Promise<string> {
    try {
      const text = await readFile(await this.#logFile(unit), 'utf8');
      return text.slice(-outputLimit).trim().split('\n').slice(-8).join('\n');
    } catch (error) {
      if (isMissing(error)) return '';
      throw error;
    }
  }

  /** Sets a long log aside. */
  async rotateLog(unit: string): Promise<void> {
    const file = await this.#logFile(unit);
    await makeFolders(path.dirname(file));
    try {
      if ((await stat(file)).size > maxLogBytes) await rename(file, `${file}.1`);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #logFile(unit: string): Promise<string> {
    return path.join(await this.#paths.target('/var/log/kubenode'), `${encodeURIComponent(unit)}.log`);
  }

  async #environment(unit: string, config: UnitConfig, mainPID?: number): Promise<Record<string, string>> {
    const environment = { ...cleanEnvironment(this.#paths.root), ...config.environment };
    for (const { path: file, optional } of config.environmentFiles) {
      try {
        Object.assign(
          environment,
          parseEnvironmentFile(await readFile(await this.#paths.target(file), 'utf8')),
        );
      } catch (error) {
        if (optional && isMissing(error)) continue;
        throw new ServiceError(
          unit,
          'resources',
          `${unit}: EnvironmentFile ${file} cannot be read: put it there, or write it as -${file}`,
          {
            cause: error,
          },
        );
      }
    }
    environment[unitMark] = unit;
    if (mainPID !== undefined) environment['MAINPID'] = String(mainPID);
    return environment;
  }

  async #folder(config: UnitConfig): Promise<string> {
    const wanted = config.workingDirectory;
    return wanted === undefined || wanted === '~'
      ? this.#paths.root || '/'
      : await this.#paths.target(wanted);
  }

  async #identity(unit: string, config: UnitConfig): Promise<{ uid?: number; gid?: number }> {
    if (config.user === undefined || config.user === 'root') return {};
    if (process.geteuid?.() !== 0) {
      this.#log(`${unit}: User=${config.user} is ignored, this agent does not run as root`);
      return {};
    }
    return await parseOwner(
      this.#paths,
      config.group === undefined ? config.user : `${config.user}:${config.group}`,
    );
  }
}
