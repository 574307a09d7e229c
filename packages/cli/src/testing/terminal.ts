/** A terminal that is none: what a command prints is kept. */
import { PassThrough } from 'node:stream';
import type { Terminal } from '../command.ts';

export interface TestTerminal extends Terminal {
  readonly printed: () => { readonly out: string; readonly err: string };
}

export function testTerminal(env: NodeJS.ProcessEnv = {}, stdin = ''): TestTerminal {
  const text = { out: '', err: '' };
  const stream = (name: 'out' | 'err'): NodeJS.WriteStream => {
    const made = new PassThrough();
    made.on('data', (chunk: Buffer) => {
      text[name] += chunk.toString('utf8');
    });
    return made as unknown as NodeJS.WriteStream;
  };
  const input = new PassThrough();
  input.end(stdin);
  return {
    out: stream('out'),
    err: stream('err'),
    in: input as unknown as NodeJS.ReadStream,
    env,
    signal: new AbortController().signal,
    printed: () => text,
  };
}
