import { badRequest, conflict, invalid } from '../http/status.ts';
import { clone, isObj, show, time, type KubeObject, type Obj } from '../object.ts';
import type { Transaction } from '../store/store.ts';
import type { Request } from './request.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** What DELETE was asked, from its body and its query. */
export interface DeleteOptions {
  propagation: 'Background' | 'Foreground' | 'Orphan' | undefined;
  uid: string | undefined;
  resourceVersion: string | undefined;
  grace: number | undefined;
}

/** @throws ApiError 400 or 422 for what can't be. */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given: Obj = isObj(body) ? body : {};
  const conditions = isObj(given['preconditions']) ? given['preconditions'] : {};
  const asked = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = given['orphanDependents'] ?? query.get('orphanDependents') ?? undefined;
  let propagation: DeleteOptions['propagation'];
  if (asked === 'Background' || asked === 'Foreground' || asked === 'Orphan') propagation = asked;
  else if (asked !== undefined && asked !== '') {
    throw invalid({ group: 'meta.k8s.io', resource: 'DeleteOptions' }, '', [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(asked)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
        field: 'propagationPolicy',
      },
    ]);
  } else if (orphan !== undefined) propagation = show(orphan) === 'true' ? 'Orphan' : 'Background';
  const grace = given['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined;
  if (grace !== undefined && !/^\d+$/.test(show(grace))) {
    throw badRequest(`invalid gracePeriodSeconds: ${show(grace)}`);
  }
  const { uid, resourceVersion } = conditions;
  return {
    propagation,
    uid: typeof uid === 'string' ? uid : undefined,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    grace: grace === undefined ? undefined : Number(grace),
  };
}

export interface Deleted {
  object: KubeObject;
  /** True when it is gone; otherwise finalizers or a grace period hold it. */
  removed: boolean;
}

/** Deletes, or marks for deletion, one object inside a transaction. */
export function deleteStep(
  tx: Transaction,
  request: Request,
  live: KubeObject,
  options: DeleteOptions,
): Deleted {
  const { resource } = request;
  const about = { group: resource.group, resource: resource.kind };
  const { metadata } = live;
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    throw conflict(
      about,
      metadata.name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      about,
      metadata.name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
  const next = clone(live);
  const finalizers = new Set(metadata.finalizers ?? []);
  if (options.propagation !== undefined) {
    finalizers.delete(ORPHAN);
    finalizers.delete(FOREGROUND);
    if (options.propagation === 'Orphan') finalizers.add(ORPHAN);
    if (options.propagation === 'Foreground') finalizers.add(FOREGROUND);
  }
  if (finalizers.size > 0) next.metadata.finalizers = [...finalizers];
  else delete next.metadata.finalizers;

  const namespace = resource.id === 'namespaces';
  const grace = resource.id === 'pods' ? graceOf(live, options.grace) : 0;
  const held = finalizers.size > 0 || grace > 0 || (namespace && nonEmpty(live));
  if (!held) {
    if (request.dryRun) return { object: live, removed: true };
    return { object: tx.remove(resource.id, next), removed: true };
  }
  const before = metadata.deletionTimestamp;
  const shorter = before !== undefined && grace < (metadata.deletionGracePeriodSeconds ?? 0);
  if (before === undefined || shorter) {
    next.metadata.deletionTimestamp = time(request.now + grace * 1000);
    next.metadata.deletionGracePeriodSeconds = grace;
    if (next.metadata.generation !== undefined) next.metadata.generation += 1;
    if (namespace)
      next['status'] = { ...(isObj(live['status']) ? live['status'] : {}), phase: 'Terminating' };
  }
  const changed = JSON.stringify(next) !== JSON.stringify(live);
  if (request.dryRun || !changed) return { object: next, removed: false };
  return { object: tx.put(resource.id, next), removed: false };
}

function nonEmpty(namespace: KubeObject): boolean {
  const spec = namespace['spec'];
  return isObj(spec) && Array.isArray(spec['finalizers']) && spec['finalizers'].length > 0;
}

/** A pod that no kubelet has is gone at once; otherwise its kubelet gets its grace period. */
function graceOf(pod: KubeObject, asked: number | undefined): number {
  const spec = isObj(pod['spec']) ? pod['spec'] : {};
  const status = isObj(pod['status']) ? pod['status'] : {};
  if (!spec['nodeName'] || status['phase'] === 'Succeeded' || status['phase'] === 'Failed') return 0;
  const own = spec['terminationGracePeriodSeconds'];
  const grace = asked ?? (typeof own === 'number' ? own : 30);
  const running = pod.metadata.deletionGracePeriodSeconds;
  return running === undefined ? grace : Math.min(running, grace);
}
