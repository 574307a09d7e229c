import { type Input, type Options, type Terminal, UsageError } from './command.ts';

/** `-o json`, for commands that have no other format. */
export const outputOption: Options = {
  output: { type: 'string', short: 'o', value: 'json', help: 'for programs; the shape is told above' },
};

/** Whether -o json was asked for. @throws UsageError for any other format */
export function isJson(input: Input): boolean {
  const output = input.text('output');
  if (output === undefined) return false;
  if (output !== 'json') throw new UsageError(`-o ${output}: only json`);
  return true;
}

/** Progress of a command whose result is JSON goes nowhere: `out` holds one value, whole. */
export function printJson({ out }: Pick<Terminal, 'out'>, value: unknown): void {
  out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
