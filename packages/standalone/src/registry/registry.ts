import { apply } from '../apply/index.ts';
import { ApiError, alreadyExists, conflict, invalid, MODIFIED, notFound, qualified } from '../http/status.ts';
import { clone, isObj, type KubeObject } from '../object.ts';
import type { Store, Transaction } from '../store/store.ts';
import { complain, dropUnknown, finishCreate, finishUpdate, inVersion } from './mutation.ts';
import { writer } from './ownership.ts';
import { applyFailure, checkApplied, decoded, patched, type PatchType } from './patching.ts';
import type { Request } from './request.ts';
import { deleteStep, type Deleted, type DeleteOptions } from './deletion.ts';

/** Says no to a write by throwing an ApiError. */
export interface Admission {
  admit(
    request: Request,
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    object: KubeObject | null,
    old: KubeObject | null,
    tx: Transaction,
  ): void;
}

export interface Written {
  object: KubeObject;
  created: boolean;
}

/** The verbs that write, for every resource alike. */
export class Registry {
  readonly store: Store;
  readonly #admission: Admission;

  constructor(store: Store, admission: Admission) {
    this.store = store;
    this.#admission = admission;
  }

  /** The stored object, in the requested version. @throws ApiError 404. */
  get(request: Request): KubeObject {
    const found = this.store.read(request.resource.id, request.namespace, request.name);
    if (!found) throw notFound(about(request), request.name);
    return inVersion(found, request);
  }

  /** POST. `problems` are duplicate keys found while decoding. */
  async create(request: Request, object: KubeObject, problems: string[] = []): Promise<Written> {
    complain([...problems, ...dropUnknown(object, request)], request);
    if (object.metadata.resourceVersion) {
      throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
    }
    const created = await this.store.write((tx) => this.#create(tx, request, object, false));
    return { object: shown(created, request), created: true };
  }

  #create(tx: Transaction, request: Request, object: KubeObject, applied: boolean): KubeObject {
    requireNamespace(tx, request);
    const finished = finishCreate(object, request, applied);
    this.#admission.admit(request, 'CREATE', finished, null, tx);
    const { namespace = '', name } = finished.metadata;
    if (tx.get(request.resource.id, namespace, name)) throw alreadyExists(about(request), name);
    return request.dryRun ? finished : tx.put(request.resource.id, finished);
  }

