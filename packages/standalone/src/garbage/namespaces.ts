import { ApiError } from '../http/status.ts';
import { child, strings, type KubeObject } from '../object.ts';
import { internal } from '../registry/internal.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import type { Resource } from '../registry/resource.ts';
import type { Change } from '../store/change.ts';
import type { Control, Controller } from './control.ts';
import { ignoreGone } from './owners.ts';
import { Worker } from './worker.ts';

const ALL: DeleteOptions = {
  propagation: 'Background',
  uid: undefined,
  resourceVersion: undefined,
  grace: undefined,
};

/**
 * Gives every namespace its default ServiceAccount and the authority's certificate, and empties namespaces that are
 * being deleted.
 */
export class Namespaces implements Controller {
  readonly #control: Control;
  readonly #caPem: string;
  readonly #terminating = new Set<string>();
  readonly #worker: Worker;

  constructor(control: Control, caPem: string) {
    this.#control = control;
    this.#caPem = caPem;
    this.#worker = new Worker((name) => this.#work(name), control.log);
  }

  seen(resource: string, object: KubeObject): void {
    if (resource !== 'namespaces') return;
    if (object.metadata.deletionTimestamp) this.#terminating.add(object.metadata.name);
    this.#worker.add(object.metadata.name);
  }

  gone(change: Change): void {
    if (change.resource === 'namespaces') this.#terminating.delete(change.name);
    else if (this.#terminating.has(change.namespace)) this.#worker.add(change.namespace);
    else if (
      change.namespace &&
      (change.name === 'default' || change.name === 'kube-root-ca.crt') &&
      ['serviceaccounts', 'configmaps'].includes(change.resource)
    ) {
      this.#worker.add(change.namespace);
    }
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  #resource(id: string): Resource {
    const found = this.#control.resources.all().find((resource) => resource.id === id);
    if (!found) throw new Error(`no resource ${id}`);
    return found;
  }

  async #work(name: string): Promise<void> {
    const namespace = this.#control.store.read('namespaces', '', name);
    if (!namespace) return;
    if (namespace.metadata.deletionTimestamp) await this.#empty(namespace);
    else await this.#furnish(name);
  }

  async #furnish(namespace: string): Promise<void> {
    await this.#ensure('serviceaccounts', namespace, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
    await this.#ensure('configmaps', namespace, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt' },
      data: { 'ca.crt': this.#caPem },
    });
  }

  async #ensure(id: string, namespace: string, object: KubeObject): Promise<void> {
    const { name } = object.metadata;
    if (this.#control.store.get(id, namespace, name)) return;
    try {
      const request = internal(this.#resource(id), namespace, name, this.#control.clock());
      await this.#control.registry.create(request, object);
    } catch (error) {
      // Somebody was faster, or the namespace went meanwhile.
      if (!(error instanceof ApiError) || ![403, 404, 409].includes(error.code)) throw error;
    }
  }

  async #empty(namespace: KubeObject): Promise<void> {
    const { name } = namespace.metadata;
    const { clock, registry, resources, store } = this.#control;
    let left = 0;
    for (const resource of resources.all()) {
      if (!resource.namespaced || resource.convert) continue;
      if (store.list(resource.id, { namespace: name, limit: 1 }).rows.length === 0) continue;
      const request = internal(resource, name, '', clock());
      await registry.deleteCollection(request, ALL, (object) => !object.metadata.deletionTimestamp);
      left += store.list(resource.id, { namespace: name }).rows.length;
    }
    // What is held by finalizers or a kubelet comes back here when it goes.
    if (left > 0 || !strings(namespace, 'spec', 'finalizers').includes('kubernetes')) return;
    const request = internal(this.#resource('namespaces'), '', name, clock(), 'finalize');
    await ignoreGone(
      registry.modify(request, (live) => {
        live['spec'] = {
          ...child(live, 'spec'),
          finalizers: strings(live, 'spec', 'finalizers').filter((one) => one !== 'kubernetes'),
        };
        return live;
      }),
    );
  }
}
