import { withoutControllers } from './nodes.ts';

/** Takes out what two right servers may answer differently (identifiers, versions, times), and lists what differs all the same. */

const volatile: Readonly<Record<string, string>> = {
  uid: '<uid>',
  resourceVersion: '<resourceVersion>',
  creationTimestamp: '<time>',
  deletionTimestamp: '<time>',
  time: '<time>',
  lastTransitionTime: '<time>',
  lastUpdateTime: '<time>',
  selfLink: '<link>',
  continue: '<continue>',
};

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const patterns: readonly (readonly [RegExp, string])[] = [
  [uuid, '<uid>'],
  [/(?<=resourceVersion\\*":\\*")\d+/g, '<resourceVersion>'],
  [/X509SHA256=[0-9a-f]{64}/g, '<credential>'],
  [/too old resource version: \d+ \(\d+\)/g, '<too old>'],
  [/Too large resource version: \d+, current: \d+/g, '<too large>'],
  [/resourceVersion: \d+|\b\d{4}-\d\d-\d\dT[\d:.]+Z\b/g, '<volatile>'],
];

/**
 * A copy in which what chance decides is the same on both sides: identifiers, versions and times are replaced by their kind (empty and
 * missing ones stay different), owners and causes are in an order of their own, and a Node is without what controllers add to it.
 */
export function normalize(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (value !== '' && volatile[key]) return volatile[key];
    return patterns.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), value);
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => normalize(item));
    // Owners are sorted by the second of their last write, which need not be the same one on both servers.
    return key === 'managedFields' ? sorted(items, owner) : items;
  }
  if (!isObject(value)) return value;
  const shown = withoutAges(value['kind'] === 'Status' ? orderCauses(value) : withoutControllers(value));
  return Object.fromEntries(
    Object.entries(shown).map(([name, item]) => [name.replace(uuid, '<uid>'), normalize(item, name)]),
  );
}

/** A Table that says which column is the age, without the ages. */
function withoutAges(table: Record<string, unknown>): Record<string, unknown> {
  const { columnDefinitions: columns, rows } = table;
  if (table['kind'] !== 'Table' || !Array.isArray(columns) || !Array.isArray(rows)) return table;
  const age = columns.findIndex((column) => isObject(column) && column['name'] === 'Age');
  const withoutAge = (row: unknown) =>
    isObject(row) && Array.isArray(row['cells']) && age >= 0
      ? { ...row, cells: row['cells'].with(age, '<age>') }
      : row;
  return { ...table, rows: rows.map(withoutAge) };
}

function owner(entry: unknown): string {
  if (!isObject(entry)) return '';
  return JSON.stringify(['operation', 'manager', 'apiVersion', 'subresource'].map((key) => entry[key]));
}

function sorted<T>(items: readonly T[], by: (item: T) => string): T[] {
  return [...items].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
}

/**
 * The real server walks Go maps, so that the order of its causes is chance. They are sorted, and a message that lists them is held to
 * list them in their order.
 */
function orderCauses(status: Record<string, unknown>): Record<string, unknown> {
  const { details, message } = status;
  if (!isObject(details) || !Array.isArray(details['causes']) || typeof message !== 'string') return status;
  const causes = details['causes'].filter(isObject);
  const listed = `[${causes.map(({ field, message: why }) => [field, why].join(': ')).join(', ')}]`;
  const text =
    status['reason'] === 'Conflict' ? sorted(message.split('\n'), (line) => line).join('\n') : message;
  return {
    ...status,
    message: text.replace(listed, '[<its causes, in their order>]'),
    details: { ...details, causes: sorted(causes, (cause) => JSON.stringify(cause)) },
  };
}

export interface Difference {
  readonly path: string;
  readonly embedded: unknown;
  readonly real: unknown;
}

/** Where two normalized values differ; the order of lists counts, that of keys does not. */
export function differences(
  embedded: unknown,
  real: unknown,
  mayDiffer: Iterable<string>,
  path = '',
): Difference[] {
  const patterns = [...mayDiffer];
  if (patterns.some((pattern) => matches(pattern, path))) return [];
  if (Object.is(embedded, real)) return [];
  if (Array.isArray(embedded) && Array.isArray(real)) {
    const length = Math.max(embedded.length, real.length);
    return Array.from({ length }, (_, i) =>
      differences(embedded[i], real[i], patterns, join(path, String(i))),
    ).flat();
  }
  if (isObject(embedded) && isObject(real)) {
    const keys = new Set([...Object.keys(embedded), ...Object.keys(real)]);
    return [...keys].flatMap((key) => differences(embedded[key], real[key], patterns, join(path, key)));
  }
  return [{ path, embedded, real }];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('.');
  const given = path.split('.');
  return wanted.length === given.length && wanted.every((part, i) => part === '*' || part === given[i]);
}
