import { ApiError, ConnectionError } from '@kubenode/runtime';
import { type Command, CommandError, type Terminal, UsageError } from './command.ts';
import { agent } from './commands/agent.ts';
import { apiserver } from './commands/apiserver.ts';
import { get } from './commands/get.ts';
import { importCommand } from './commands/import.ts';
import { install } from './commands/install.ts';
import { join } from './commands/join.ts';
import { operator } from './commands/operator.ts';
import { pause, resume } from './commands/pause.ts';
import { plan } from './commands/plan.ts';
import { promote } from './commands/promote.ts';
import { retry } from './commands/retry.ts';
import { rollback } from './commands/rollback.ts';
import { token } from './commands/token.ts';
import { tree } from './commands/tree.ts';
import { wait } from './commands/wait.ts';
import { why } from './commands/why.ts';
import { helpOf, readInput } from './input.ts';

export { Screen } from './screen.ts';

const groups: readonly (readonly [string, readonly Command[]])[] = [
  ['Look', [get, tree, why, plan, wait]],
  ['Bring hosts in', [importCommand, join, token]],
  ['Steer', [pause, resume, retry, rollback, promote]],
  ['Run', [install, operator, apiserver, agent]],
];
const commands: readonly Command[] = groups.flatMap(([, list]) => list);

/** The program. @returns its exit status: 0 done, 1 failed, 2 wrong command line, 130 interrupted */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = commands.find((command) => command.name === rest[0]);
    terminal.out.write(asked === undefined ? overview() : helpOf(asked));
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    terminal.err.write(
      `kubenode: there is no command "${name}"${suggestion(name)}; kubenode --help lists them\n`,
    );
    return 2;
  }
  try {
    return await runCommand(command, rest, terminal);
  } catch (error) {
    if (terminal.signal.aborted) return 130;
    terminal.err.write(`kubenode: ${explain(error)}\n`);
    if (error instanceof UsageError) {
      terminal.err.write(
        `Usage: kubenode ${command.name} ${command.usage}\n(kubenode ${command.name} --help says more)\n`,
      );
      return 2;
    }
    return 1;
  }
}

async function runCommand(command: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  if (command.raw === true) return command.run(rawInput(args), terminal);
  const input = readInput(command, args);
  if (input !== undefined) return command.run(input, terminal);
  terminal.out.write(helpOf(command));
  return 0;
}

function rawInput(positionals: readonly string[]): Parameters<Command['run']>[0] {
  return {
    positionals,
    text: () => undefined,
    texts: () => [],
    flag: () => false,
    duration: () => undefined,
    pairs: () => undefined,
  };
}

function explain(error: unknown): string {
  if (error instanceof ApiError) {
    const causes = error.causes.map(
      ({ field, message }) => `  ${field === '' ? '' : `${field}: `}${message}`,
    );
    return [`the API server refused: ${error.message}`, ...causes].join('\n');
  }
  if (error instanceof ConnectionError) {
    return `the API server cannot be reached: ${error.message}; --kubeconfig names another`;
  }
  if (error instanceof CommandError || error instanceof UsageError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lists = groups.map(([title, list]) =>
    [`${title}:`, ...list.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join('\n'),
  );
  return `kubenode: manages the nodes of Kubernetes fleets and the software on them.

${lists.join('\n\n')}

Exit status: 0 done; 1 failed, or not well (why, wait); 2 wrong command line; 130 interrupted.
kubenode COMMAND --help says more of each, and what -o json prints. With kubectl-kubenode in the PATH the same as: kubectl kubenode COMMAND
`;
}

/** The command that was probably meant. */
function suggestion(name: string): string {
  const close = commands.find((command) => distance(command.name, name) <= 2);
  return close === undefined ? '' : `; did you mean "${close.name}"?`;
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
