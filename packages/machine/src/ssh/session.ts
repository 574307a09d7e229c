import type { Client, ClientChannel } from 'ssh2';
import { SshError } from './errors.ts';
import { quoteArgv } from './quote.ts';
import { writeFileScript } from './scripts.ts';

export interface ExecOptions {
  /** Given to the command on stdin, which then ends. The place for secrets: nothing of it shows in a list of processes or in an error. */
  readonly stdin?: string | Buffer | AsyncIterable<Buffer>;
  /** Milliseconds until the command is given up and its channel closed. Default 60,000. */
  readonly timeoutMs?: number;
  /** The last so many bytes of each stream are kept. Default 65,536. */
  readonly keepBytes?: number;
}

/** How a command ended, with the end of what it printed on each stream. */
export interface ExecResult {
  /** Exit status; 128 + n where signal n is not told apart from it by the host; -1 where a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A log-in as root on one host. Several commands may run at once. */
export interface SshSession {
  /** user@address port n, for messages. */
  readonly where: string;
  /** Runs a command as root. Rejects only where it could not be run to its end (SshError); a status other than 0 is a result. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Writes a file whole or not at all, owned by root, through a temporary file beside it. Missing parents are made with 0755. */
  writeFile(path: string, content: string | Buffer, options: { mode: number }): Promise<void>;
  close(): void;
}

const keptOutput = 64 * 1024;

export class Session implements SshSession {
  readonly where: string;
  readonly #client: Client;
  #prefix: readonly string[] = [];
  #lost: SshError | undefined;
  /** Called once when the connection breaks, so that no command waits for an answer that cannot come. */
  readonly #onLost = new Set<(error: SshError) => void>();

  constructor(client: Client, where: string) {
    this.where = where;
    this.#client = client;
    client.removeAllListeners('error');
    client.removeAllListeners('close');
    client.on('error', (error: Error) => this.#broke(error.message));
    client.on('close', () => this.#broke('closed by the host'));
  }

  /** Finds out how to be root here: as the user that logged in, or by sudo without a password. */
  async becomeRoot(): Promise<void> {
    const id = await this.exec(['id', '-u'], { timeoutMs: 15_000 });
    if (id.exitCode === 0 && id.stdout.trim() === '0') return;
    const sudo = ['sudo', '-n', '--'];
    const tried = await this.exec([...sudo, 'id', '-u'], { timeoutMs: 15_000 });
    if (tried.exitCode !== 0 || tried.stdout.trim() !== '0') {
      throw new SshError(
        'NotRoot',
        `${this.where} logged in, but it is not root and may not sudo without a password` +
          `${firstLine(tried.stderr, ' (', ')')}; set spec.ssh.user to root, or permit it "NOPASSWD: ALL" in sudoers`,
      );
    }
    this.#prefix = sudo;
  }

  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const command = quoteArgv([...this.#prefix, ...argv]);
    const timeoutMs = options.timeoutMs ?? 60_000;
    const program = argv[0] ?? '';
    if (this.#lost !== undefined) throw this.#lost;
    const gone = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      gone.reject(
        new SshError(
          'Timeout',
          `${program} on ${this.where} did not end within ${Math.round(timeoutMs / 1000)} s`,
        ),
      );
    }, timeoutMs);
    this.#onLost.add(gone.reject);
    let channel: ClientChannel | undefined;
    const running = this.#run(command, options, (opened) => {
      channel = opened;
    });
    // Whichever loses the race must not count as unhandled.
    running.catch(() => undefined);
    try {
      return await Promise.race([running, gone.promise]);
    } catch (error) {
      channel?.close();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#onLost.delete(gone.reject);
    }
  }

  async writeFile(path: string, content: string | Buffer, options: { mode: number }): Promise<void> {
    const bytes = Buffer.from(content);
    const mode = options.mode.toString(8).padStart(4, '0');
    // The length goes along: where the connection breaks, the shell sees an end of input and must not take half a file for all of it.
    const result = await this.exec(
      ['/bin/sh', '-c', writeFileScript, 'sh', path, mode, String(bytes.length)],
      {
        stdin: bytes,
      },
    );
    if (result.exitCode !== 0) {
      throw new Error(`${path} on ${this.where} could not be written${firstLine(result.stderr, ': ')}`);
    }
  }

  close(): void {
    this.#lost ??= new SshError('Lost', `the session with ${this.where} is closed`);
    this.#client.end();
    // A host that is frozen never answers the goodbye.
    setTimeout(() => this.#client.destroy(), 2_000).unref();
  }

  #run(command: string, options: ExecOptions, opened: (channel: ClientChannel) => void): Promise<ExecResult> {
    return new Promise((resolve, reject) => {
      this.#client.exec(command, (error, channel) => {
        if (error === undefined) {
          opened(channel);
          // Listening begins in this very call: the exit status may stand in the packet that is being read.
          finish(channel, options).then(resolve, reject);
          return;
        }
        reject(
          new SshError('Lost', `${this.where} opens no channel for a command: ${error.message}`, {
            cause: error,
          }),
        );
      });
    });
  }

  #broke(reason: string): void {
    this.#lost ??= new SshError(
      'Lost',
      `the connection to ${this.where} broke (${reason}); it is tried again`,
    );
    for (const reject of this.#onLost) reject(this.#lost);
    this.#onLost.clear();
  }
}

async function finish(channel: ClientChannel, options: ExecOptions): Promise<ExecResult> {
  const keep = options.keepBytes ?? keptOutput;
  const out = tail(channel, keep);
  const err = tail(channel.stderr, keep);
  const end = new Promise<number>((resolve) => {
    let code = -1;
    channel.on('exit', (status: number | null) => {
      code = status ?? -1;
    });
    channel.on('close', () => resolve(code));
  });
  await feed(channel, options.stdin);
  const exitCode = await end;
  return { exitCode, stdout: out(), stderr: err() };
}

/** A command may end without reading all of its input; that shows in its exit status and is no error of its own. */
async function feed(channel: ClientChannel, stdin: ExecOptions['stdin']): Promise<void> {
  channel.on('error', () => undefined);
  if (stdin === undefined || typeof stdin === 'string' || Buffer.isBuffer(stdin)) {
    channel.end(stdin);
    return;
  }
  let closed = false;
  channel.once('close', () => {
    closed = true;
  });
  for await (const chunk of stdin) {
    if (closed) return;
    if (!channel.write(chunk)) {
      await new Promise<void>((resolve) => {
        channel.once('drain', resolve);
        channel.once('close', () => resolve());
      });
    }
  }
  channel.end();
}

function tail(stream: NodeJS.ReadableStream, keep: number): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 2 * keep) {
      chunks = [Buffer.concat(chunks).subarray(-keep)];
      size = keep;
    }
  });
  return () => Buffer.concat(chunks).subarray(-keep).toString('utf8');
}

/** The first line of what a command complained, for a message; nothing where it said nothing. */
export function firstLine(text: string, before = '', after = ''): string {
  const line = text.trim().split('\n')[0]?.trim() ?? '';
  return line === '' ? '' : `${before}${line.slice(0, 300)}${after}`;
}
