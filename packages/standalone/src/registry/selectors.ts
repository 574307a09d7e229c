import { badRequest } from '../http/status.ts';
import type { KubeObject } from '../object.ts';

type Test = (labels: Record<string, string>) => boolean;

/** One requirement of a field selector. */
export interface FieldRequirement {
  field: string;
  equal: boolean;
  value: string;
}

const NONE: Record<string, string> = {};

/**
 * Compiles a label selector (`a=b,c!=d,e in (x,y),!f`). Undefined for an empty one.
 * @throws ApiError 400 with the real server's wording.
 */
export function labelSelector(source: string | undefined): ((object: KubeObject) => boolean) | undefined {
  if (!source?.trim()) return undefined;
  const tests = requirements(source).map(labelTest);
  return (object) => {
    const labels = object.metadata.labels ?? NONE;
    return tests.every((test) => test(labels));
  };
}

/** Splits at commas outside parentheses. */
function requirements(source: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === ',' && depth === 0) {
      out.push(source.slice(start, i));
      start = i + 1;
    }
  }
  out.push(source.slice(start));
  return out.map((part) => part.trim()).filter((part) => part !== '');
}

const KEY = /^([A-Za-z0-9][-A-Za-z0-9.]*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function checkKey(key: string): string {
  if (!KEY.test(key)) {
    throw badRequest(
      `unable to parse requirement: <nil>: Invalid value: "${key}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    );
  }
  return key;
}

function labelTest(part: string): Test {
  const sets = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part);
  if (sets) {
    const key = checkKey(sets[1] ?? '');
    const values = new Set((sets[3] ?? '').split(',').map((value) => value.trim()));
    if (sets[2] === 'in') return (labels) => key in labels && values.has(labels[key] ?? '');
    return (labels) => !(key in labels) || !values.has(labels[key] ?? '');
  }
  const compare = /^([^\s=!<>]+)\s*(==|=|!=|>|<)\s*(\S*)$/.exec(part);
  if (compare) {
    const key = checkKey(compare[1] ?? '');
    const value = compare[3] ?? '';
    switch (compare[2]) {
      case '!=':
        return (labels) => labels[key] !== value;
      case '>':
        return (labels) => key in labels && Number(labels[key]) > Number(value);
      case '<':
        return (labels) => key in labels && Number(labels[key]) < Number(value);
      case undefined:
      default:
        return (labels) => labels[key] === value;
    }
  }
  const absent = /^!\s*(\S+)$/.exec(part);
  if (absent) {
    const key = checkKey(absent[1] ?? '');
    return (labels) => !(key in labels);
  }
  const words = part.split(/\s+/);
  if (words.length > 1) {
    throw badRequest(
      `unable to parse requirement: found '${words[1]}', expected: in, notin, =, ==, !=, gt, lt`,
    );
  }
  const key = checkKey(part);
  return (labels) => key in labels;
}

/** Parses a field selector (`metadata.name=x,spec.nodeName!=`). @throws ApiError 400. */
export function fieldSelector(source: string | undefined): FieldRequirement[] {
  if (!source?.trim()) return [];
  return source
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const match = /^(.*?)(==|!=|=)((?:.|\n)*)$/.exec(part);
      if (!match) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      return {
        field: match[1] ?? '',
        equal: match[2] !== '!=',
        value: (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1'),
      };
    });
}

/** How a field's value is read for a selector; an absent field reads as the empty string. */
export type FieldReader = (object: KubeObject) => string;

/** What a list or watch asks for. */
export interface Selection {
  matches: (object: KubeObject) => boolean;
  /** True when every object matches, so that stored bytes can be sent as they are. */
  everything: boolean;
  /** `metadata.name=...` where it was given: one object only. */
  name: string | undefined;
  /** A field and value by which a watcher can be indexed. */
  index: { field: string; value: string; read: FieldReader } | undefined;
}

/** @throws ApiError 400 for a field that this resource can't be selected by. */
export function selection(
  labels: string | undefined,
  fields: string | undefined,
  readers: Record<string, FieldReader>,
): Selection {
  const byLabel = labelSelector(labels);
  const parsed = fieldSelector(fields).map((requirement) => {
    const read = Object.hasOwn(readers, requirement.field) ? readers[requirement.field] : undefined;
    if (!read) throw badRequest(`field label not supported: ${requirement.field}`);
    return { ...requirement, read };
  });
  const name = parsed.find((r) => r.field === 'metadata.name' && r.equal)?.value;
  const index = parsed.find((r) => r.equal);
  return {
    name,
    index,
    everything: !byLabel && parsed.length === 0,
    matches: (object) =>
      parsed.every((r) => (r.read(object) === r.value) === r.equal) && (byLabel?.(object) ?? true),
  };
}
