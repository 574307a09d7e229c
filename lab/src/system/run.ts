import { type ChildProcess, spawn } from 'node:child_process';

/** How a program is run; nothing is ever given to a shell. */
export interface RunOptions {
  cwd?: string;
  /** Set over this process's own environment; `undefined` takes a name away. */
  env?: Readonly<Record<string, string | undefined>>;
  stdin?: string | Uint8Array;
  /** What messages call the command, where what is run is a wrapper around it. */
  shownAs?: readonly string[];
  /** After this many milliseconds the program is killed and the result is an error. */
  timeoutMs?: number;
  /** Gives it a process group of its own, so that being killed takes its children along; Ctrl-C then doesn't reach it. */
  ownGroup?: boolean;
  /** Asked every 200 ms; the program is killed (status 137) once it says yes. */
  killWhen?: () => boolean;
  /** Told each line of standard error as it comes. */
  onErrorLine?: (line: string) => void;
}

/** What a program left behind. `code` is 128 + the signal's number where a signal ended it. */
export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
  /** Standard output as it came, for what is no text. */
  bytes: Buffer;
}

/** A program ended with another status than 0. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly result: RunResult;
  constructor(command: readonly string[], result: RunResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-15).join('\n');
    super(`${command.join(' ')}: status ${result.code}${said ? `\n${said}` : ''}`);
    this.result = result;
  }
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program to its end. @throws Error where it can't be started or takes too long; a bad status is left to the caller. */
export async function tryRun(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('An empty command cannot be run.');
  const child = spawn(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: options.ownGroup === true,
  });
  return await collect(child, command, options);
}

/** Runs a program to its end. @returns what it printed on standard output. @throws CommandError where its status is not 0. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(command, options);
  if (result.code !== 0) throw new CommandError(command, result);
  return result.stdout;
}

function kill(child: ChildProcess, options: RunOptions): void {
  try {
    if (options.ownGroup === true && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
  child.kill('SIGKILL');
}

async function collect(
  child: ChildProcess,
  command: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let timedOut = false;
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          kill(child, options);
        }, options.timeoutMs);
  const { killWhen } = options;
  const watcher =
    killWhen === undefined ? undefined : setInterval(() => killWhen() && kill(child, options), 200);
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  let partial = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    err.push(chunk);
    if (options.onErrorLine === undefined) return;
    const lines = (partial + chunk.toString()).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) options.onErrorLine(line);
  });
  // A program that doesn't read its input to the end is no error of ours.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.stdin ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${command[0]} cannot be run: ${error.message}`)));
    child.once('close', (status, signal) =>
      resolve(status ?? 128 + (signal === null ? 0 : (signalNumbers[signal] ?? 0))),
    );
  }).finally(() => {
    clearTimeout(timer);
    clearInterval(watcher);
  });
  const bytes = Buffer.concat(out);
  const result = { code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(err).toString() };
  if (timedOut)
    throw new Error(
      `${(options.shownAs ?? command).join(' ')}: not done after ${options.timeoutMs} ms, killed.`,
    );
  return result;
}
