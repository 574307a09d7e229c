import { equalJson, type JsonObject, setKey } from '../schema/index.ts';
import { ApplyError } from './errors.ts';
import { kindText } from './mergepatch.ts';
import { cloneJson, isObject } from './values.ts';

/** Operations that one patch may have (apiserver, maxJSONPatchOperations); more is a 413. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;

/** RFC 6902, with the texts of evanphx/json-patch that the server passes on. Throws ApplyError: 400 where the patch is none,
 * 422 where it can't be applied (a path that is not there, a test that fails). */
export function jsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch))
    throw new ApplyError(
      400,
      `json: cannot unmarshal ${kindText(patch)} into Go value of type jsonpatch.Patch`,
    );
  const root: { '': unknown } = { '': cloneJson(target) };
  for (const operation of patch) perform(root, operation);
  if (!isObject(root['']))
    throw new ApplyError(422, 'the server rejected our request due to an error in our request');
  return root[''];
}

type Container = JsonObject | unknown[];

function perform(root: { '': unknown }, operation: unknown): void {
  if (!isObject(operation))
    throw new ApplyError(
      400,
      `json: cannot unmarshal ${kindText(operation)} into Go value of type jsonpatch.Operation`,
    );
  const op = operation['op'];
  const path = pointer(operation, 'path', String(op));
  switch (op) {
    case 'add':
      add(root, path, valueOf(operation), 'add');
      return;
    case 'remove':
      remove(root, path, 'remove');
      return;
    case 'replace':
      replace(root, path, valueOf(operation));
      return;
    case 'move': {
      const from = pointer(operation, 'from', 'move');
      add(root, path, remove(root, from, 'move'), 'move');
      return;
    }
    case 'copy':
      add(root, path, cloneJson(get(root, pointer(operation, 'from', 'copy'), 'copy')), 'copy');
      return;
    case 'test':
      check(root, path, operation['value'] ?? null);
      return;
    default:
      throw new ApplyError(422, `Unexpected kind: ${String(op)}`);
  }
}

function pointer(operation: JsonObject, name: 'path' | 'from', op: string): string {
  const value = operation[name];
  if (typeof value !== 'string')
    throw new ApplyError(422, `jsonpatch ${op} operation: missing ${name}: missing value`);
  return value;
}

function valueOf(operation: JsonObject): unknown {
  if (operation['value'] === undefined)
    throw new ApplyError(422, `jsonpatch ${String(operation['op'])} operation: missing value`);
  return cloneJson(operation['value']);
}

/** The container in which a path's last step is, and that step. */
function locate(root: { '': unknown }, path: string, op: string): { container: Container; key: string } {
  const steps = path.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = steps.pop() ?? '';
  // The document itself hangs below '', so that an empty path is as any other.
  let at: unknown = steps.length === 0 ? root : root[''];
  for (const step of steps.slice(1)) at = entry(at, step);
  if (!isObject(at) && !Array.isArray(at)) throw missing(op, path);
  return { container: at, key };
}

function missing(op: string, path: string): ApplyError {
  return new ApplyError(422, `${op} operation does not apply: doc is missing path: "${path}": missing value`);
}

function entry(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return /^\d+$/.test(key) ? (container as unknown[])[Number(key)] : undefined;
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

function index(list: readonly unknown[], key: string, op: string, path: string, past: number): number {
  if (!/^-?\d+$/.test(key))
    throw new ApplyError(
      422,
      `${op} operation does not apply: doc is missing path: "${path}": missing value`,
    );
  const i = Number(key) < 0 ? Number(key) + list.length : Number(key);
  if (i < 0 || i >= list.length + past)
    throw new ApplyError(
      422,
      `${op} operation does not apply: Unable to access invalid index: ${key}: invalid index referenced`,
    );
  return i;
}

function add(root: { '': unknown }, path: string, value: unknown, op: string): void {
  const { container, key } = locate(root, path, op);
  if (!Array.isArray(container)) setKey(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(index(container, key, op, path, 1), 0, value);
}

function get(root: { '': unknown }, path: string, op: string): unknown {
  const { container, key } = locate(root, path, op);
  const value = Array.isArray(container)
    ? container[index(container, key, op, path, 0)]
    : entry(container, key);
  if (value === undefined) throw missing(op, path);
  return value;
}

function remove(root: { '': unknown }, path: string, op: string): unknown {
  const { container, key } = locate(root, path, op);
  if (Array.isArray(container))
    return (container.splice(index(container, key, op, path, 0), 1) as unknown[])[0];
  if (!Object.hasOwn(container, key))
    throw new ApplyError(
      422,
      `${op} operation does not apply: Unable to remove nonexistent key: ${key}: missing value`,
    );
  const value = container[key];
  delete container[key];
  return value;
}

function replace(root: { '': unknown }, path: string, value: unknown): void {
  const { container, key } = locate(root, path, 'replace');
  if (Array.isArray(container)) container[index(container, key, 'replace', path, 0)] = value;
  else if (Object.hasOwn(container, key)) container[key] = value;
  else
    throw new ApplyError(422, `replace operation does not apply: doc is missing key: ${path}: missing value`);
}

function check(root: { '': unknown }, path: string, expected: unknown): void {
  const { container, key } = locate(root, path, 'test');
  const value = Array.isArray(container)
    ? container[index(container, key, 'test', path, 0)]
    : entry(container, key);
  if (!equalJson(value ?? null, expected))
    throw new ApplyError(422, `testing value ${path} failed: test failed`);
}
