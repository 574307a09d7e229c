import { isObj } from '../object.ts';

type Step =
  | { kind: 'key'; key: string }
  | { kind: 'index'; index: number }
  | { kind: 'slice'; from: number | undefined; to: number | undefined }
  | { kind: 'all' }
  | { kind: 'descend' }
  | { kind: 'filter'; test: (item: unknown) => boolean };

/** A compiled JSONPath: the values it finds, in order. */
export type JsonPath = (value: unknown) => unknown[];

/**
 * Compiles the JSONPath that CRD columns and scale paths use: `.spec.a`, `.a['b.c']`, `[0]`, `[*]`, `[?(@.type=="Ready")].status`, `..`.
 * @throws Error for what is none.
 */
export function compileJsonPath(source: string): JsonPath {
  const steps = parse(source.trim().replace(/^\{(.*)\}$/s, '$1'));
  return (value) => {
    let here: unknown[] = [value];
    for (const step of steps) here = here.flatMap((item) => follow(item, step));
    return here;
  };
}

function follow(item: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'key':
      return isObj(item) && item[step.key] !== undefined ? [item[step.key]] : [];
    case 'index': {
      const found = Array.isArray(item) ? item.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case 'slice':
      return Array.isArray(item) ? item.slice(step.from, step.to) : [];
    case 'all':
      return children(item);
    case 'descend':
      return [item, ...children(item).flatMap((inner) => follow(inner, step))];
    case 'filter':
    default:
      return children(item).filter(step.test);
  }
}

function children(item: unknown): unknown[] {
  if (Array.isArray(item)) return item;
  return isObj(item) ? Object.values(item) : [];
}

function parse(source: string): Step[] {
  const steps: Step[] = [];
  let rest = source.startsWith('$') ? source.slice(1) : source;
  while (rest !== '') {
    if (rest.startsWith('..')) {
      steps.push({ kind: 'descend' });
      rest = rest[2] === '[' ? rest.slice(2) : rest.slice(1);
      continue;
    }
    if (rest.startsWith('[')) {
      const end = closing(rest);
      steps.push(bracket(rest.slice(1, end)));
      rest = rest.slice(end + 1);
      continue;
    }
    if (!rest.startsWith('.')) {
      // A path may leave out its first dot.
      if (steps.length > 0)
        throw new Error(`can't read JSONPath ${JSON.stringify(source)} at ${JSON.stringify(rest)}`);
      rest = `.${rest}`;
    }
    if (rest === '.') break;
    const key = /^\.((?:\\.|[^.[\]\\\s])+)/.exec(rest);
    if (!key) {
      if (rest.startsWith('.[')) {
        rest = rest.slice(1);
        continue;
      }
      throw new Error(`can't read JSONPath ${JSON.stringify(source)} at ${JSON.stringify(rest)}`);
    }
    const name = (key[1] ?? '').replaceAll(/\\(.)/g, '$1');
    steps.push(name === '*' ? { kind: 'all' } : { kind: 'key', key: name });
    rest = rest.slice(key[0].length);
  }
  return steps;
}

/** Where the bracket that opens `source` closes, strings and inner brackets skipped. */
function closing(source: string): number {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < source.length; i++) {
    const c = source[i] ?? '';
    if (quote) {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '[') depth++;
    else if (c === ']' && --depth === 0) return i;
  }
  throw new Error(`JSONPath ${JSON.stringify(source)} has an open bracket`);
}

function bracket(inner: string): Step {
  const text = inner.trim();
  if (text === '*') return { kind: 'all' };
  if (/^-?\d+$/.test(text)) return { kind: 'index', index: Number(text) };
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted) return { kind: 'key', key: (quoted[2] ?? '').replaceAll(/\\(.)/g, '$1') };
  const slice = /^(-?\d*):(-?\d*)$/.exec(text);
  if (slice) {
    const bound = (part: string | undefined): number | undefined => (part ? Number(part) : undefined);
    return { kind: 'slice', from: bound(slice[1]), to: bound(slice[2]) };
  }
  const filter = /^\?\(\s*@(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*\)$/s.exec(text);
  if (!filter) throw new Error(`can't read JSONPath bracket [${inner}]`);
  const path = compileJsonPath(filter[1] ?? '');
  const operator = filter[2];
  if (operator === undefined) return { kind: 'filter', test: (item) => path(item).length > 0 };
  const wanted = literal(filter[3] ?? '');
  return { kind: 'filter', test: (item) => path(item).some((found) => compare(found, operator, wanted)) };
}

function literal(source: string): unknown {
  const quoted = /^(['"])(.*)\1$/s.exec(source);
  return quoted ? quoted[2] : (JSON.parse(source) as unknown);
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  const [left, right] = [a as number, b as number];
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  return operator === '<=' ? left <= right : left >= right;
}
