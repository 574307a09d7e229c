import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

import type { RunRequest, RunResult } from '../ports.ts';
import { rootedPaths } from './files/rooted-paths.ts';

/** How much of a command's output is kept: what a status message or a log line can use. */
export const outputLimit = 4 * 1024;
const searchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** What a shell answers for a command that is not there, and for one that may not be run. */
const notFound = 127;
const notExecutable = 126;

/** Keeps the last bytes of what is written to it. */
class OutputTail {
  readonly #limit: number;
  #kept: Buffer = Buffer.alloc(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    const all = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#limit)));
  }

  text(): string {
    return this.#kept.toString('utf8');
  }
}

/** Nothing of the agent's own environment: it may name credentials. */
export function cleanEnvironment(
  root: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const folders =
    root === '' ? searchPath : [...searchPath.map((folder) => path.join(root, folder)), ...searchPath];
  return { PATH: folders.join(':'), LANG: 'C.UTF-8', HOME: '/root', KUBENODE_ROOT: root, ...more };
}

/** The program's path on this machine: below the root first, then the machine's own. undefined where there is none. */
export async function findProgram(root: string, name: string): Promise<string | undefined> {
  const candidates = name.includes('/') ? [name] : searchPath.map((folder) => path.join(folder, name));
  if (root !== '') {
    // An absolute link below the root leads to somewhere below the root.
    const paths = rootedPaths(root);
    for (const candidate of candidates) {
      const real = path.isAbsolute(candidate) ? await paths.target(candidate) : undefined;
      if (real !== undefined && isExecutable(real)) return real;
    }
  }
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface CommandRequest extends Omit<RunRequest, 'isolation'> {
  /** Bytes of output to keep from its end; default 4 KiB. */
  readonly keepBytes?: number;
  /** Keeps what it writes to stdout only, for output that is parsed. */
  readonly stdoutOnly?: boolean;
  /** What it reads; nothing by default. */
  readonly stdin?: string;
  /** Ends the command as the deadline does. */
  readonly signal?: AbortSignal;
}

/** Runs a command to its end in a process group of its own; past the deadline the whole group is killed. Never rejects. */
export async function runCommand(root: string, request: CommandRequest): Promise<RunResult> {
  const [name = '', ...args] = request.command;
  const program = await findProgram(root, name);
  if (program === undefined) {
    const exists =
      name.includes('/') && statSync(path.join(root, name), { throwIfNoEntry: false }) !== undefined;
    const why = exists
      ? 'is not an executable file'
      : `is not on this host (looked in ${searchPath.join(', ')})`;
    return {
      exitCode: exists ? notExecutable : notFound,
      timedOut: false,
      output: `command '${name}' ${why}`,
    };
  }
  return await new Promise<RunResult>((resolve) => {
    const output = new OutputTail(request.keepBytes ?? outputLimit);
    let timedOut = false;
    const child = spawn(program, args, {
      argv0: name,
      cwd: '/',
      detached: true,
      env: cleanEnvironment(root, request.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // One that does not read to the end is no error of the agent's.
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.stdin);
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    const giveUp = (): void => {
      timedOut = true;
      kill();
      // A process that left the group may hold the pipes open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(giveUp, request.timeoutMs);
    request.signal?.addEventListener('abort', giveUp, { once: true });
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (request.stdoutOnly !== true) output.add(chunk);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({
        exitCode: notExecutable,
        timedOut: false,
        output: `command '${name}' could not be run: ${error.message}`,
      });
    });
    child.on('exit', () => {
      // What it left behind in its group ends with it, and with that the pipes.
      kill();
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', giveUp);
      const ended = signal !== null && !timedOut ? `\nended by ${signal}` : '';
      resolve({ exitCode: code ?? 128, timedOut, output: output.text() + ended });
    });
  });
}
