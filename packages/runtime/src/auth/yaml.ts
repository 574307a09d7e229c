/**
 * The part of YAML that kubeconfigs are written in: block mappings and lists, plain and quoted scalars, literal and folded blocks,
 * JSON (flow) collections on one line, comments. Anchors, tags and several documents are refused with a message that names the line.
 * Everything that is no mapping or list is a string, except true, false and null.
 */
export function parseYaml(text: string): unknown {
  const lines = text
    .split(/\r?\n/)
    .map((raw, index): Line => ({ raw, number: index + 1, indent: raw.search(/[^ ]|$/), text: raw.trim() }));
  const reader: Reader = { lines, at: 0 };
  skip(reader);
  if (reader.lines[reader.at]?.text === '---') reader.at++;
  const first = peek(reader);
  if (first === undefined) return null;
  const value =
    /^[[{]/.test(first.text) && !isKey(first.text) ? flowDocument(reader) : block(reader, first.indent);
  const rest = peek(reader);
  if (rest !== undefined) throw wrong(rest, 'this does not fit what stands above it');
  return value;
}

interface Line {
  readonly raw: string;
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}
interface Reader {
  readonly lines: readonly Line[];
  at: number;
}

function wrong(line: Line, what: string): SyntaxError {
  return new SyntaxError(`line ${line.number}: ${what}`);
}

function skip(reader: Reader): void {
  for (let line = reader.lines[reader.at]; line !== undefined; line = reader.lines[reader.at]) {
    if (line.text !== '' && !line.text.startsWith('#')) return;
    reader.at++;
  }
}

/** The next line that says something. */
function peek(reader: Reader): Line | undefined {
  skip(reader);
  const line = reader.lines[reader.at];
  if (line?.raw.slice(0, line.indent + 1).includes('\t') === true)
    throw wrong(line, 'a tab indents; YAML wants spaces');
  if (line?.text === '---' || line?.text === '...') throw wrong(line, 'more than one document');
  return line;
}

/** A JSON file is YAML too. */
function flowDocument(reader: Reader): unknown {
  const text = reader.lines
    .slice(reader.at)
    .map(({ raw }) => raw)
    .join('\n');
  reader.at = reader.lines.length;
  return JSON.parse(text);
}

function block(reader: Reader, indent: number): unknown {
  const first = peek(reader);
  return first !== undefined && isItem(first.text) ? list(reader, indent) : mapping(reader, indent);
}

function list(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (let line = peek(reader); line?.indent === indent && isItem(line.text); line = peek(reader)) {
    const rest = line.text.slice(1).trimStart();
    if (rest === '' || rest.startsWith('#')) {
      reader.at++;
      const next = peek(reader);
      items.push(next !== undefined && next.indent > indent ? block(reader, next.indent) : null);
    } else if (isKey(rest) || isItem(rest)) {
      // What follows the dash is a block of its own, as if the dash were a space.
      const inner = line.indent + line.text.length - rest.length;
      const lines = [...reader.lines];
      lines[reader.at] = { ...line, indent: inner, text: rest };
      const nested: Reader = { lines, at: reader.at };
      items.push(block(nested, inner));
      reader.at = nested.at;
    } else {
      reader.at++;
      items.push(value(reader, line, rest, indent));
    }
  }
  return items;
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const entries: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (let line = peek(reader); line?.indent === indent && !isItem(line.text); line = peek(reader)) {
    const match = keyPattern.exec(line.text);
    if (match === null) throw wrong(line, 'expected `name: value`');
    const name = String(scalar(line, match[1] ?? ''));
    if (name in entries) throw wrong(line, `${name} is there twice`);
    reader.at++;
    entries[name] = value(reader, line, match[2] ?? '', indent);
  }
  return entries;
}

/** What stands after `name:` or a dash: here, or in the lines below. */
function value(reader: Reader, line: Line, text: string, indent: number): unknown {
  const here = text.trim();
  if (here === '' || here.startsWith('#')) {
    const next = peek(reader);
    if (next === undefined) return null;
    // A list may stand at the same indent as the name it belongs to.
    if (next.indent > indent || (next.indent === indent && isItem(next.text) && !isItem(line.text))) {
      return block(reader, next.indent);
    }
    return null;
  }
  const style = /^([|>])([+-]?)(?:\s+#.*)?$/.exec(here);
  if (style !== null) return blockScalar(reader, indent, style[1] === '|', style[2] ?? '');
  if (/^[|>]/.test(here)) throw wrong(line, 'a block with an indent of its own is not understood here');
  return scalar(line, here);
}

function blockScalar(reader: Reader, indent: number, literal: boolean, chomp: string): string {
  const found: string[] = [];
  let inner: number | undefined;
  for (let line = reader.lines[reader.at]; line !== undefined; line = reader.lines[reader.at]) {
    if (line.text !== '' && line.indent <= indent) break;
    inner ??= line.text === '' ? undefined : line.indent;
    found.push(line.raw.slice(inner ?? line.indent));
    reader.at++;
  }
  const whole = literal ? found.join('\n') : found.join('\n').replace(/([^\n])\n(?=[^\n])/g, '$1 ');
  const trimmed = whole.replace(/\n+$/, '');
  if (chomp === '+') return `${whole}\n`;
  return chomp === '-' || trimmed === '' ? trimmed : `${trimmed}\n`;
}

const quotedKey = /"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/.source;
const keyPattern = new RegExp(
  `^(${quotedKey}|[^\\s#'"\\[\\]{},&*!|>%@\`-][^#]*?|-[^\\s#][^#]*?)\\s*:(?:\\s+(.*))?$`,
);

function isKey(text: string): boolean {
  return keyPattern.test(text);
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ');
}

function scalar(line: Line, text: string): unknown {
  const quoted = new RegExp(`^(${quotedKey})(?:\\s+#.*)?$`).exec(text);
  if (quoted !== null) {
    const body = quoted[1] ?? '';
    return body.startsWith("'") ? body.slice(1, -1).replaceAll("''", "'") : doubleQuoted(line, body);
  }
  if (/^["']/.test(text)) throw wrong(line, 'a quoted text does not end on its line');
  if (/^[[{]/.test(text)) return flow(line, text);
  if (/^[&*!%@`]/.test(text))
    throw wrong(line, `${text.slice(0, 1)} (anchors, tags and the like) is not understood here`);
  const plain = text.replace(/\s+#.*$/, '');
  if (plain === 'true' || plain === 'false') return plain === 'true';
  return plain === 'null' || plain === '~' || plain === '' ? null : plain;
}

function doubleQuoted(line: Line, body: string): string {
  try {
    return String(JSON.parse(body));
  } catch {
    throw wrong(line, 'an escape in this text is not understood here');
  }
}

/** `[]`, `{}`, JSON, and lists of plain words: `[get-token, --region, eu]`. */
function flow(line: Line, text: string): unknown {
  const bare = text.replace(/\s+#[^"'\]}]*$/, '');
  try {
    return JSON.parse(bare);
  } catch {
    const words = /^\[([^[\]{}"']*)\]$/.exec(bare);
    if (words === null) throw wrong(line, 'write this list or mapping as JSON on one line, or as a block');
    return (words[1] ?? '')
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  }
}
