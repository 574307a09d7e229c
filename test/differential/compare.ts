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

/** A copy in which identifiers, versions and times are replaced by their kind. Empty and missing ones stay different. */
export function normalize(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (value !== '' && volatile[key]) return volatile[key];
    return value
      .replaceAll(uuid, '<uid>')
      .replaceAll(/resourceVersion: \d+|\b\d{4}-\d\d-\d\dT[\d:.]+Z\b/g, '<volatile>');
  }
  if (Array.isArray(value)) return value.map((item) => normalize(item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalize(item, name)]));
  return value;
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

function isObject(value: unknown): value is Record<string, unknown> {
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
