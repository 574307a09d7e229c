/** One of our programs as a process, that a story may kill and start again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export class Process {
  readonly name: string;
  readonly logFile: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #logStart = 0;

  constructor(name: string, logFile: string, args: readonly string[]) {
    this.name = name;
    this.logFile = logFile;
    this.#args = args;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`);
    this.#logStart = (await readFile(this.logFile, 'utf8').catch(() => '')).length;
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...this.#args], {
      stdio: ['ignore', log, log],
    });
    await once(child, 'spawn');
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
  }

  /** Resolves when a line of this run's log fits. @throws Error with the end of the log when the process is gone before, or after 30 s. */
  async says(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const log = (await readFile(this.logFile, 'utf8')).slice(this.#logStart);
      if (pattern.test(log)) return;
      if (this.#child === undefined || Date.now() > deadline)
        throw new Error(`${this.name} did not say ${pattern}:\n${log.slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** SIGKILL: nothing is put in order. */
  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  /** SIGTERM, and SIGKILL where that is not enough in ten seconds. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), 10_000);
    await this.#signal('SIGTERM');
    clearTimeout(timer);
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
