import { createInterface } from 'node:readline/promises';
import type { Terminal } from './command.ts';

/** Asks a question on the terminal; undefined where there is none. */
export async function ask(terminal: Terminal, question: string): Promise<string | undefined> {
  if (!terminal.in.isTTY || !terminal.err.isTTY) return undefined;
  const lines = createInterface({ input: terminal.in, output: terminal.err });
  try {
    return (await lines.question(question, { signal: terminal.signal })).trim();
  } finally {
    lines.close();
  }
}
