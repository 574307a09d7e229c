import { randomInt, randomUUID } from 'node:crypto';
import { sameObject } from '../apply/index.ts';
import { badRequest, conflict, invalid, MODIFIED, type Cause } from '../http/status.ts';
import { clone, same, time, type KubeObject, type Obj } from '../object.ts';
import { applyDefaults, prune } from '../schema/index.ts';
import { badValue, tidyMetadata } from './metadata.ts';
import { own } from './ownership.ts';
import type { FieldValidation, Request } from './request.ts';
import { apiVersion, type HookContext } from './resource.ts';
import { check } from './validation.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function hookContext(request: Request): HookContext {
  return { now: request.now, user: request.user, subresource: request.subresource };
}

/** Prunes what the schema doesn't know; the messages for fieldValidation. */
export function dropUnknown(object: KubeObject, request: Request): string[] {
  const unknown = tidyMetadata(object);
  const { schema } = request.version;
  if (schema) unknown.push(...prune(object, schema));
  return unknown.sort().map((path) => `unknown field "${path}"`);
}

/** What Strict and Warn do with the problems found while decoding. @throws ApiError 400 for Strict. */
export function complain(problems: string[], request: Request): void {
  if (problems.length === 0) return;
  const mode: FieldValidation = request.fieldValidation;
  if (mode === 'Strict') {
    const { kind } = request.resource;
    throw badRequest(
      `${kind} in version "${request.version.name}" cannot be handled as a ${kind}: strict decoding error: ${problems.join(', ')}`,
    );
  }
  if (mode === 'Warn') request.warnings.push(...problems);
}

/** An object of this resource under the requested version. Stored objects of another version differ in nothing else. */
export function inVersion(object: KubeObject, request: Pick<Request, 'resource' | 'version'>): KubeObject {
  const { convert, group } = request.resource;
  if (convert && !object.apiVersion.startsWith(`${group}/`)) return convert.read(object);
  object.apiVersion = apiVersion(request.resource.group, request.version.name);
  object.kind = request.resource.kind;
  return object;
}

/** As it goes to the store. */
function stored(object: KubeObject, request: Request): KubeObject {
  if (request.resource.convert) return request.resource.convert.write(object);
  const { apiVersion: _version, kind, metadata, ...rest } = object;
  const { group, storageVersion } = request.resource;
  return { apiVersion: apiVersion(group, storageVersion), kind, metadata, ...rest };
}

/** What the JSON of every stored object of a kind begins with: lists leave it out of the items of built-in kinds. */
export function typeOpening(version: string, kind: string): string {
  return `{"apiVersion":${JSON.stringify(version)},"kind":${JSON.stringify(kind)},`;
}

/** Makes a new object whole: metadata, defaults, ownership, validation. Returns it as it is to be stored. */
export function finishCreate(object: KubeObject, request: Request, applied: boolean): KubeObject {
  const { resource, version, now } = request;
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName);
  if (resource.namespaced && request.namespace) metadata.namespace = request.namespace;
  else delete metadata.namespace;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  delete metadata.generation;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = time(now);
  if (resource.hooks.generation) metadata.generation = 1;
  if (version.status && !resource.hooks.createdWithStatus) delete object['status'];
  resource.hooks.onCreate?.(object, hookContext(request));
  if (version.schema) applyDefaults(object, version.schema, { dropNulls: !applied });
  if (!applied) own(undefined, object, request);
  resource.hooks.prepare?.(object);
  check(object, undefined, request);
  return stored(object, request);
}

/** Makes an updated object whole. Undefined when nothing changed, so that nothing need be written. */
export function finishUpdate(
  object: KubeObject,
  live: KubeObject,
  request: Request,
  applied: boolean,
): KubeObject | undefined {
  const { resource, version } = request;
  const before = live.metadata;
  const { metadata } = object;
  if (metadata.resourceVersion && metadata.resourceVersion !== before.resourceVersion) {
    throw conflict(about(request), before.name, MODIFIED);
  }
  const causes: Cause[] = [];
  if (metadata.uid && metadata.uid !== before.uid) {
    if (!applied) {
      throw conflict(
        about(request),
        before.name,
        `StorageError: invalid object, Code: 4, Key: ${storageKey(request)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${before.uid}`,
      );
    }
    // Twice: the real server checks it as the object's metadata and as the resource's.
    const cause = badValue('metadata.uid', metadata.uid, 'field is immutable');
    causes.push(cause, cause);
  }
  metadata.name = before.name;
  if (before.namespace !== undefined) metadata.namespace = before.namespace;
  keep(metadata as unknown as Obj, before as unknown as Obj, [
    'uid',
    'creationTimestamp',
    'resourceVersion',
    'generation',
    'generateName',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ]);
  if (before.deletionTimestamp) {
    const added = (metadata.finalizers ?? []).filter((name) => !(before.finalizers ?? []).includes(name));
    if (added.length > 0) {
      const cause = {
        reason: 'FieldValueForbidden',
        message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
        field: 'metadata.finalizers',
      };
      causes.push(cause, cause);
    }
  }
  if (causes.length > 0) {
    throw invalid({ group: resource.group, resource: resource.kind }, before.name, causes);
  }
  isolate(object, live, request);
  resource.hooks.onUpdate?.(object, live, hookContext(request));
  if (version.schema) applyDefaults(object, version.schema, { dropNulls: !applied });
  if (!applied) own(live, object, request);
  inVersion(object, request);
  if (sameObject(live, object)) return undefined;
  count(object, live, request);
  check(object, live, request);
  return stored(object, request);
}

/** Where the real server has it in etcd; clients see it in messages. */
function storageKey(request: Request): string {
  const { custom, group, plural } = request.resource;
  return ['/registry', ...(custom ? [group] : []), plural, request.namespace, request.name]
    .filter(Boolean)
    .join('/');
}

function about(request: Request): { group: string; resource: string } {
  return { group: request.resource.group, resource: request.resource.plural };
}

function keep(to: Obj, from: Obj, keys: string[]): void {
  for (const key of keys) {
    if (from[key] === undefined) delete to[key];
    else to[key] = from[key];
  }
}

/** A write to the object leaves status alone; a write to a subresource leaves the rest alone. */
function isolate(object: KubeObject, live: KubeObject, request: Request): void {
  const { version, subresource } = request;
  if (subresource === 'status') {
    for (const key of Object.keys(object)) {
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) delete object[key];
    }
    for (const [key, value] of Object.entries(live)) {
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) object[key] = clone(value);
    }
    // The kubelet sets labels and annotations of its Node this way.
    if (request.resource.hooks.statusTakesMetadata) return;
    const { managedFields } = object.metadata;
    object.metadata = clone(live.metadata);
    if (managedFields) object.metadata.managedFields = managedFields;
    return;
  }
  if (version.status && subresource === '') {
    if (live['status'] === undefined) delete object['status'];
    else object['status'] = clone(live['status']);
  }
}

function count(object: KubeObject, live: KubeObject, request: Request): void {
  if (!request.resource.hooks.generation) return;
  const fixed = ['apiVersion', 'kind', 'metadata', ...(request.version.status ? ['status'] : [])];
  const rest = (o: KubeObject): Obj =>
    Object.fromEntries(Object.entries(o).filter(([key]) => !fixed.includes(key)));
  if (!same(rest(object), rest(live))) object.metadata.generation = (live.metadata.generation ?? 0) + 1;
}

function generateName(prefix: string): string {
  let suffix = '';
  for (let i = 0; i < 5; i++) suffix += ALPHABET[randomInt(ALPHABET.length)];
  return `${prefix.slice(0, 58)}${suffix}`;
}
