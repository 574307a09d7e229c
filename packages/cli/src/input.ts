import { parseArgs } from 'node:util';
import { parseDuration } from '@kubenode/runtime';
import { type Command, type Input, type Options, UsageError } from './command.ts';

const help = { help: { type: 'boolean', short: 'h', help: 'this text' } } satisfies Options;

/** Reads a command line. @returns undefined where help was asked for @throws UsageError */
export function readInput(command: Command, args: readonly string[]): Input | undefined {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options: { ...command.options, ...help }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(
      (error as Error).message.replace(/^\w/, (letter) => letter.toLowerCase()),
      { cause: error },
    );
  }
  if (parsed.values['help'] === true) return undefined;
  return inputOf(parsed.values, parsed.positionals);
}

function inputOf(values: Readonly<Record<string, unknown>>, positionals: readonly string[]): Input {
  const text = (option: string): string | undefined => {
    const value = values[option];
    return typeof value === 'string' ? value : undefined;
  };
  const texts = (option: string): readonly string[] => {
    const value = values[option];
    return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  };
  return {
    positionals,
    text,
    texts,
    flag: (option) => values[option] === true,
    duration: (option) => {
      const value = text(option);
      if (value === undefined) return undefined;
      try {
        return parseDuration(value);
      } catch (error) {
        throw new UsageError(`--${option}: ${(error as Error).message}`, { cause: error });
      }
    },
    pairs: (option) => {
      const all = texts(option)
        .flatMap((value) => value.split(','))
        .filter((pair) => pair !== '');
      if (all.length === 0) return undefined;
      return Object.fromEntries(all.map((pair) => splitPair(option, pair)));
    },
  };
}

function splitPair(option: string, pair: string): [string, string] {
  const at = pair.indexOf('=');
  if (at <= 0) throw new UsageError(`--${option}: "${pair}" is not of the form key=value`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** The text of `kubenode COMMAND --help`. */
export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, ...(command.raw === true ? {} : help) }).map(
    ([name, option]) => {
      const { short, value, help: text } = option as Options[string];
      const dashed = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
      return [dashed, text] as const;
    },
  );
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const options = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
  return `${command.summary}\n\nUsage: kubenode ${command.name} ${command.usage}\n\n${command.help.trim()}\n\nOptions:\n${options}\n`;
}
