/** A tree of lines. */
export interface Branch {
  readonly text: string;
  readonly branches?: readonly Branch[];
}

/** Below this nothing can be read any more, whatever the terminal says. */
const narrowest = 24;

/**
 * The lines of a tree, each at most `width` characters wide: what is longer goes on in the next line, indented, so that a narrow terminal
 * loses nothing.
 */
export function treeLines(tree: Branch, width = Number.POSITIVE_INFINITY): string[] {
  return drawn(tree, '', '', Math.max(narrowest, width));
}

function drawn({ text, branches = [] }: Branch, first: string, rest: string, width: number): string[] {
  const under = branches.length > 0 ? '│  ' : '   ';
  const lines = wrapped(text, width - Math.max(first.length, rest.length + under.length)).map((line, i) =>
    i === 0 ? first + line : `${rest}${under} ${line}`,
  );
  return [
    ...lines,
    ...branches.flatMap((branch, i) => {
      const isLast = i === branches.length - 1;
      return drawn(branch, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, width);
    }),
  ];
}

/** Broken between words; a word that is longer than the line is cut. Runs of spaces inside a line stay, since they make columns. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let left = text;
  while (left.length > width) {
    const space = left.lastIndexOf(' ', width);
    const at = space > 0 ? space : width;
    lines.push(left.slice(0, at).trimEnd());
    left = left.slice(at).trimStart();
    width = Math.max(8, lines.length === 1 ? width - 1 : width);
  }
  return [...lines, left];
}
