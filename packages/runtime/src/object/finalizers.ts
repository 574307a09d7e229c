import type { Client } from '../client/client.ts';
import { isInvalid, isNotFound } from '../client/errors.ts';
import { keyOf, type Kind, type KubeObject } from '../client/object.ts';

/**
 * Sees to it that the object carries the finalizer, before the first effect that needs cleaning up. Returns the object as it then
 * is, or undefined where it is gone or being deleted (a finalizer can't be added then). 409 when it was written in between: the
 * cause for another reconcile.
 */
export async function ensureFinalizer<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  finalizer: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  if (finalizers.includes(finalizer)) return object;
  if (deletionTimestamp !== undefined) return undefined;
  return write(client, kind, object, [...finalizers, finalizer], signal);
}

/** Takes the finalizer away: the cleaning up is done. Nothing to do, and no error, where it is gone already. */
export async function removeFinalizer<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  finalizer: string,
  signal?: AbortSignal,
): Promise<void> {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) return;
  await write(
    client,
    kind,
    object,
    finalizers.filter((other) => other !== finalizer),
    signal,
  );
}

/** The whole list with the resourceVersion it was read at, so that nobody else's finalizer is lost. */
async function write<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  finalizers: readonly string[],
  signal?: AbortSignal,
): Promise<T | undefined> {
  const { uid, resourceVersion } = object.metadata;
  try {
    return await client.patch(
      kind,
      keyOf(object),
      { type: 'merge', body: { metadata: { uid, resourceVersion, finalizers } } },
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    // A merge patch against another uid of the same name is refused as an immutable field: the object meant is gone.
    if (isInvalid(error) && error.causes.some((cause) => cause.field === 'metadata.uid')) return undefined;
    throw error;
  }
}
