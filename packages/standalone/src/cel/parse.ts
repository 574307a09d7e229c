import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { CelError } from './errors.ts';
import { Uint } from './values.ts';

/** An expression as it was parsed. `at` is where a message about it points, an index into the text. */
export type Expr = { at: number } & (
  | { op: 'literal'; value: unknown }
  | { op: 'name'; name: string }
  | { op: 'select'; of: Expr; field: string; optional: boolean }
  | { op: 'index'; of: Expr; index: Expr; optional: boolean }
  | { op: 'call'; name: string; target: Expr | undefined; args: Expr[] }
  | { op: 'list'; items: Entry[] }
  | { op: 'map'; entries: MapEntry[] }
  | { op: 'ternary'; condition: Expr; yes: Expr; no: Expr }
  | { op: 'or' | 'and'; left: Expr; right: Expr }
);

/** An entry of a list; an optional one (`[?x]`) is left out where it is absent. */
export interface Entry {
  value: Expr;
  optional: boolean;
}

export interface MapEntry extends Entry {
  key: Expr;
}

const parser = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  limits: { maxListElements: 10_000, maxMapEntries: 10_000 },
});

/** Parses an expression. Throws CelError with cel-go's text and the place. */
export function parse(text: string): Expr {
  const { source, marks } = hideOptionalMarks(text);
  let ast: ASTNode;
  try {
    ast = parser.parse(source).ast;
  } catch (error) {
    const { range, summary } = error as { range?: { start: number; end: number }; summary?: string };
    const why = syntaxText(text, summary ?? (error instanceof Error ? error.message : String(error)), range);
    throw new CelError(issueText(text, range?.start ?? 0, why), { cause: error });
  }
  return new Adapter(text, marks).expr(ast);
}

const START_OF_EXPRESSION =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** The parser's words as ANTLR's, which cel-go shows. */
function syntaxText(
  text: string,
  summary: string,
  range: { start: number; end: number } | undefined,
): string {
  if (summary.includes('iteration variable')) return 'argument must be a simple name';
  const token = text.slice(range?.start ?? 0, range?.end ?? 0) || '<EOF>';
  const expected = /^Expected (\w+), got/.exec(summary)?.[1];
  if (expected === 'RPAREN') return `Syntax error: missing ')' at '${token}'`;
  if (expected !== undefined) return `Syntax error: mismatched input '${token}' expecting ${expected}`;
  if (summary.startsWith('Unexpected character'))
    return `Syntax error: mismatched input '${token}' expecting <EOF>`;
  if (summary.startsWith('Unexpected token'))
    return `Syntax error: mismatched input '${token}' expecting ${START_OF_EXPRESSION}`;
  return `Syntax error: ${summary}`;
}

/** `ERROR: <input>:1:5: message`, the line and a pointer below it. */
export function issueText(text: string, at: number, message: string): string {
  const before = text.slice(0, at).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = text.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

/** The parser does not know `[?x]` and `{?k: v}`: a `?` there is parsed as a negation and taken out again. */
function hideOptionalMarks(text: string): { source: string; marks: ReadonlySet<number> } {
  const marks = new Set<number>();
  if (!/[[{,]\s*\?/.test(text)) return { source: text, marks };
  let source = '';
  let last = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    if (char === '"' || char === "'") {
      const end = stringEnd(text, i, char, /[rR]/.test(text[i - 1] ?? ''));
      source += text.slice(i, end);
      i = end - 1;
      last = char;
      continue;
    }
    // `a[?b]` is known to the parser: there, something that can be indexed stands before the bracket.
    if (char === '?' && (last === '{' || last === ',' || last === '[fresh')) {
      marks.add(i);
      source += '!';
      last = '?';
      continue;
    }
    source += char;
    if (/\s/.test(char)) continue;
    last = char === '[' && !/[\w\])}"']/.test(last) ? '[fresh' : char;
  }
  return { source, marks };
}

