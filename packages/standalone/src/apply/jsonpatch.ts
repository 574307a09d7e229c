import { equalJson, getKey, type JsonObject, setKey } from '../schema/index.ts';
import { ApplyError } from './errors.ts';
import { kindText } from './mergepatch.ts';
import { cloneJson, isObject } from './values.ts';

/** Operations that one patch may have (apiserver, maxJSONPatchOperations); more is a 413. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;

/** RFC 6902 as the server's library (evanphx/json-patch v4) has it: `replace` also sets a key that is not there, and a missing value is
 * null. Throws ApplyError: 400 where the patch is none, 422 where it can't be applied (a path that is not there, a test that
 * fails); the server tells no more than that it did, `cause` holds why. */
export function jsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  for (const operation of patch)
    if (!isObject(operation)) throw undecodable(operation, 'handlers.jsonPatchOp');
  const root: { '': unknown } = { '': cloneJson(target) };
  for (const operation of patch) perform(root, operation as JsonObject);
  if (!isObject(root[''])) throw rejected('the result is no object');
  return root[''];
}

function undecodable(value: unknown, type: string): ApplyError {
  return new ApplyError(
    400,
    `error decoding patch: json: cannot unmarshal ${kindText(value)} into Go value of type ${type}`,
  );
}

function rejected(why: string): ApplyError {
  const text = 'the server rejected our request due to an error in our request';
  return new ApplyError(422, text, [], { cause: new Error(why) });
}

type Container = JsonObject | unknown[];

function perform(root: { '': unknown }, operation: JsonObject): void {
  const path = pointer(operation, 'path');
  switch (operation['op']) {
    case 'add':
      add(root, path, valueOf(operation));
      return;
    case 'remove':
      remove(root, path);
      return;
    case 'replace':
      replace(root, path, valueOf(operation));
      return;
    case 'move':
      add(root, path, remove(root, pointer(operation, 'from')));
      return;
    case 'copy':
      add(root, path, cloneJson(get(root, pointer(operation, 'from')) ?? null));
      return;
    case 'test':
      if (!equalJson(get(root, path) ?? null, operation['value'] ?? null))
        throw rejected(`testing value ${path} failed`);
      return;
    default:
      throw rejected('Unexpected kind: unknown operation');
  }
}

function pointer(operation: JsonObject, name: 'path' | 'from'): string {
  const value = operation[name];
  if (typeof value !== 'string') throw rejected(`operation without ${name}`);
  return value;
}

function valueOf(operation: JsonObject): unknown {
  return cloneJson(operation['value'] ?? null);
}

/** The container in which a path's last step is, and that step. */
function locate(root: { '': unknown }, path: string): { container: Container; key: string } {
  const steps = path.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = steps.pop() ?? '';
  // The document itself hangs below '', so that an empty path is as any other.
  let at: unknown = steps.length === 0 ? root : root[''];
  for (const step of steps.slice(1)) at = entry(at, step);
  if (!isObject(at) && !Array.isArray(at)) throw rejected(`doc is missing path: "${path}"`);
  return { container: at, key };
}

function entry(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return /^\d+$/.test(key) ? (container as unknown[])[Number(key)] : undefined;
  return isObject(container) ? getKey(container, key) : undefined;
}

/** An index of a list, `past` the end where one may be added. */
function index(list: readonly unknown[], key: string, past: number): number {
  if (!/^-?\d+$/.test(key)) throw rejected(`${key} is no index`);
  const i = Number(key) < 0 ? Number(key) + list.length : Number(key);
  if (i < 0 || i >= list.length + past) throw rejected(`Unable to access invalid index: ${key}`);
  return i;
}

function add(root: { '': unknown }, path: string, value: unknown): void {
  const { container, key } = locate(root, path);
  if (!Array.isArray(container)) setKey(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(index(container, key, 1), 0, value);
}

function get(root: { '': unknown }, path: string): unknown {
  const { container, key } = locate(root, path);
  return Array.isArray(container) ? container[index(container, key, 0)] : entry(container, key);
}

function remove(root: { '': unknown }, path: string): unknown {
  const { container, key } = locate(root, path);
  if (Array.isArray(container)) return (container.splice(index(container, key, 0), 1) as unknown[])[0];
  if (!Object.hasOwn(container, key)) throw rejected(`Unable to remove nonexistent key: ${key}`);
  const value = container[key];
  delete container[key];
  return value;
}

function replace(root: { '': unknown }, path: string, value: unknown): void {
  const { container, key } = locate(root, path);
  if (Array.isArray(container)) container[index(container, key, 0)] = value;
  else setKey(container, key, value);
}