  /** PUT, of the object or of a subresource that is a view of it. */
  async update(request: Request, object: KubeObject, problems: string[] = []): Promise<Written> {
    complain([...problems, ...dropUnknown(object, request)], request);
    const versionless = !object.metadata.resourceVersion && request.resource.hooks.conditionalUpdate;
    return this.store.write((tx) => {
      const live = tx.get(request.resource.id, request.namespace, request.name);
      if (!live) {
        const may = request.resource.hooks.createOnUpdate && request.subresource === '';
        if (!may || object.metadata.uid) throw notFound(about(request), request.name);
        return { object: shown(this.#create(tx, request, object, false), request), created: true };
      }
      if (versionless) {
        const { group, plural } = request.resource;
        throw invalid({ group, resource: plural }, request.name, [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 0: must be specified for an update',
            field: 'metadata.resourceVersion',
          },
        ]);
      }
      return {
        object: shown(this.#update(tx, request, object, inVersion(live, request), false), request),
        created: false,
      };
    });
  }

  /** Reads, changes and writes in one step; `change` gets its own copy. For subresources and the server's own parts. */
  async modify(request: Request, change: (object: KubeObject) => KubeObject): Promise<KubeObject> {
    return this.store.write((tx) => {
      const found = tx.get(request.resource.id, request.namespace, request.name);
      if (!found) throw notFound(about(request), request.name);
      const live = inVersion(found, request);
      const next = change(clone(live));
      dropUnknown(next, request);
      return shown(this.#update(tx, request, next, live, false), request);
    });
  }

  #update(
    tx: Transaction,
    request: Request,
    object: KubeObject,
    live: KubeObject,
    applied: boolean,
  ): KubeObject {
    const finished = finishUpdate(object, live, request, applied);
    if (!finished) {
      this.#admission.admit(request, 'UPDATE', live, live, tx);
      return live;
    }
    this.#admission.admit(request, 'UPDATE', finished, live, tx);
    if (request.dryRun) return finished;
    const gone = finished.metadata.deletionTimestamp !== undefined && removable(finished);
    if (!gone) return tx.put(request.resource.id, finished);
    // Watchers see it as it was stored, with its last finalizer; who took that away sees it without.
    const { resourceVersion } = tx.remove(request.resource.id, live).metadata;
    return {
      ...finished,
      metadata: { ...finished.metadata, ...(resourceVersion ? { resourceVersion } : {}) },
    };
  }

  /** PATCH of any kind. `patch` is the decoded body. */
  async patch(
    request: Request,
    type: PatchType,
    patch: unknown,
    options: { force?: boolean; problems?: string[] } = {},
  ): Promise<Written> {
    if (type === 'apply') return this.#apply(request, patch, options.force ?? false);
    return this.store.write((tx) => {
      const found = tx.get(request.resource.id, request.namespace, request.name);
      if (!found) throw notFound(about(request), request.name);
      const live = inVersion(found, request);
      const next = patched(live, type, patch, request);
      const text = request.fieldValidation === 'Strict' ? decoded(type, patch, next) : '';
      const problems = [...(options.problems ?? []), ...dropUnknown(next, request)];
      if (problems.length > 0 && request.fieldValidation === 'Strict') {
        throw invalid({ group: '', resource: '' }, '', [
          {
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${JSON.stringify(text)}: strict decoding error: ${problems.join(', ')}`,
            field: 'patch',
          },
        ]);
      }
      complain(problems, request);
      return { object: shown(this.#update(tx, request, next, live, false), request), created: false };
    });
  }

  async #apply(request: Request, config: unknown, force: boolean): Promise<Written> {
    const { resource, version } = request;
    const wanted = checkApplied(config, request);
    return this.store.write((tx) => {
      const found = tx.get(resource.id, request.namespace, request.name);
      if (!found && request.subresource) throw notFound(about(request), request.name);
      const live = found && inVersion(found, request);
      const given = wanted.metadata.resourceVersion;
      if (live && given && given !== live.metadata.resourceVersion) {
        throw conflict(about(request), request.name, MODIFIED);
      }
      if (!live && wanted.metadata.uid) {
        const cause = {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${JSON.stringify(wanted.metadata.uid)}: field is immutable`,
          field: 'metadata.uid',
        };
        throw invalid({ group: resource.group, resource: resource.kind }, request.name, [cause, cause]);
      }
      let merged: KubeObject;
      try {
        const result = apply(version.type, live, wanted, { ...writer(request), force });
        merged = clone(result.object) as KubeObject;
      } catch (error) {
        return applyFailure(error, request, 'apply');
      }
      complain(dropUnknown(merged, request), request);
      if (!live) return { object: shown(this.#create(tx, request, merged, true), request), created: true };
      return { object: shown(this.#update(tx, request, merged, live, true), request), created: false };
    });
  }

  async delete(request: Request, options: DeleteOptions): Promise<Deleted> {
    return this.store.write((tx) => {
      const live = tx.get(request.resource.id, request.namespace, request.name);
      if (!live) throw notFound(about(request), request.name);
      return this.#delete(tx, request, live, options);
    });
  }

  #delete(tx: Transaction, request: Request, live: KubeObject, options: DeleteOptions): Deleted {
    this.#admission.admit(request, 'DELETE', null, inVersion({ ...live }, request), tx);
    const deleted = deleteStep(tx, request, live, options);
    return { ...deleted, object: shown(deleted.object, request) };
  }

  /** DELETE of a collection; `matches` selects. Answers what was selected, as it was before. */
  async deleteCollection(
    request: Request,
    options: DeleteOptions,
    matches: (object: KubeObject) => boolean,
  ): Promise<KubeObject[]> {
    const namespace = request.namespace || undefined;
    const found = this.store.all(request.resource.id, namespace).filter(matches);
    const out: KubeObject[] = [];
    for (const object of found) {
      const one = {
        ...request,
        namespace: object.metadata.namespace ?? '',
        name: object.metadata.name,
        oneOfMany: true,
      };
      const listed = await this.store.write((tx) => {
        const live = tx.get(request.resource.id, one.namespace, one.name);
        if (live) this.#delete(tx, one, clone(live), options);
        return live;
      });
      if (listed) out.push(shown(listed, request));
    }
    return out;
  }
}

function about(request: Request): { group: string; resource: string } {
  return { group: request.resource.group, resource: request.resource.plural };
}

/** Nothing holds it any longer: no finalizer, and a pod's grace period is over. */
export function removable(object: KubeObject): boolean {
  if (object.metadata.finalizers?.length) return false;
  if (object.kind === 'Namespace' && object.apiVersion === 'v1') {
    const spec = object['spec'];
    return !isObj(spec) || !Array.isArray(spec['finalizers']) || spec['finalizers'].length === 0;
  }
  return !object.metadata.deletionGracePeriodSeconds;
}

/** A copy in the requested version: what is stored is shared with watchers. */
function shown(object: KubeObject, request: Request): KubeObject {
  return inVersion({ ...object }, request);
}

function requireNamespace(tx: Transaction, request: Request): void {
  const { resource, namespace } = request;
  if (!resource.namespaced) return;
  const found = tx.get('namespaces', '', namespace);
  if (!found) throw notFound({ group: '', resource: 'namespaces' }, namespace);
  if (found.metadata.deletionTimestamp) {
    throw new ApiError(
      403,
      'Forbidden',
      `${qualified(about(request))} "${request.name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      {
        name: request.name,
        ...(resource.group ? { group: resource.group } : {}),
        kind: resource.plural,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    );
  }
}
