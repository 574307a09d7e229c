import type { CompiledSchema, Node } from './compile.ts';
import { nodeOf } from './compile.ts';
import type { JsonObject } from './types.ts';

/** The fields of ObjectMeta (apimachinery 0.36.3); what else stands in metadata is dropped as unknown. */
const METADATA = new Set(
  (
    'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp ' +
    'deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields'
  ).split(' '),
);

/** Removes in place what the schema doesn't know; gives the paths removed (`spec.foo`, `spec.list[0].bar`).
 * At the root and in embedded resources apiVersion and kind stay, and metadata keeps what ObjectMeta has. */
export function prune(object: JsonObject, schema: CompiledSchema): string[] {
  const walk = new Pruner(true);
  walk.object(object, nodeOf(schema), '', true);
  return walk.unknown;
}

/** The paths that `prune` would remove, the object left as it is. Strict validation says `unknown field "<path>"`. */
export function unknownFields(object: JsonObject, schema: CompiledSchema): string[] {
  const walk = new Pruner(false);
  walk.object(object, nodeOf(schema), '', true);
  return walk.unknown;
}

class Pruner {
  readonly unknown: string[] = [];
  private readonly remove: boolean;

  constructor(remove: boolean) {
    this.remove = remove;
  }

  object(object: JsonObject, node: Node, path: string, resource: boolean): void {
    if (node.anyAdditional && node.properties.size === 0) return;
    for (const key of Object.keys(object)) {
      const value = object[key];
      if (resource && key === 'metadata') {
        this.metadata(value, child(path, key));
        continue;
      }
      const known = node.properties.get(key) ?? node.additional;
      if (known !== undefined) this.value(value, known, path, key);
      else if (
        !node.preserve &&
        !node.anyAdditional &&
        !(resource && (key === 'apiVersion' || key === 'kind'))
      )
        this.drop(object, key, child(path, key));
    }
  }

  private value(value: unknown, node: Node, path: string, key: string): void {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) this.list(value, node, child(path, key));
    else this.object(value as JsonObject, node, child(path, key), node.embedded);
  }

  private list(list: unknown[], node: Node, path: string): void {
    if (node.items === undefined) return;
    for (const [i, item] of list.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      const at = `${path}[${i}]`;
      if (Array.isArray(item)) this.list(item, node.items, at);
      else this.object(item as JsonObject, node.items, at, node.items.embedded);
    }
  }

  private metadata(value: unknown, path: string): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const metadata = value as JsonObject;
    for (const key of Object.keys(metadata))
      if (!METADATA.has(key)) this.drop(metadata, key, child(path, key));
  }

  private drop(object: JsonObject, key: string, path: string): void {
    this.unknown.push(path);
    if (this.remove) delete object[key];
  }
}

const child = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);
