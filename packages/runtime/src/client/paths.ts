import type { Selection, Subresource } from './client.ts';
import { type Key, type Kind, type KeyLike, parseKey } from './object.ts';

/** Path of all objects of a kind, or of those in a namespace. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  if (namespace === undefined || namespace === '') return `${root}/${kind.plural}`;
  if (!kind.namespaced)
    throw new TypeError(`${kind.kind} is cluster-scoped: it can't be asked for in namespace ${namespace}`);
  return `${root}/namespaces/${segment(kind, namespace)}/${kind.plural}`;
}

/** Path of one object. Throws a TypeError for a key that can't be one. */
export function objectPath(kind: Kind, key: KeyLike, subresource?: Subresource): string {
  const { namespace, name } = needNamespace(kind, parseKey(key));
  return `${collectionPath(kind, namespace)}/${segment(kind, name)}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** Where an object of that metadata is created. */
export function needNamespace<K extends { readonly namespace?: string; readonly name?: string }>(
  kind: Kind,
  key: K,
): K {
  if (kind.namespaced && (key.namespace === undefined || key.namespace === '')) {
    throw new TypeError(`${kind.kind} ${key.name ?? ''}: needs a namespace`);
  }
  return key;
}

/** Query of a selection, without its namespace. */
export function selectionQuery(selection: Selection): Record<string, string | undefined> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}

/** Path with query; what is undefined is left out. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

/** A name that would change the path it stands in is refused: the API server allows none of these either. */
function segment(kind: Kind, name: Key['name']): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('%')) {
    throw new TypeError(`${kind.kind}: ${JSON.stringify(name)} is no name of an object`);
  }
  return encodeURIComponent(name);
}
