import { ApiError } from '../http/status.ts';
import type { KubeObject, OwnerReference } from '../object.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import { internal } from '../registry/internal.ts';
import type { Resource } from '../registry/resource.ts';
import type { Change } from '../store/change.ts';
import type { Control, Controller } from './control.ts';
import { Worker } from './worker.ts';

interface Place {
  resource: string;
  namespace: string;
  name: string;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const BACKGROUND: DeleteOptions = {
  propagation: 'Background',
  uid: undefined,
  resourceVersion: undefined,
  grace: undefined,
};

/** Deletes what no owner is left of, and carries out foreground and orphaning deletion. */
export class OwnerCollector implements Controller {
  readonly #control: Control;
  /** Owner's uid to its dependents, by uid. */
  readonly #dependents = new Map<string, Map<string, Place>>();
  readonly #worker: Worker;

  constructor(control: Control) {
    this.#control = control;
    this.#worker = new Worker((key) => this.#work(key), control.log);
  }

  seen(resource: string, object: KubeObject): void {
    const { metadata } = object;
    const place = { resource, namespace: metadata.namespace ?? '', name: metadata.name };
    const owners = metadata.ownerReferences ?? [];
    for (const owner of owners) {
      const dependents = this.#dependents.get(owner.uid) ?? new Map<string, Place>();
      dependents.set(metadata.uid ?? '', place);
      this.#dependents.set(owner.uid, dependents);
    }
    if (owners.length > 0) this.#worker.add(keyOf('dependent', place));
    if (metadata.deletionTimestamp && metadata.finalizers?.some((f) => f === ORPHAN || f === FOREGROUND)) {
      this.#worker.add(keyOf('owner', place));
    }
  }

  gone(change: Change): void {
    const { metadata } = change.object;
    for (const place of this.#dependents.get(metadata.uid ?? '')?.values() ?? []) {
      this.#worker.add(keyOf('dependent', place));
    }
    this.#dependents.delete(metadata.uid ?? '');
    for (const owner of metadata.ownerReferences ?? []) {
      this.#dependents.get(owner.uid)?.delete(metadata.uid ?? '');
      const found = this.#find(owner, metadata.namespace ?? '');
      if (found) this.#worker.add(keyOf('owner', found.place));
    }
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async #work(key: string): Promise<void> {
    const [role, resource = '', namespace = '', name = ''] = key.split('\u0000');
    const object = this.#control.store.read(resource, namespace, name);
    const served = this.#served(resource);
    if (!object || !served) return;
    if (role === 'owner') await this.#owner(object, served);
    else await this.#dependent(object, served);
  }

  #served(id: string): Resource | undefined {
    return this.#control.resources.all().find((resource) => resource.id === id && !resource.convert);
  }

  /** The owner that a reference names, when it is still there; undefined when it is gone, null when it can't be known. */
  #find(owner: OwnerReference, namespace: string): { object: KubeObject; place: Place } | undefined | null {
    const slash = owner.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
    const resource = this.#control.resources.byKind(group, owner.kind);
    // A kind that is not served may come back with its definition: absence means hold.
    if (!resource) return null;
    // Nor can an owner inside a namespace own what is outside of all; the real collector lets that be, too.
    if (resource.namespaced && !namespace) return null;
    const place = {
      resource: resource.id,
      namespace: resource.namespaced ? namespace : '',
      name: owner.name,
    };
    const object = this.#control.store.read(place.resource, place.namespace, place.name);
    return object?.metadata.uid === owner.uid ? { object, place } : undefined;
  }

  async #dependent(object: KubeObject, resource: Resource): Promise<void> {
    const { metadata } = object;
    const owners = metadata.ownerReferences ?? [];
    if (owners.length === 0 || metadata.deletionTimestamp) return;
    const found = owners.map((owner) => this.#find(owner, metadata.namespace ?? ''));
    const left = owners.filter((_, i) => found[i] !== undefined);
    if (left.length === owners.length) return;
    const request = internal(resource, metadata.namespace ?? '', metadata.name, this.#control.clock());
    if (left.length === 0) {
      const options = { ...BACKGROUND, uid: metadata.uid };
      await ignoreGone(this.#control.registry.delete(request, options));
      return;
    }
    await ignoreGone(
      this.#control.registry.modify(request, (live) => {
        live.metadata.ownerReferences = left;
        return live;
      }),
    );
  }

  async #owner(object: KubeObject, resource: Resource): Promise<void> {
    const { metadata } = object;
    if (!metadata.deletionTimestamp) return;
    const dependents = [...(this.#dependents.get(metadata.uid ?? '')?.values() ?? [])];
    if (metadata.finalizers?.includes(ORPHAN)) {
      for (const place of dependents) await this.#orphan(place, metadata.uid ?? '');
      await this.#release(object, resource, ORPHAN);
    } else if (metadata.finalizers?.includes(FOREGROUND)) {
      let waiting = false;
      for (const place of dependents) {
        if (await this.#deleteForeground(place, metadata.uid ?? '')) waiting = true;
      }
      if (!waiting) await this.#release(object, resource, FOREGROUND);
    }
  }

  async #orphan(place: Place, owner: string): Promise<void> {
    const resource = this.#served(place.resource);
    if (!resource) return;
    const request = internal(resource, place.namespace, place.name, this.#control.clock());
    await ignoreGone(
      this.#control.registry.modify(request, (live) => {
        const kept = (live.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner);
        if (kept.length > 0) live.metadata.ownerReferences = kept;
        else delete live.metadata.ownerReferences;
        return live;
      }),
    );
  }

  /** True while the dependent holds up its owner. */
  async #deleteForeground(place: Place, owner: string): Promise<boolean> {
    const resource = this.#served(place.resource);
    const object = this.#control.store.read(place.resource, place.namespace, place.name);
    const reference = object?.metadata.ownerReferences?.find((one) => one.uid === owner);
    if (!resource || !object || !reference) return false;
    if (!object.metadata.deletionTimestamp) {
      const request = internal(resource, place.namespace, place.name, this.#control.clock());
      const options: DeleteOptions = { ...BACKGROUND, propagation: 'Foreground', uid: object.metadata.uid };
      await ignoreGone(this.#control.registry.delete(request, options));
    }
    const left = this.#control.store.read(place.resource, place.namespace, place.name);
    return left?.metadata.uid === object.metadata.uid && reference.blockOwnerDeletion === true;
  }

  async #release(object: KubeObject, resource: Resource, finalizer: string): Promise<void> {
    const { namespace = '', name } = object.metadata;
    const request = internal(resource, namespace, name, this.#control.clock());
    await ignoreGone(
      this.#control.registry.modify(request, (live) => {
        const kept = (live.metadata.finalizers ?? []).filter((one) => one !== finalizer);
        if (kept.length > 0) live.metadata.finalizers = kept;
        else delete live.metadata.finalizers;
        return live;
      }),
    );
  }
}

function keyOf(role: 'owner' | 'dependent', place: Place): string {
  return [role, place.resource, place.namespace, place.name].join('\u0000');
}

/** What is gone, or was made again, needs no more work. */
export async function ignoreGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 404) throw error;
  }
}
