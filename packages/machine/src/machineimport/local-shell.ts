import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import type { ExecOptions, ExecResult } from '../ssh/index.ts';
import { writeFileScript } from '../ssh/scripts.ts';
import { firstLine } from '../ssh/index.ts';
import type { HostShell } from './host.ts';

/** This very machine as a HostShell: for `kubenode join`, which does on the host itself what an import does over ssh. */
export function localShell(options: { readonly env?: NodeJS.ProcessEnv } = {}): HostShell {
  const exec = (
    argv: readonly string[],
    { stdin, timeoutMs = 60_000, keepBytes = 64 * 1024 }: ExecOptions = {},
  ): Promise<ExecResult> =>
    new Promise((resolve, reject) => {
      const [program = '', ...args] = argv;
      const child = spawn(program, args, {
        stdio: 'pipe',
        env: options.env ?? process.env,
      });
      const text = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (chunk: string) => {
          text[stream] = (text[stream] + chunk).slice(-keepBytes);
        });
      }
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`${program} did not end within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      const end = (result: ExecResult): void => {
        clearTimeout(timer);
        resolve(result);
      };
      // As a shell would have it, so that a missing program is a result here too.
      child.on('error', (error) => end({ exitCode: 127, stdout: '', stderr: error.message }));
      child.on('close', (code) => end({ exitCode: code ?? -1, ...text }));
      // A program may end without reading its input: its exit status tells.
      child.stdin.on('error', () => undefined);
      feed(child.stdin, stdin).catch(reject);
    });
  return {
    where: hostname(),
    exec,
    async writeFile(path, content, { mode }) {
      const bytes = Buffer.from(content);
      const result = await exec(
        [
          '/bin/sh',
          '-c',
          writeFileScript,
          'sh',
          path,
          mode.toString(8).padStart(4, '0'),
          String(bytes.length),
        ],
        { stdin: bytes },
      );
      if (result.exitCode !== 0)
        throw new Error(`${path} could not be written${firstLine(result.stderr, ': ')}`);
    },
  };
}

async function feed(into: NodeJS.WritableStream, stdin: ExecOptions['stdin']): Promise<void> {
  if (stdin === undefined || typeof stdin === 'string' || Buffer.isBuffer(stdin)) {
    into.end(stdin ?? '');
    return;
  }
  for await (const chunk of stdin) {
    if (!into.writable) return;
    if (!into.write(chunk)) {
      await new Promise<void>((resolve) => {
        into.once('drain', resolve);
        into.once('close', resolve);
      });
    }
  }
  into.end();
}
