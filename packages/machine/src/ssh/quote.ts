/**
 * Turns an argument vector into the one string that ssh hands to the login shell of the remote user. ssh knows no argument vectors, so this
 * is the only place where a command becomes text: everything that stands in it reaches the program as it is, whatever it holds.
 * Holds for POSIX shells (sh, dash, bash, zsh, ksh, busybox).
 *
 * @throws TypeError for an empty vector or an argument with a NUL, which no program can be given.
 */
export function quoteArgv(argv: readonly string[]): string {
  if (argv.length === 0) throw new TypeError('a command needs at least the program');
  return argv.map(quoteArgument).join(' ');
}

function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw new TypeError('an argument of a command cannot hold a NUL character');
  // The first word could be read as an assignment or a reserved word: only what is plainly a word or a path goes unquoted.
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
