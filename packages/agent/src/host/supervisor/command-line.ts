/** One command of an Exec... setting. */
export interface CommandLine {
  readonly words: readonly Word[];
  /** A leading `-`: its failure counts as success. */
  readonly ignoreFailure: boolean;
}
/** Quoted words keep `$NAME` as one word too. */
interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** A setting that cannot be understood. */
export class UnitSyntaxError extends Error {
  override readonly name = 'UnitSyntaxError';
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Splits a command as systemd does: quotes, backslashes, no shell. Throws UnitSyntaxError. */
export function parseCommandLine(text: string): CommandLine {
  const [prefix = ''] = /^[-@:+!]*/.exec(text) ?? [];
  const words: Word[] = [];
  let current = '';
  let started = false;
  let quoted = false;
  let quote = '';
  const body = text.slice(prefix.length);
  for (let at = 0; at < body.length; at += 1) {
    const character = body[at] ?? '';
    if (character === '\\') {
      at += 1;
      current += escapes[body[at] ?? ''] ?? `\\${body[at] ?? ''}`;
      started = true;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else current += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      started = true;
      quoted = true;
    } else if (/\s/.test(character)) {
      if (started) words.push({ text: current, quoted });
      current = '';
      started = false;
      quoted = false;
    } else {
      current += character;
      started = true;
    }
  }
  if (quote !== '') throw new UnitSyntaxError(`'${text}' has a quote that is not closed`);
  if (started) words.push({ text: current, quoted });
  if (words.length === 0) throw new UnitSyntaxError(`'${text}' names no command`);
  return { words, ignoreFailure: prefix.includes('-') };
}

/** The words with specifiers and variables put in: `$NAME` alone becomes several words, `${NAME}` never does, unknown ones are empty. */
export function expandCommand(
  command: CommandLine,
  environment: Readonly<Partial<Record<string, string>>>,
  specifiers: Readonly<Record<string, string>>,
): readonly string[] {
  return command.words.flatMap(({ text, quoted }) => {
    const plain = expandSpecifiers(text, specifiers);
    const [, alone] = /^\$([A-Za-z_]\w*)$/.exec(plain) ?? [];
    if (alone !== undefined && !quoted)
      return (environment[alone] ?? '').split(/\s+/).filter((word) => word !== '');
    return plain.replace(
      /\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g,
      (found, braced?: string, bare?: string) =>
        found === '$$' ? '$' : (environment[braced ?? bare ?? ''] ?? ''),
    );
  });
}

/** Puts in `%n` and the like; unknown ones stay. */
export function expandSpecifiers(text: string, specifiers: Readonly<Record<string, string>>): string {
  return text.replace(/%(.)/g, (found, letter: string) =>
    letter === '%' ? '%' : (specifiers[letter] ?? found),
  );
}
