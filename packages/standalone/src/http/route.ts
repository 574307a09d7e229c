/** A request's path, read as the real server reads it. */
export interface Route {
  group: string;
  version: string;
  plural: string;
  namespace: string;
  name: string;
  subresource: string;
}

/**
 * `/api/v1/...` and `/apis/<group>/<version>/...` as far as they name a resource; undefined for every other path.
 * `/namespaces/x` itself is the resource namespaces.
 */
export function route(path: string): Route | undefined {
  const parts = path.split('/').slice(1).map(decode);
  if (parts.at(-1) === '') parts.pop();
  let group = '';
  let rest: string[];
  if (parts[0] === 'api') rest = parts.slice(1);
  else if (parts[0] === 'apis') {
    group = parts[1] ?? '';
    rest = parts.slice(2);
  } else return undefined;
  const [version = '', ...tail] = rest;
  if (!version || tail.length === 0 || tail.includes('')) return undefined;
  let namespace = '';
  let [plural = '', name = '', subresource = '', ...more] = tail;
  if (plural === 'namespaces' && tail.length > 2 && !['status', 'finalize'].includes(tail[2] ?? '')) {
    namespace = name;
    [plural = '', name = '', subresource = '', ...more] = tail.slice(2);
  }
  if (more.length > 0) subresource = [subresource, ...more].join('/');
  if (plural === 'namespaces' && group === '') namespace = name;
  return { group, version, plural, namespace, name, subresource };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
