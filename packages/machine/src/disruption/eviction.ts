import { ApiError, type Client, isConflict, isNotFound, Pod } from '@kubenode/runtime';
import { nameOf } from './drain.ts';

/** Asks for the eviction of a pod. Returns why it may not be evicted now, for people; undefined: it goes, or is gone. */
export async function evict(client: Client, pod: Pod, signal: AbortSignal): Promise<string | undefined> {
  const { namespace = '', name, uid } = pod.metadata;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    ...(uid === undefined ? {} : { deleteOptions: { preconditions: { uid } } }),
  };
  try {
    await client.raw('POST', path, body, { signal });
    return undefined;
  } catch (error) {
    // Gone, or another of the same name that was not seen yet.
    if (isNotFound(error) || isConflict(error)) return undefined;
    if (!(error instanceof ApiError)) throw error;
    const cause = error.causes.find(({ reason }) => reason === 'DisruptionBudget');
    if (cause === undefined && error.status !== 429 && error.status !== 500) throw error;
    // The server's own words name the PodDisruptionBudget.
    return `pod ${nameOf(pod)} may not be evicted: ${cause?.message ?? error.message}`;
  }
}

/** Deletes a pod with its own grace period, whatever its PodDisruptionBudget says. */
export async function deletePod(client: Client, pod: Pod, signal: AbortSignal): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  try {
    await client.delete(Pod, { namespace, name }, { signal, ...(uid === undefined ? {} : { uid }) });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