function stringEnd(text: string, start: number, quote: string, raw: boolean): number {
  const triple = text.startsWith(quote.repeat(3), start);
  const close = triple ? quote.repeat(3) : quote;
  for (let i = start + close.length; i < text.length; i++) {
    if (text[i] === '\\' && !raw) i++;
    else if (text.startsWith(close, i)) return i + close.length;
  }
  return text.length;
}

class Adapter {
  private readonly text: string;
  private readonly marks: ReadonlySet<number>;

  constructor(text: string, marks: ReadonlySet<number>) {
    this.text = text;
    this.marks = marks;
  }

  expr(node: ASTNode): Expr {
    const at = node.start;
    switch (node.op) {
      case 'value':
        return {
          op: 'literal',
          at,
          value: node.args instanceof UnsignedInt ? new Uint(node.args.value) : node.args,
        };
      case 'id':
        return { op: 'name', at, name: node.args };
      case '.':
      case '.?': {
        const [of, field] = node.args;
        return {
          op: 'select',
          at: this.find('.', of.end),
          of: this.expr(of),
          field,
          optional: node.op === '.?',
        };
      }
      case '[]':
      case '[?]': {
        const [of, index] = node.args;
        return {
          op: 'index',
          at: this.find('[', of.end),
          of: this.expr(of),
          index: this.expr(index),
          optional: node.op === '[?]',
        };
      }
      case 'call':
        return this.call(at + node.args[0].length, node.args[0], undefined, node.args[1]);
      case 'rcall': {
        const [name, target, args] = node.args;
        return this.call(this.find(name, target.end) + name.length, name, target, args);
      }
      case 'list':
        return { op: 'list', at, items: node.args.map((item) => this.entry(item)) };
      case 'map':
        return { op: 'map', at, entries: node.args.map(([key, value]) => this.mapEntry(key, value)) };
      case '?:': {
        const [condition, yes, no] = node.args;
        const mark = this.find('?', condition.end);
        return {
          op: 'ternary',
          at: mark,
          condition: this.expr(condition),
          yes: this.expr(yes),
          no: this.expr(no),
        };
      }
      case '||':
      case '&&': {
        const [left, right] = node.args;
        const op = node.op === '||' ? 'or' : 'and';
        return { op, at: this.find(node.op, left.end), left: this.expr(left), right: this.expr(right) };
      }
      case '!_':
        return { op: 'call', at, name: '!_', target: undefined, args: [this.expr(node.args)] };
      case '-_':
        return this.negation(at, node.args);
      case '==':
      case '!=':
      case 'in':
      case '<':
      case '<=':
      case '>':
      case '>=':
      case '+':
      case '-':
      case '*':
      case '/':
      case '%': {
        const [left, right] = node.args;
        const args = [this.expr(left), this.expr(right)];
        return {
          op: 'call',
          at: this.find(node.op, left.end),
          name: node.op === 'in' ? '@in' : `_${node.op}_`,
          target: undefined,
          args,
        };
      }
      default:
        return node satisfies never;
    }
  }

  /** A negative number is a literal: -9223372036854775808 has no positive. */
  private negation(at: number, operand: ASTNode): Expr {
    const { op, args } = operand;
    if (op === 'value' && (typeof args === 'bigint' || typeof args === 'number'))
      return { op: 'literal', at, value: -args };
    return { op: 'call', at, name: '-_', target: undefined, args: [this.expr(operand)] };
  }

  private call(at: number, name: string, target: ASTNode | undefined, args: readonly ASTNode[]): Expr {
    const of = target === undefined ? undefined : this.expr(target);
    return { op: 'call', at: this.find('(', at), name, target: of, args: args.map((arg) => this.expr(arg)) };
  }

  private entry(node: ASTNode): Entry {
    const marked = node.op === '!_' && this.marks.has(node.start);
    return { value: this.expr(marked ? node.args : node), optional: marked };
  }

  private mapEntry(key: ASTNode, value: ASTNode): MapEntry {
    const { value: name, optional } = this.entry(key);
    return { key: name, value: this.expr(value), optional };
  }

  private find(what: string, from: number): number {
    const at = this.text.indexOf(what, from);
    return at < 0 ? from : at;
  }
}
