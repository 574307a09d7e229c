import type { ParseArgsOptionDescriptor } from 'node:util';

/** One option of a command, as parseArgs has it, and what the help says. */
export interface Option extends ParseArgsOptionDescriptor {
  /** What stands for the value in the help: FILE, NAME... Options of type string have one. */
  readonly value?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

/** What parseArgs made of the command line. */
export interface Input {
  readonly positionals: readonly string[];
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  flag(option: string): boolean;
  /** A duration option in milliseconds. @throws UsageError */
  duration(option: string): number | undefined;
  /** `key=value,key=value`, given once or more often. @throws UsageError */
  pairs(option: string): Readonly<Record<string, string>> | undefined;
}

/** The world of a command, so that tests can turn it. */
export interface Terminal {
  readonly out: NodeJS.WriteStream;
  /** For progress and messages: `-o json` alone goes to `out`. */
  readonly err: NodeJS.WriteStream;
  readonly in: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name: `USER@HOST [options]`. */
  readonly usage: string;
  /** Explanation and examples. */
  readonly help: string;
  readonly options: Options;
  /** Positionals and options are the command's own affair: nothing is parsed. */
  readonly raw?: boolean;
  /** @returns exit status */
  run(input: Input, terminal: Terminal): Promise<number>;
}

/** The command line is wrong: the message says how, and the help is pointed at. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a person can act on: printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** How the API server is found, for every command that talks to it. */
export const connectionOptions: Options = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    help: 'kubeconfig (default: $KUBECONFIG, else .kubenode/kubeconfig here, else ~/.kube/config)',
  },
  context: { type: 'string', value: 'NAME', help: 'context in the kubeconfig' },
};
